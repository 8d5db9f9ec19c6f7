"""What an embedder is: text in, unit vectors out, and an identity that says which vectors may be compared.

An implementer fills `prepare`, `_embed`, `_split` and, where texts may be long, `_segments`; the public methods check
what goes in and what comes out, so that no NaN, no zero vector and no vector of a wrong length ever reaches a store,
and turn whatever an engine raises into an `EmbeddingError`.
"""

from __future__ import annotations

import hashlib
import math
from abc import ABC, abstractmethod
from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from agent_memory.errors import AgentMemoryError, ConfigurationError, EmbeddingError, PolicyError
from agent_memory.records import canonical_json
from agent_memory.text.own_vectors import own_texts
from agent_memory.vectors import Vector, split_vectors

if TYPE_CHECKING:
    from numpy.typing import NDArray

type_of_vector = "f"  # float32, little-endian on every machine we run on; `pack` says so if not


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddingIdentity:
    """What decides whether two vectors may be compared."""

    provider: str
    model: str
    revision: str
    """The weights: a sha256 where there is a file, else whatever the provider calls its version, or ''."""
    dimension: int
    pooling: str = ""
    query_prefix: str = ""
    document_prefix: str = ""

    @property
    def fingerprint(self) -> str:
        """A short hash of all that shapes the numbers.

        Where the weights are known by their hash, provider and name do not count: the same file run by
        another engine gives the same vectors.
        """
        weights = [self.revision] if len(self.revision) == 64 else [self.provider, self.model, self.revision]
        split = [*weights, self.dimension, self.pooling, self.query_prefix, self.document_prefix]
        return hashlib.sha256(canonical_json(split).encode()).hexdigest()[:16]

    def __str__(self) -> str:
        return f"{self.provider} ({self.model}, {self.dimension} dimensions)"


class IdentityLike(Protocol):
    """What an identity and a store's record of one have in common."""

    @property
    def provider(self) -> str: ...
    @property
    def model(self) -> str: ...
    @property
    def revision(self) -> str: ...
    @property
    def dimension(self) -> int: ...
    @property
    def pooling(self) -> str: ...
    @property
    def query_prefix(self) -> str: ...
    @property
    def document_prefix(self) -> str: ...


