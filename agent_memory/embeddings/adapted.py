"""Any object that embeds texts, as an embedder: what other libraries and programs have already."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any, ClassVar, Protocol, runtime_checkable

from agent_memory.embeddings.base import Embedder, EmbeddingIdentity, pack_many
from agent_memory.embeddings.registry import AN_OBJECT
from agent_memory.embeddings.threads import in_worker
from agent_memory.errors import EmbeddingError

_PROBE = "dimension"
"""A text that is embedded once, to learn the dimension."""
_MODEL_NAMES = ("model_name", "model", "model_id", "name")
"""Attributes that say which model an object runs."""


@runtime_checkable
class TextEmbedder(Protocol):
    """An object that embeds texts, as LangChain's embeddings do; its methods may also be coroutines.

    With an attribute `uses_network` that is True, the setting `offline` forbids it.
    """

    def embed_documents(self, texts: list[str], /) -> Any:
        """Embed what is stored: a vector for each text, as a list of floats or an array of numpy."""

    def embed_query(self, text: str, /) -> Any:
        """Embed what is asked: one vector."""


class AdaptedEmbedder(Embedder):
    """Embeds with an object that has `embed_documents` and `embed_query`. Vectors are brought to length 1.

    Its identity is the object's class, with the name of its model where it has one, and the dimension of its first
    vector: name the model differently when the vectors change. Ordinary methods run in a thread.
    """

    provider: ClassVar[str] = AN_OBJECT

    def __init__(self, embedder: TextEmbedder) -> None:
        super().__init__()
        self._wrapped = embedder
        self._identity: EmbeddingIdentity | None = None

    @property
    def leaves_machine(self) -> bool:
        """Whether the object says that it uses the network."""
        return bool(getattr(self._wrapped, "uses_network", False))

    async def prepare(self) -> None:
        """Embed one word, to learn the dimension.

        Raises:
            EmbeddingError: the object failed, or returned no vector.
        """
        if self._identity is None:
            (vector,) = await self._embedded([_PROBE], query=True)
            self._identity = EmbeddingIdentity(
                provider=self.provider, model=_model_of(self._wrapped), revision="", dimension=len(vector)
            )

    @property
    def identity(self) -> EmbeddingIdentity:
        """Which vectors these are.

        Raises:
            EmbeddingError: `prepare` was not called yet.
        """
        if self._identity is None:
            raise EmbeddingError("the embedder is not prepared", hint="call prepare() first")
        return self._identity

    async def _embed(self, texts: Sequence[str], *, query: bool) -> Sequence[bytes]:
        return pack_many(await self._embedded(texts, query=query), dimension=self.identity.dimension)

    async def _embedded(self, texts: Sequence[str], *, query: bool) -> list[Any]:
        if query:
            return [await self._call(self._wrapped.embed_query, text) for text in texts]
        return list(await self._call(self._wrapped.embed_documents, list(texts)))

    async def _call(self, method: Any, argument: Any) -> Any:
        try:
            if inspect.iscoroutinefunction(method):
                return await method(argument)
            result = await in_worker(method, argument)
            return await result if inspect.isawaitable(result) else result
        except Exception as error:
            name = type(self._wrapped).__name__
            raise EmbeddingError(f"{name} failed: {type(error).__name__}: {error}") from error


def _model_of(embedder: TextEmbedder) -> str:
    kind = type(embedder)
    name = f"{kind.__module__}.{kind.__qualname__}"
    for attribute in _MODEL_NAMES:
        model = getattr(embedder, attribute, None)
        if isinstance(model, str) and model:
            return f"{name}({model})"
    return name


def as_embedder(embedder: Embedder | TextEmbedder) -> Embedder:
    """Return an embedder as it is, and any other object adapted."""
    return embedder if isinstance(embedder, Embedder) else AdaptedEmbedder(embedder)
