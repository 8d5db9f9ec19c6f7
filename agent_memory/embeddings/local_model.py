"""all-MiniLM-L6-v2 at work: threads of its own that embed what all its users ask for, together.

Whoever wants vectors puts texts into a queue and waits once. What waits when a thread is free is embedded in one
run, as far as it fits: of many agents and tasks that each want one text, the model reads twenty at once. Nobody is
served twice before everybody was served once, so a question waits for one run of a bulk and not for all of it.
"""

from __future__ import annotations

import contextlib
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from agent_memory.embeddings import telemetry
from agent_memory.embeddings.base import one_line, pack_rows
from agent_memory.embeddings.dequantisation import read_model
from agent_memory.embeddings.segments import well_formed
from agent_memory.embeddings.sharing import SharedModel, loading
from agent_memory.embeddings.threads import usable_cores
from agent_memory.embeddings.token_vectors import TokenVectorCache
from agent_memory.errors import EmbeddingError, ModelMissingError
from agent_memory.filesystem import MORE_OPEN_FILES, is_out_of_descriptors
from agent_memory.hints import Hint

if TYPE_CHECKING:
    import asyncio
    from concurrent.futures import ThreadPoolExecutor

    from numpy.typing import NDArray
    from tokenizers import Encoding, Tokenizer

TOKENS = 256
ROOM = TOKENS - 2  # for [CLS] and [SEP]
_CLS, _SEP = 101, 102

# Tokens in one run, padding included, and texts. Measured on two cores: 2,300-2,400 tokens a second with 256 or
# 512 in a run, 1,900 with 2,048: beyond, the activations no longer fit the cache.
_RUN_TOKENS = 384
_RUN_TEXTS = 32
_LEAST_TOKENS = 96
"""Each run reads all weights, which takes as long as some ten tokens: so a bulk is not parted further than this."""
_MOST_THREADS = 16


class _Output(NamedTuple):
    """What the model makes of one text."""

    vector: bytes
    """The mean over its tokens, at length 1."""
    tokens: NDArray[Any]
    """The last hidden state of each token, [CLS] and [SEP] left out; a view of all that one run gave."""

    @property
    def token_vectors(self) -> NDArray[Any]:
        """Each token's vector at length 1, in half precision: a cosine of two is off by .001 at most."""
        import numpy

        lengths = numpy.sqrt(numpy.einsum("ij,ij->i", self.tokens, self.tokens))
        vectors: NDArray[Any] = (self.tokens / lengths[:, None]).astype(numpy.float16)
        return vectors


class _Job:
    """Texts that one caller waits for.

    Args:
        texts: what is to be embedded.
        waiting: gets the results.
        by_token: whether a result is a matrix of token vectors instead of one vector.
    """

    def __init__(self, texts: Sequence[str], waiting: asyncio.Future[list[Any]], *, by_token: bool) -> None:
        self.texts = texts
        self.waiting = waiting
        self.by_token = by_token
        self.tokens: list[list[int]] = []
        self.batches: deque[list[int]] = deque()
        """Texts that no run has taken yet, by their place, as they go into runs."""
        self.left = 0
        """Batches that are not embedded yet, those under way included."""
        self.results: list[Any] = [b""] * len(texts)
        self.error: BaseException | None = None

    @property
    def over(self) -> bool:
        """Whether nothing is left to do, or nobody waits any more."""
        return not self.left or self.error is not None or self.waiting.cancelled()

    def read(self, encode: Callable[..., Encoding], threads: int) -> None:
        """Turn the texts into tokens, and part them into batches."""
        encoded = (encode(well_formed(text), add_special_tokens=False) for text in self.texts)
        self.tokens = [item.ids[:ROOM] for item in encoded]
        self.batches.extend(_batches(self.tokens, threads))
        self.left = len(self.batches)


_Part = tuple[_Job, list[int]]
"""Texts of one job that go into a run, by their place."""