class Embedder(ABC):
    """Turns texts into unit vectors. Use `prepare` first; everything else may then be called at any time."""

    provider: ClassVar[str]
    options: ClassVar[frozenset[str]] = frozenset()
    """The keys of `embedding_config` that this embedder knows."""
    uses_network: ClassVar[bool] = False
    """Whether a server embeds the text, which may be on another machine."""

    shares_model: bool = False
    """Whether other embedders of this process may use its model; set on those that are made from settings."""

    def __init__(self, **options: Any) -> None:
        unknown = sorted(options.keys() - self.options)
        if unknown:
            raise ConfigurationError.unknown(
                f"embedding_config key for {self.provider}", unknown[0], sorted(self.options) or ["(none)"]
            )
        self.settings: Mapping[str, Any] = options

    @property
    def leaves_machine(self) -> bool:
        """Whether texts go to another machine, or may: then the setting `offline` forbids this embedder."""
        return self.uses_network

    def check_allowed(self, *, offline: bool) -> None:
        """Raise PolicyError if it uses the network and may not."""
        if offline and self.leaves_machine:
            raise PolicyError.offline(f"the embedder {self.provider}")

    @classmethod
    def options_from(cls, identity: IdentityLike) -> dict[str, Any]:
        """Return the options that make an embedder of that identity again.

        Addresses, keys and folders are no part of an identity: they come from the user's settings, never from
        a store, which may be somebody else's file.
        """
        return {}

    # --- what an implementer fills -------------------------------------------------------------------------

    @abstractmethod
    async def prepare(self) -> None:
        """Make `identity` known and check that the model is at hand, without loading more than that needs.

        Raises:
            ModelMissingError: the model's files are not on this machine.
            MissingDependencyError: a package that it needs is not installed.
        """

    @property
    @abstractmethod
    def identity(self) -> EmbeddingIdentity:
        """Which vectors these are. Known once `prepare` has returned."""

    @abstractmethod
    async def _embed(self, texts: Sequence[str], *, query: bool) -> Sequence[bytes]:
        """Embed texts that fit the model, in the order given; each result as `pack` makes it."""

    def _split_into_parts(self, text: str) -> list[str]:
        """Cut a text into long consecutive parts without looking at it closely; each is then cut by itself.

        So a book is cut into segments bit by bit, as they are embedded. The same text is always cut alike.

        Returns:
            The parts, which joined are the text.
        """
        return [text]

    def _split(self, text: str) -> list[str]:
        """Cut a part into consecutive segments that the model reads whole. All of it is in some segment."""
        return [text]

    async def _split_all(self, texts: Sequence[str]) -> list[list[str]]:
        """Cut several segments; overridden where cutting takes so long that it belongs in a thread."""
        return [self._split(text) or [text] for text in texts]

    def language_coverage(self, text: str) -> float:
        """Return how much of a text this model understands, in [0, 1]; below .5 its cosine means nothing."""
        return 1.0

    @property
    def reads_only_english(self) -> bool:
        """Whether it was trained on English alone, so that it reads other languages in the same letters badly."""
        return False

    async def close(self) -> None:  # noqa: B027 - most have nothing to release
        """Release connections and memory."""

    # --- what callers use ----------------------------------------------------------------------------------

    def parts(self, text: str) -> list[str]:
        """Cut a text into the parts that are cut into segments one by one; at least one. Cheap for any length.

        Returns:
            The parts, and behind them what is embedded by itself as well (`text.own_vectors`).
        """
        return [*(self._split_into_parts(text) or [text]), *own_texts(text).texts]

    async def split_parts(self, parts: Sequence[str]) -> list[list[str]]:
        """Cut each part into the segments that will be embedded one by one; at least one each."""
        return await self._split_all(parts)

    async def split(self, text: str) -> list[str]:
        """Cut a text into the segments that will be embedded one by one; at least one."""
        return [segment for segments in await self._split_all(self.parts(text)) for segment in segments]

    async def embed_query(self, text: str) -> Vector:
        """Embed what is asked. A query longer than the model reads is represented by its first segment.

        Returns:
            The vector: float32, little endian, of unit length.

        Raises:
            EmbeddingError: it could not be embedded.
        """
        return (await self.embed_queries([text]))[0]

    async def embed_queries(self, texts: Sequence[str]) -> list[Vector]:
        """Embed several queries at once, each as `embed_query` does.

        Returns:
            For each its vector: float32, little endian, of unit length.

        Raises:
            EmbeddingError: one of them could not be embedded.
        """
        segments = await self._split_all([self.parts(text)[0] for text in texts])
        return await self._vectors([split[0] for split in segments], query=True)

    async def embed_documents(self, texts: Sequence[str]) -> list[list[Vector]]:
        """Embed what is stored: for each text the vectors of its segments, in order, at least one.

        Returns:
            For each text its vectors: float32, little endian, of unit length.

        Raises:
            EmbeddingError: one of them could not be embedded.
        """
        parts = [self.parts(text) for text in texts]
        cut = iter(await self._split_all([part for split in parts for part in split]))
        segments = [[segment for _ in split for segment in next(cut)] for split in parts]
        vectors = iter(await self.embed_segments([segment for text in segments for segment in text]))
        return [[next(vectors) for _ in text] for text in segments]

    async def embed_segments(self, segments: Sequence[str]) -> list[Vector]:
        """Embed segments that the model reads whole, as `split` cuts them: one unit vector each, float32.

        Returns:
            One vector for each segment, in order.

        Raises:
            EmbeddingError: one of them could not be embedded.
        """
        return await self._vectors(segments, query=False) if segments else []

    async def _vectors(self, segments: Sequence[str], *, query: bool) -> list[Vector]:
        identity = self.identity
        try:
            answer = await self._embed(segments, query=query)
        except AgentMemoryError:
            raise
        except Exception as error:  # an engine raises what it likes, for one strange text among many
            raise EmbeddingError(f"{identity} failed: {type(error).__name__}: {one_line(error)}") from error
        return checked(answer, len(segments), identity)


