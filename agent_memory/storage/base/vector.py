"""The ability to keep vectors: search by vector, embedding spaces, and texts whose embedding is pending."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING

from agent_memory.records import MemoryRecord
from agent_memory.storage.attempts import Attempt
from agent_memory.storage.base.ordering import unique
from agent_memory.storage.base.spaces import EmbeddingSpace
from agent_memory.storage.base.store import Store
from agent_memory.storage.where import Where

if TYPE_CHECKING:
    from agent_memory.storage.retrieval import VectorCandidates, VectorRequest
    from agent_memory.text.templates import TextHash
    from agent_memory.vectors import Vector


class VectorStore(Store):
    """A store that keeps vectors: float32, little endian, of unit length, one for each segment of a text."""

    # --- retrieving ----------------------------------------------------------------------------------------

    async def by_vector(self, vector: Vector, where: Where, limit: int) -> list[tuple[str, float]]:
        """Retrieve the nearest memories in the current space. Of several segments the nearest one counts.

        Args:
            vector: the embedded query.
            where: which memories may be retrieved.
            limit: how many at most.

        Returns:
            Ids with their cosines, nearest first.

        Raises:
            ValidationError: the vector has another dimension than the space.
        """
        self.check_usable()
        return await self._by_vector(vector, where, limit) if limit > 0 else []

    async def vectors(
        self, ids: Sequence[str], space: EmbeddingSpace | None = None
    ) -> dict[str, list[Vector]]:
        """Return the vectors of given memories' segments.

        A store may round their numbers to half precision; a cosine is off by less than .0005 then.

        Args:
            ids: whole ids.
            space: the embedding space; None for the current one.

        Returns:
            The vectors by id, in the order of the segments; a memory whose embedding is pending is left out.
        """
        self.check_usable()
        return await self._vectors(unique(ids), space) if ids else {}

    async def sample_vectors(self, limit: int = 500) -> list[Vector]:
        """Return a fixed sample of the current space's vectors, the same until their number doubles."""
        self.check_usable()
        return await self._sample_vectors(limit)

    async def vector_candidates(self, request: VectorRequest) -> VectorCandidates:
        """Return candidates by vector, and a sample of the current space's vectors.

        Args:
            request: what a search asks for.

        Returns:
            The candidates.
        """
        self.check_usable()
        return await self._vector_candidates(request)

    async def _vector_candidates(self, request: VectorRequest) -> VectorCandidates:
        """Answer it by the single methods; a backend behind a network does so in one round trip."""
        from agent_memory.storage import retrieval

        return await retrieval.vector_candidates(self, request)

    @abstractmethod
    async def _by_vector(self, vector: Vector, where: Where, limit: int) -> list[tuple[str, float]]:
        """Retrieve the nearest memories; `limit` is positive."""

    @abstractmethod
    async def _vectors(self, ids: Sequence[str], space: EmbeddingSpace | None) -> dict[str, list[Vector]]:
        """Return vectors by id; there is at least one id, none twice."""

    @abstractmethod
    async def _sample_vectors(self, limit: int) -> list[Vector]:
        """Return a fixed sample of the current space's vectors."""

    # --- embedding spaces ----------------------------------------------------------------------------------

    async def spaces(self) -> list[EmbeddingSpace]:
        """List the embedding spaces that the store knows, the current one first."""
        self.check_usable()
        return await self._spaces()

    async def current_space(self) -> EmbeddingSpace | None:
        """Return the space that searches use, if vectors were ever asked for."""
        return next((space for space in await self.spaces() if space.current), None)

    async def add_space(self, space: EmbeddingSpace) -> EmbeddingSpace:
        """Make a space known; it becomes the current one if it is the first.

        Args:
            space: the space to add.

        Returns:
            The space with its id. One with the same fingerprint and template version is returned as it is.
        """
        for known in await self.spaces():
            if known.same_as(space):
                return known  # without a lock: every search asks
        self.check_writable()
        return await self._add_space(space)

    async def switch_space(self, space: EmbeddingSpace) -> None:
        """Make a space the current one and rebuild what is derived from it, at once or not at all.

        Args:
            space: a space that the store knows.

        Raises:
            ValidationError: the store does not know it.
        """
        self.check_writable()
        await self._switch_space(space)

    @abstractmethod
    async def _spaces(self) -> list[EmbeddingSpace]:
        """List the embedding spaces, the current one first."""

    @abstractmethod
    async def _add_space(self, space: EmbeddingSpace) -> EmbeddingSpace:
        """Make a space known, unless somebody was faster, and return it with its id."""

    @abstractmethod
    async def _switch_space(self, space: EmbeddingSpace) -> None:
        """Make a space the current one."""

    # --- pending embeddings --------------------------------------------------------------------------------

    async def pending(
        self, limit: int, space: EmbeddingSpace | None = None, *, failed: bool | None = None
    ) -> list[MemoryRecord]:
        """List active, unexpired memories without vectors.

        Args:
            limit: how many at most.
            space: the embedding space; None for the current one. Before there is any space, all are pending.
            failed: only those whose text could not be embedded (an `Attempt` of it has a reason), or with False only
                the others.

        Returns:
            The memories, newest first.
        """
        self.check_usable()
        return await self._pending(limit, space, failed)

    async def pending_count(self, space: EmbeddingSpace | None = None, *, failed: bool | None = None) -> int:
        """Count what `pending` would list.

        Args:
            space: as for `pending`.
            failed: as for `pending`.

        Returns:
            How many memories.
        """
        self.check_usable()
        return await self._pending_count(space, failed)

    async def put_vectors(self, space: EmbeddingSpace, vectors: Mapping[TextHash, Sequence[Vector]]) -> None:
        """Store the vectors of embedded texts; those that are there already stay as they are.

        What was kept of attempts at these texts is deleted.

        Args:
            space: the embedding space.
            vectors: by hash of the text, the vectors of its segments.

        Raises:
            ValidationError: the space is not known, or a vector does not belong to it.
        """
        self.check_writable()
        await self._put_vectors(space, vectors)

    async def attempts(self, space: EmbeddingSpace, digests: Collection[TextHash]) -> dict[TextHash, Attempt]:
        """Return what is remembered of texts that are not embedded whole.

        Args:
            space: the embedding space.
            digests: the hashes of the texts.

        Returns:
            The attempts by hash; the other texts are left out.
        """
        self.check_usable()
        return await self._attempts(space, digests)

    async def kept_segments(self, space: EmbeddingSpace, digest: TextHash) -> list[Vector]:
        """Return the vectors kept of a text that is not embedded whole.

        Args:
            space: the embedding space.
            digest: the hash of the text.

        Returns:
            The vectors, in order; none if any cannot be read.
        """
        self.check_usable()
        return await self._kept_segments(space, digest)

    async def keep_attempts(
        self,
        space: EmbeddingSpace,
        attempts: Mapping[TextHash, Attempt],
        vectors: Mapping[TextHash, Sequence[Vector]] | None = None,
    ) -> None:
        """Remember how far texts have come.

        What does not follow upon what is kept (`Attempt.follows`) is left out: somebody else was faster. An attempt
        is deleted with the last memory that has its text.

        Args:
            space: the embedding space.
            attempts: the attempts by hash of the text.
            vectors: by hash, the vectors that are new since the attempt before.
        """
        self.check_writable()
        await self._keep_attempts(space, attempts, vectors or {})

    @abstractmethod
    async def _pending(
        self, limit: int, space: EmbeddingSpace | None, failed: bool | None
    ) -> list[MemoryRecord]:
        """List active, unexpired memories without vectors, newest first."""

    @abstractmethod
    async def _pending_count(self, space: EmbeddingSpace | None, failed: bool | None) -> int:
        """Count what `_pending` would list."""

    @abstractmethod
    async def _put_vectors(self, space: EmbeddingSpace, vectors: Mapping[TextHash, Sequence[Vector]]) -> None:
        """Store vectors by hash of the text."""

    @abstractmethod
    async def _attempts(
        self, space: EmbeddingSpace, digests: Collection[TextHash]
    ) -> dict[TextHash, Attempt]:
        """Return attempts by hash."""

    @abstractmethod
    async def _kept_segments(self, space: EmbeddingSpace, digest: TextHash) -> list[Vector]:
        """Return the vectors kept of a text."""

    @abstractmethod
    async def _keep_attempts(
        self,
        space: EmbeddingSpace,
        attempts: Mapping[TextHash, Attempt],
        new: Mapping[TextHash, Sequence[Vector]],
    ) -> None:
        """Remember attempts, with the vectors that are new since the attempt before."""
