"""Vectors by embedding space and hash of the embedded text, compared one by one."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from agent_memory.errors import ValidationError
from agent_memory.storage.attempts import Attempt
from agent_memory.storage.base import EmbeddingSpace

if TYPE_CHECKING:
    from agent_memory.text.templates import TextHash
    from agent_memory.vectors import Vector


class VectorShelf:
    """All embedding spaces and their vectors."""

    def __init__(self) -> None:
        self._spaces: dict[int, EmbeddingSpace] = {}
        self._segments: dict[int, dict[TextHash, list[Vector]]] = {}
        self._begun: dict[int, dict[TextHash, tuple[Attempt, list[Vector]]]] = {}

    def spaces(self) -> list[EmbeddingSpace]:
        """List all spaces, the current one first."""
        return sorted(self._spaces.values(), key=lambda space: (not space.current, space.id))

    def current(self) -> EmbeddingSpace | None:
        """Return the space that searches use."""
        return next((space for space in self._spaces.values() if space.current), None)

    def add_space(self, space: EmbeddingSpace) -> EmbeddingSpace:
        """Make a space known; the first one is current."""
        for known in self._spaces.values():
            if known.same_as(space):
                return known
        number = len(self._spaces) + 1
        self._spaces[number] = replace(space, id=number, current=not self._spaces)
        self._segments[number], self._begun[number] = {}, {}
        return self._spaces[number]

    def switch(self, space: EmbeddingSpace) -> None:
        """Make a space the current one."""
        chosen = self._known(space)
        for number, item in self._spaces.items():
            self._spaces[number] = replace(item, current=item.id == chosen.id)

    def put(self, space: EmbeddingSpace | None, vectors: Mapping[TextHash, Sequence[Vector]]) -> None:
        """Keep the vectors of texts that have none yet."""
        space = self._known(space)
        for segments in vectors.values():
            _check_dimension(space, segments)
        for digest, segments in vectors.items():
            self._segments[space.id].setdefault(digest, list(segments))
            self._begun[space.id].pop(digest, None)

    def segments(self, space: EmbeddingSpace | None) -> Mapping[TextHash, Sequence[Vector]]:
        """Return the vectors of a space, or of the current one; none where there is no space."""
        space = space or self.current()
        return {} if space is None else self._segments[self._known(space).id]

    def nearest(self, vector: Vector, digests: Collection[TextHash]) -> dict[TextHash, float]:
        """Return, for each of these texts in the current space, the cosine of its nearest segment."""
        space = self.current()
        if space is None or not digests:
            return {}
        _check_dimension(space, [vector])
        import numpy as np

        segments = self._segments[space.id]
        flat = b"".join(segment for digest in digests for segment in segments[digest])
        cosines = np.frombuffer(flat, "<f4").reshape(-1, space.dimension) @ np.frombuffer(vector, "<f4")
        result, start = {}, 0
        for digest in digests:
            end = start + len(segments[digest])
            result[digest] = float(cosines[start:end].max())
            start = end
        return result

    def sample(self, limit: int) -> list[Vector]:
        """Return vectors spread evenly over the oldest 1, 2, 4, 8, ... so that they stay until all double."""
        vectors = [segment for segments in self.segments(None).values() for segment in segments]
        if not vectors or limit < 1:
            return []
        settled = 1 << (len(vectors).bit_length() - 1)
        return vectors[: settled : -(-settled // limit)]

    def forget(self, digests: Collection[TextHash]) -> None:
        """Forget the vectors of these texts in every space."""
        for segments in self._segments.values():
            for digest in digests:
                segments.pop(digest, None)

    # --- texts that are not embedded whole -----------------------------------------------------------------

    def begun(self, space: EmbeddingSpace | None) -> Mapping[TextHash, tuple[Attempt, list[Vector]]]:
        """Return attempts and the vectors kept of them, in a space or the current one."""
        space = space or self.current()
        return {} if space is None else self._begun[self._known(space).id]

    def begin(
        self,
        space: EmbeddingSpace,
        attempts: Mapping[TextHash, Attempt],
        vectors: Mapping[TextHash, Sequence[Vector]],
    ) -> None:
        """Keep attempts that follow upon those kept, and their new vectors."""
        space = self._known(space)
        begun = self._begun[space.id]
        for segments in vectors.values():
            _check_dimension(space, segments)
        for digest, attempt in attempts.items():
            before, kept = begun.get(digest, (Attempt(), []))
            more = list(vectors.get(digest, ()))
            if attempt.follows(before, len(more)) and digest not in self._segments[space.id]:
                begun[digest] = attempt, [*kept, *more] if attempt.kept else []

    def attempted(self, digests: Collection[TextHash]) -> set[TextHash]:
        """Return those of the texts of which an attempt is kept in any space."""
        return {digest for begun in self._begun.values() for digest in begun if digest in digests}

    def give_up(self, digests: Collection[TextHash]) -> None:
        """Forget the attempts at texts that no memory has any more."""
        for begun in self._begun.values():
            for digest in digests:
                begun.pop(digest, None)

    def integrity_errors(self) -> list[str]:
        """Compare what must agree; one line per fault."""
        result = []
        if sum(space.current for space in self._spaces.values()) != bool(self._spaces):
            result.append("there is not exactly one current embedding space")
        for number, by_text in self._segments.items():
            size = 4 * self._spaces[number].dimension
            result += [
                f"text {digest.hex()}: its vectors are not of space {number}"
                for digest, segments in by_text.items()
                if not segments or any(len(segment) != size for segment in segments)
            ]
        return result

    def _known(self, space: EmbeddingSpace | None) -> EmbeddingSpace:
        known = self._spaces.get(space.id) if space is not None else self.current()
        if known is None:
            raise ValidationError("the store does not know this embedding space", hint="call add_space first")
        return known


def _check_dimension(space: EmbeddingSpace, vectors: Sequence[Vector]) -> None:
    for vector in vectors:
        if len(vector) != 4 * space.dimension:
            raise ValidationError(
                f"a vector of {len(vector) // 4} dimensions does not belong to {space}",
                hint="embed with the model of the store",
            )
