"""Any model that fastembed runs, from files on this machine; only `downloads.pull` ever downloads."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from agent_memory import paths
from agent_memory.embeddings import catalog
from agent_memory.embeddings.base import Embedder, EmbeddingIdentity, IdentityLike, pack_rows
from agent_memory.embeddings.catalog import ModelCard
from agent_memory.embeddings.downloads import (
    cache_folder,
    check_weights,
    describe,
    load,
    snapshot,
    text_embedding,
)
from agent_memory.embeddings.segments import parts, split_by_tokens, well_formed
from agent_memory.embeddings.sharing import HeldModel, shared
from agent_memory.embeddings.threads import check_threads, in_worker
from agent_memory.errors import ConfigurationError
from agent_memory.hints import Hint

if TYPE_CHECKING:
    from tokenizers import Tokenizer

    from agent_memory.vectors import Vector

DEFAULT_MODEL = "BAAI/bge-small-en-v1.5"
_LONGEST = 512  # tokens, where a model's files say nothing: what fastembed itself takes for those
_RUN_CHARACTERS = 2_000  # of one run, padding included: about as many tokens as the default embedder takes
_RUN_TEXTS = 32


class FastembedEmbedder(Embedder):
    """Any model of fastembed's, with the prefixes it was trained with.

    Options:
        model: its name; `BAAI/bge-small-en-v1.5` if left out.
        path: a folder with its files, used instead of the cache.
        query_prefix, document_prefix: what is put before a text, if not what the model's card says.
        threads: how many threads a run may use; by default one per core that this process may use.
        cache_dir: the folder of downloaded models, instead of our own.
    """

    provider: ClassVar[str] = "fastembed"
    options: ClassVar[frozenset[str]] = frozenset(
        {"model", "path", "query_prefix", "document_prefix", "threads", "cache_dir"}
    )

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        check_threads(options.get("threads"))
        self._identity: EmbeddingIdentity | None = None
        self._card: ModelCard | None = None
        self._folder = Path()
        self._model: HeldModel | None = None
        self._tokenizer: Tokenizer | None = None
        self._room = _LONGEST

    @classmethod
    def options_from(cls, identity: IdentityLike) -> dict[str, Any]:
        """Return the model's name and the prefixes of that identity."""
        return {
            "model": identity.model,
            "query_prefix": identity.query_prefix,
            "document_prefix": identity.document_prefix,
        }

    async def prepare(self) -> None:
        """Find the model's files and hash them, the first time; never downloads, and loads no model."""
        if self._identity is None:
            self._card, self._folder, self._identity = await in_worker(self._find)

    def _find(self) -> tuple[ModelCard, Path, EmbeddingIdentity]:
        cache = cache_folder(self.settings.get("cache_dir"))
        card = describe(self.settings.get("model") or DEFAULT_MODEL, cache)
        if card.purpose != "embed":
            raise ConfigurationError(
                Hint("{name} makes no vectors: it is for {RERANK}", name=card.name),
                hint=Hint("{MODELS}  names others"),
            )
        path = self.settings.get("path")
        folder = paths.expanded(path) if path else snapshot(card, cache)
        query, document = catalog.prefixes(card.name)
        identity = EmbeddingIdentity(
            provider=self.provider,
            model=card.name,
            revision=check_weights(card, folder),
            dimension=card.dimension,
            pooling=card.pooling,
            query_prefix=_first(self.settings.get("query_prefix"), query),
            document_prefix=_first(self.settings.get("document_prefix"), document),
        )
        return card, folder, identity

    @property
    def identity(self) -> EmbeddingIdentity:
        """Which vectors these are. Known once `prepare` has returned."""
        if self._identity is None:
            raise RuntimeError("call `await embedder.prepare()` first")
        return self._identity

    async def close(self) -> None:
        """Release the model, which is freed when nobody else uses it; a later call loads it again."""
        self._model = None

    def language_coverage(self, text: str) -> float:
        """Return the share of tokens that the model's vocabulary knows as more than letters."""
        from agent_memory.embeddings.language_coverage import language_coverage_of

        return language_coverage_of(well_formed(text), self._tokenizer_now())

    @property
    def reads_only_english(self) -> bool:
        """Whether the model does, as far as it is known by name."""
        return self._card is not None and self._card.languages == "English"

    def _split_into_parts(self, text: str) -> list[str]:
        return list(parts(text))

    def _split(self, text: str) -> list[str]:
        return split_by_tokens(well_formed(text), self._tokenizer_now(), self._room, verify=True)

    async def _split_all(self, texts: Sequence[str]) -> list[list[str]]:
        return await in_worker(lambda: [self._split(text) for text in texts])

    async def _embed(self, texts: Sequence[str], *, query: bool) -> Sequence[bytes]:
        prefix = self.identity.query_prefix if query else self.identity.document_prefix
        vectors: list[bytes] = [b""] * len(texts)
        for batch in _batches(texts):
            rows = await in_worker(self._run, [prefix + well_formed(texts[index]) for index in batch], query)
            for index, vector in zip(batch, rows, strict=True):
                vectors[index] = vector
        return vectors

    def _run(self, batch: list[str], query: bool) -> list[Vector]:
        model = self._model_now()
        import numpy

        # Some models do more than put a prefix before a query, so each kind goes in by its own door.
        rows = model.query_embed(batch) if query else model.passage_embed(batch)
        return pack_rows(numpy.stack(list(rows)))

    def _tokenizer_now(self) -> Tokenizer:
        """Return a tokenizer that cuts nothing off, made from the model's files alone."""
        if self._tokenizer is None:
            from tokenizers import Tokenizer

            tokenizer = Tokenizer.from_file(str(self._folder / "tokenizer.json"))
            tokenizer.no_truncation()
            tokenizer.no_padding()
            prefix = max(
                len(tokenizer.encode(prefix, add_special_tokens=False).ids)
                for prefix in (self.identity.query_prefix, self.identity.document_prefix)
            )
            special = tokenizer.num_special_tokens_to_add(False)
            self._room = max(8, _longest(self._folder) - special - prefix)
            self._tokenizer = tokenizer
        return self._tokenizer

    def _model_now(self) -> Any:
        holder = self._model
        if holder is None:
            card, folder, identity = self._card, self._folder, self._identity
            if card is None or identity is None:
                raise RuntimeError("call `await embedder.prepare()` first")
            cache = cache_folder(self.settings.get("cache_dir"))
            threads = self.settings.get("threads")

            def model() -> Any:
                return load(text_embedding(), card, folder, cache, threads)

            # The folder counts, since it holds the tokenizer too; prefixes do not, which are put before by us.
            key = (self.provider, card.name, identity.revision, str(folder), threads)
            holder = shared(key, lambda: HeldModel(model)) if self.shares_model else HeldModel(model)
            self._model = holder
        return holder.get()


def _longest(folder: Path) -> int:
    """Return how many tokens a model reads, by the rule fastembed applies when it cuts."""
    try:
        config = json.loads((folder / "tokenizer_config.json").read_bytes())
    except (OSError, ValueError):
        return _LONGEST
    values = [config.get(name) for name in ("model_max_length", "max_length")]
    lengths = [value for value in values if type(value) is int and 0 < value < 1_000_000]
    return min(lengths, default=_LONGEST)


def _batches(texts: Sequence[str]) -> Iterator[list[int]]:
    """Group texts of like length, as indexes, shortest first, so that little is padding."""
    batch: list[int] = []
    for index in sorted(range(len(texts)), key=lambda index: len(texts[index])):
        if batch and ((len(batch) + 1) * len(texts[index]) > _RUN_CHARACTERS or len(batch) == _RUN_TEXTS):
            yield batch
            batch = []
        batch.append(index)
    if batch:
        yield batch


def _first(value: Any, otherwise: str) -> str:
    return otherwise if value is None else str(value)