class LocalModel(SharedModel):
    """The model, once it is needed, and the threads in which it runs.

    Args:
        path: its file.
        tokenizer: returns the tokenizer, which is loaded when it is first called.
        check: called with the path before the file is opened; raises if it is not the one that was asked for.
        threads: how many runs may go on at once; None: one per core that this process may use.
    """

    def __init__(
        self,
        path: Path,
        tokenizer: Callable[[], Tokenizer],
        check: Callable[[Path], object],
        threads: int | None = None,
    ) -> None:
        self.path = path
        self._tokenizer = tokenizer
        self._check = check
        self._threads = threads or min(usable_cores(), _MOST_THREADS)
        super().__init__()

    def begin(self) -> None:
        """Start anew, unloaded."""
        self._turn = threading.Lock()
        """Held for moments only, while the next four change."""
        self._inbox: list[_Job] = []
        self._ready: deque[_Job] = deque()
        self._running = 0
        self._pool: ThreadPoolExecutor | None = None
        self._opening = threading.Lock()
        self._session: Any = None
        self._kept = TokenVectorCache()

    @property
    def session(self) -> object:
        """What is loaded."""
        return self._session

    async def embed(self, texts: Sequence[str]) -> list[bytes]:
        """Embed texts, with whatever others ask for meanwhile.

        Returns:
            One vector for each text, in order.

        Raises:
            ModelMissingError: the model's file cannot be loaded.
            EmbeddingError: no thread can be started.
        """
        vectors: list[bytes] = await self._results(texts, by_token=False)
        return vectors

    async def token_vectors(self, texts: Sequence[str]) -> list[NDArray[Any]]:
        """Embed each token of each text by itself.

        Returns:
            For each text a matrix in float16, with one row of length 1 for each of its first 254 tokens.

        Raises:
            ModelMissingError: the model's file cannot be loaded.
            EmbeddingError: no thread can be started.
        """
        matrices = {text: matrix for text in texts if (matrix := self._kept.get(text)) is not None}
        missing = [text for text in dict.fromkeys(texts) if text not in matrices]
        if missing:
            for text, made in zip(missing, await self._results(missing, by_token=True), strict=True):
                matrices[text] = made
                self._kept.put(text, made)
        return [matrices[text] for text in texts]

    async def _results(self, texts: Sequence[str], *, by_token: bool) -> list[Any]:
        import asyncio

        job = _Job(texts, asyncio.get_running_loop().create_future(), by_token=by_token)
        with self._turn:
            self._inbox.append(job)
            self._call(1)
        return await job.waiting

    def _call(self, wanted: int) -> None:
        """Have so many more threads at work, if there are as many; call it under `_turn`."""
        try:
            for _ in range(min(wanted, self._threads - self._running)):
                if self._pool is None:
                    from concurrent.futures import ThreadPoolExecutor

                    self._pool = ThreadPoolExecutor(self._threads, "agentmem-model")
                self._pool.submit(self._work)
                self._running += 1
        except RuntimeError as error:  # no memory for a thread, or the interpreter is about to end
            self._pool = None
            if not self._running:
                self._inbox.clear()
                raise EmbeddingError(f"the model has no thread to run in: {error}") from error

    # --- in a thread -------------------------------------------------------------------------------------------

    def _work(self) -> None:
        parts: list[_Part] | None = None
        try:
            while (parts := self._next()) is not None:
                self._embed(parts)
                self._settle(parts)
        except BaseException as error:  # whatever happens here, somebody waits
            with self._turn:
                jobs = [*self._inbox, *self._ready, *(job for job, _ in parts or ())]
                self._inbox.clear()
                self._ready.clear()
                self._running -= 1
            for job in jobs:
                job.error = job.error or error
            _answer(jobs)

    def _next(self) -> list[_Part] | None:
        """Take in what came meanwhile and return what is to be embedded now; None where nothing is left."""
        while True:
            with self._turn:
                new, self._inbox = self._inbox, []
                if not new:
                    parts = _next_run(self._ready)
                    if parts is None:
                        self._running -= 1
                    else:
                        self._call(len(self._ready))
                    return parts
            self._read(new)
            _answer([job for job in new if job.over])
            with self._turn:
                self._ready.extend(job for job in new if not job.over)

    def _settle(self, parts: Sequence[_Part]) -> None:
        with self._turn:
            for job, _ in parts:
                job.left -= 1
        _answer([job for job, _ in parts if job.over])

    def _read(self, jobs: Sequence[_Job]) -> None:
        """Turn texts into token ids, and have the session opened meanwhile."""
        opener: threading.Thread | None = None
        if self._session is None:
            with contextlib.suppress(RuntimeError):  # without another thread it is opened afterwards
                opener = threading.Thread(target=self._open_quietly, name="agentmem-opener")
                opener.start()
        try:
            encode = self._tokenizer().encode
            for job in jobs:
                try:
                    job.read(encode, self._threads)
                except Exception as error:
                    job.error = error
        finally:
            if opener is not None and opener.ident is not None:
                opener.join()

    def _embed(self, parts: Sequence[_Part]) -> None:
        """Embed texts of several jobs in one run; where that fails, each job's alone."""
        try:
            session = self._open()
        except Exception as error:
            for job, _ in parts:
                job.error = error
            return
        try:
            outputs = iter(
                self._run(session, [job.tokens[position] for job, places in parts for position in places])
            )
        except Exception as error:
            if len(parts) > 1:
                for part in parts:
                    self._embed([part])
            else:
                parts[0][0].error = error
            return
        for job, places in parts:
            for position in places:
                output = next(outputs)
                job.results[position] = output.token_vectors if job.by_token else output.vector

    def _run(self, session: Any, batch: Sequence[list[int]]) -> list[_Output]:
        """Embed token ids: the mean over each text's tokens, [CLS] and [SEP] among them, at length 1; and each."""
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
        vectors = pack_rows(numpy.matmul(mask[:, None, :].astype(numpy.float32), hidden)[:, 0])
        states = (hidden[row, 1 : len(tokens) + 1] for row, tokens in enumerate(batch))
        return list(map(_Output, vectors, states))

    # --- the session -------------------------------------------------------------------------------------------

    def _open_quietly(self) -> None:
        """Open ahead of need; what goes wrong is raised where the session is asked for."""
        with contextlib.suppress(Exception):
            self._open()

    def _open(self) -> Any:
        """Return the session, opening it if there is none."""
        with self._opening:
            if self._session is None:
                with loading():
                    self._session = self._new_session()
            return self._session

    def _new_session(self) -> Any:
        self._check(self.path)
        try:
            telemetry.decline()
            import onnxruntime

            options = onnxruntime.SessionOptions()
            # As the weights are read, a run takes as long without graph optimisation, which takes as long as six.
            options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
            # A run has one thread, and several runs go on at once: that takes a fifth less of the processor for one
            # text than two threads that wait for each other, and as little for a bulk.
            options.intra_op_num_threads = 1
            options.log_severity_level = 4  # what goes wrong is raised, and need not be printed as well
            return onnxruntime.InferenceSession(
                read_model(self.path), options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:
            raise ModelMissingError(
                f"{self.path} cannot be loaded: {one_line(error)}",
                hint=MORE_OPEN_FILES
                if is_out_of_descriptors(error)
                else Hint(
                    "check that there is enough memory; {VERIFY_MODEL} reads the file again", name="local"
                ),
            ) from error


def _next_run(ready: deque[_Job]) -> list[_Part] | None:
    """Take the texts of the next run: the next batch of the first job, and of others what fits beside it.

    Others whose texts are about as long come first, so that little is padding. Only what is small goes along: the
    batches of a bulk are full already. A job that is not done stands behind the others then.

    Returns:
        The texts of the run; None where nothing waits.
    """
    waiting = [job for job in ready if not job.over]
    ready.clear()
    if not waiting:
        return None
    first = waiting.pop(0)
    parts = [(first, first.batches.popleft())]
    width, count = _width(parts[0]), len(parts[0][1])
    others = [(job, job.batches[0]) for job in waiting if len(job.batches) == 1]
    for part in sorted(others, key=lambda part: abs(_width(part) - width)):
        wider, more = max(width, _width(part)), count + len(part[1])
        if more * wider > _RUN_TOKENS or more > _RUN_TEXTS:
            break
        part[0].batches.popleft()
        parts.append(part)
        width, count = wider, more
    ready.extend(job for job in (*waiting, first) if job.batches)
    return parts


def _width(part: _Part) -> int:
    job, places = part
    return len(job.tokens[places[-1]]) + 2  # the longest is the last


def _batches(encoded: Sequence[list[int]], threads: int) -> Iterator[list[int]]:
    """Group texts of like length, as indexes, shortest first: little is padding then, and every thread has some."""
    share = sum(len(tokens) + 2 for tokens in encoded) // threads
    room = max(_LEAST_TOKENS, min(_RUN_TOKENS, share))
    batch: list[int] = []
    for index in sorted(range(len(encoded)), key=lambda index: len(encoded[index])):
        if batch and ((len(batch) + 1) * (len(encoded[index]) + 2) > room or len(batch) == _RUN_TEXTS):
            yield batch
            batch = []
        batch.append(index)
    if batch:
        yield batch


def _answer(jobs: Sequence[_Job]) -> None:
    """Wake those who wait for these jobs, each event loop once."""
    by_loop: dict[asyncio.AbstractEventLoop, list[_Job]] = {}
    for job in jobs:
        by_loop.setdefault(job.waiting.get_loop(), []).append(job)
    for loop, theirs in by_loop.items():
        with contextlib.suppress(RuntimeError):  # the loop was closed meanwhile
            loop.call_soon_threadsafe(_deliver, theirs)


def _deliver(jobs: Sequence[_Job]) -> None:
    for job in jobs:
        if job.waiting.done():
            continue
        if job.error is not None:
            job.waiting.set_exception(job.error)
        else:
            job.waiting.set_result(job.results)