def one_line(error: BaseException) -> str:
    """Return what an error says, on one line of at most 200 characters."""
    return " ".join(str(error).split())[:200] or type(error).__name__


def checked(vectors: Sequence[bytes], expected: int, identity: EmbeddingIdentity) -> list[Vector]:
    """Return an embedder's answer, each vector of length 1, if it is one.

    Raises:
        EmbeddingError: there are too few or too many vectors, or one has another dimension than the identity says, is
            all zero, or holds NaN or infinity.
    """
    if len(vectors) != expected:
        raise EmbeddingError(f"{identity} returned {len(vectors)} vectors for {expected} texts")
    for vector in vectors:
        if not isinstance(vector, bytes) or len(vector) % 4:
            raise EmbeddingError(f"{identity} returned something that is no vector")
        if len(vector) != 4 * identity.dimension:
            raise EmbeddingError(
                f"{identity} returned a vector of {len(vector) // 4} dimensions",
                hint="set `dimensions` in embedding_config to what the model gives",
            )
    import numpy

    rows = numpy.frombuffer(b"".join(vectors), "<f4").reshape(len(vectors), -1)
    lengths = numpy.sqrt(numpy.einsum("ij,ij->i", rows, rows, dtype=numpy.float64))
    if (abs(lengths - 1.0) <= _UNIT).all():
        return [Vector(vector) for vector in vectors]
    return pack_rows(rows)


def pack(values: Sequence[float], *, dimension: int | None = None) -> Vector:
    """Normalise a vector to length 1 and write it as little-endian float32.

    Returns:
        The vector.

    Raises:
        EmbeddingError: it has another dimension than asked for, is all zero, or holds NaN or infinity.
    """
    if dimension is not None and len(values) != dimension:
        raise EmbeddingError(
            f"the vector has {len(values)} dimensions, not {dimension}",
            hint="use the model that the store was made with",
        )
    try:
        length = math.sqrt(math.fsum(value * value for value in values))
    except (TypeError, OverflowError) as error:
        raise EmbeddingError("the vector holds something that is not a number") from error
    if not math.isfinite(length) or length == 0.0:
        raise EmbeddingError("the vector is all zero, or holds NaN or infinity", hint="check what made it")
    packed = array(type_of_vector, [value / length for value in values])
    if packed.itemsize != 4 or not _LITTLE:
        packed.byteswap()
    return Vector(packed.tobytes())


def pack_many(vectors: Sequence[Any], *, dimension: int) -> list[Vector]:
    """Do what `pack` does for many vectors; arrays of numpy's all at once.

    Returns:
        The vectors, in order.

    Raises:
        EmbeddingError: as in `pack`; the message says which one it was.
    """
    if vectors and all(hasattr(vector, "astype") and vector.shape == (dimension,) for vector in vectors):
        import numpy

        return pack_rows(numpy.stack(list(vectors)))
    packed = []
    for number, vector in enumerate(vectors, 1):
        try:
            packed.append(pack(vector, dimension=dimension))
        except EmbeddingError as error:
            if len(vectors) == 1:
                raise
            raise EmbeddingError(f"vector {number}: {error.message}", hint=error.hint) from error
    return packed


def pack_rows(rows: NDArray[Any]) -> list[Vector]:
    """Do what `pack` does for each row of a matrix, without a Python loop over its numbers.

    Returns:
        One vector for each row.

    Raises:
        EmbeddingError: a row is all zero, or holds NaN or infinity.
    """
    import numpy

    # In float64 a float16 or float32 row can neither overflow nor lose length to rounding.
    lengths = numpy.sqrt(numpy.einsum("ij,ij->i", rows, rows, dtype=numpy.float64))
    if not (numpy.isfinite(lengths).all() and lengths.all()):
        raise EmbeddingError("the vector is all zero, or holds NaN or infinity", hint="check what made it")
    data = (rows / lengths[:, None]).astype("<f4").tobytes()
    return split_vectors(data, rows.shape[1])


_UNIT = 1e-3
"""How far from 1 the length of a vector may be that counts as normalised."""
_LITTLE = array("H", [1]).tobytes() == b"\x01\x00"
