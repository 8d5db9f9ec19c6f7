"""Embedding pending texts: segment by segment, so that finished work stays, and no text blocks another.

A text counts as embedded when all of its segments are; until then its vectors are kept apart (`storage.attempts`).
Where an embedder fails, the text that it fails on is found, kept with the reason, and left out until it is asked for
again by `agentmem index`, or until it changes.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, TypeAlias

from agent_memory import clock
from agent_memory.embeddings.base import Embedder
from agent_memory.embeddings.fail_fast import fail_fast
from agent_memory.errors import EmbeddingError, EmbeddingMismatchError, ModelMissingError
from agent_memory.redaction import redacted
from agent_memory.storage.attempts import Attempt
from agent_memory.storage.base import EmbeddingSpace, Store, vector_store

if TYPE_CHECKING:
    from agent_memory.text.templates import TextHash
    from agent_memory.vectors import Vector

Progress = Callable[[int, int], None]
"""Called with (done, total) as long work goes on."""

STEP_SEGMENTS: Final = 256
STEP_BYTES: Final = 16_000
"""What is embedded before it is stored: enough to sort by length, few enough to lose little. About 2 s of the default
model at most."""
SENT_BYTES: Final = 250_000
"""The same with a server: about what one request holds."""
SHORT_STEP_BYTES: Final = 1_500
"""The same while a search waits, with a model on this machine: .1 to .2 s of the default one."""
SHORT_STEP_SEGMENTS: Final = 32
"""The same with a server, where one request takes as long as another."""
PATIENCE: Final = 2.0
"""Seconds in which a search finds out which text an embedder fails on; what is still in doubt is left to `index`."""
SEGMENT_BYTES: Final = 1000
"""Of a segment about which nothing better is known: about the 256 tokens that small models read."""
PROBE: Final = "hello"
"""What any embedder embeds, if it is at work at all."""
_REASON: Final = 300  # characters of a reason that are kept

_NOT_OF_A_TEXT = (EmbeddingMismatchError, ModelMissingError)
Outcome: TypeAlias = "Vector | EmbeddingError"
"""What became of a segment."""


@dataclass(slots=True)
class Budget:
    """How much may be done; None: as much as there is."""

    segments: int | None = None
    seconds: float | None = None


class _Text:
    """One text on its way: which of its segments come next."""

    def __init__(self, digest: TextHash, text: str, parts: Sequence[str], attempt: Attempt) -> None:
        self.digest = digest
        self.attempt = attempt
        self.restarted = 0
        self._parts_of = parts
        self._part, self._segment = attempt.part, attempt.segment
        self._segments: list[str] | None = None
        self.taken: list[tuple[str, int, int]] = []
        """Segments that were taken since the last step, and the place after each."""

    @property
    def uncut(self) -> str | None:
        """The segment that has to be cut next, if it is not cut yet."""
        if self._segments is None and self._part < len(self._parts_of):
            return self._parts_of[self._part]
        return None

    @property
    def over(self) -> bool:
        """Whether all segments were taken."""
        last = self._part == len(self._parts_of) - 1
        return self._part >= len(self._parts_of) or (
            last and self._segments is not None and self._segment >= len(self._segments)
        )

    @property
    def left(self) -> int:
        """About how many segments are left; known for the present segment only."""
        if self._segments is not None and len(self._parts_of) == 1:
            return len(self._segments) - self._segment
        return sum(1 + len(part) // SEGMENT_BYTES for part in self._parts_of[self._part :])

    def cut(self, segments: list[str]) -> None:
        """Take over the segments of the segment in `uncut`."""
        self._segments = segments

    async def next_segment(self, embedder: Embedder) -> str | None:
        """Take the next segment; None if there is no more."""
        while not self.over:
            if (part := self.uncut) is not None:
                (self._segments,) = await embedder.split_parts([part])
            assert self._segments is not None
            if self._segment < len(self._segments):
                self._segment += 1
                self.taken.append((self._segments[self._segment - 1], self._part, self._segment))
                return self.taken[-1][0]
            self._part, self._segment, self._segments = self._part + 1, 0, None
        return None

    def advance(self, count: int) -> Attempt:
        """Return the attempt after so many of the segments taken."""
        position = self.taken[count - 1][1:] if count else (self.attempt.part, self.attempt.segment)
        return Attempt(kept=self.attempt.kept + count, part=position[0], segment=position[1])

    def begin_anew(self) -> None:
        """Go back to the first segment."""
        self.attempt = Attempt()
        self.restarted += 1
        self._part, self._segment, self._segments, self.taken = 0, 0, None, []


@dataclass(slots=True)
class _Step:
    """What one step has made, to be stored at once."""

    whole: dict[TextHash, list[Vector]] = field(default_factory=dict)
    attempts: dict[TextHash, Attempt] = field(default_factory=dict)
    vectors: dict[TextHash, list[Vector]] = field(default_factory=dict)


class EmbeddingJob:
    """Embeds texts in one space of a store.

    Args:
        fail_fast: whether somebody waits for something else: then steps are short, short texts come first and of the
            others each in turn gets one segment, so that a book does not hold up what is behind it, and a server that
            fails is not waited for.
    """

    def __init__(
        self,
        store: Store,
        embedder: Embedder,
        space: EmbeddingSpace,
        *,
        fail_fast: bool = False,
        progress: Progress | None = None,
    ) -> None:
        self._store = store
        self._embedder = embedder
        self._space = space
        self._fail_fast = fail_fast
        self._progress = progress
        self._waiting = 0  # texts that were not looked at yet
        self.segments = 0
        """How many segments were embedded."""
        self.failures: dict[TextHash, str] = {}
        """Why texts could not be embedded, by hash."""

    async def run(self, texts: Mapping[TextHash, str], budget: Budget | None = None) -> int:
        """Embed texts, by hash, in the order given, and return how many of them are whole now.

        Returns:
            How many of them are whole now.

        Raises:
            EmbeddingError: the embedder does not work for any text; what was done until then is stored.
        """
        budget = budget or Budget()
        end = None if budget.seconds is None else time.monotonic() + budget.seconds
        known = await self._known(texts)
        # Where there is time for a single step, it is better spent on ten notes than on a page of a book.
        ordered = sorted(texts, key=lambda digest: self._fail_fast and len(texts[digest]) > SEGMENT_BYTES)
        queue = deque(
            _Text(item, texts[item], self._embedder.parts(texts[item]), known.get(item, Attempt()))
            for item in ordered
        )
        done, begun = 0, self.segments
        with fail_fast(self._fail_fast):
            while queue:
                room = None if budget.segments is None else budget.segments - (self.segments - begun)
                if room is not None and room <= 0:
                    break
                done += await self._step(queue, room)
                self._tell(queue)
                if end is not None and time.monotonic() >= end:
                    break
        return done

    async def _known(self, texts: Mapping[TextHash, str]) -> Mapping[TextHash, Attempt]:
        """Return how far the embedding of these texts has come."""
        return await vector_store(self._store).attempts(self._space, texts.keys())

    def expect(self, texts: int) -> None:
        """Return how many texts there are beside those of the next `run`, for the progress that is told."""
        self._waiting = texts

    def _tell(self, queue: Iterable[_Text]) -> None:
        if self._progress is not None:
            left = sum(text.left for text in queue) + self._waiting
            self._progress(self.segments, self.segments + left)

    # --- one step ------------------------------------------------------------------------------------------

    async def _step(self, queue: deque[_Text], room: int | None) -> int:
        """Embed the next segments and store what they make; texts that are done or have failed leave the queue."""
        taken = await self._take(queue, room)
        outcomes = iter(await self._embed([segment for text in taken for segment, _, _ in text.taken]))
        step = _Step()
        gone: set[TextHash] = set()
        for text in taken:
            results = [next(outcomes) for _ in text.taken]
            made: list[Vector] = []
            error: EmbeddingError | None = None
            for result in results:
                if isinstance(result, EmbeddingError):
                    error = result
                    break
                made.append(result)
            self.segments += len(made)
            attempt = text.advance(len(made))
            if error is None and text.over and text.restarted > 1:
                error = EmbeddingError("what was embedded of it could not be kept")
            if error is not None:
                gone.add(text.digest)
                self.failures[text.digest] = reason = _reason(error)
                attempt = _failed(attempt, reason)
            elif text.over:
                kept = (await self._kept(text))[: text.attempt.kept]  # somebody else may be ahead
                if len(kept) == text.attempt.kept:
                    gone.add(text.digest)
                    step.whole[text.digest] = [*kept, *made]
                else:
                    text.begin_anew()
                    step.attempts[text.digest] = Attempt()
                continue
            step.attempts[text.digest] = text.attempt = attempt
            step.vectors[text.digest] = made
            text.taken = []
        await self._keep(step)
        left = [text for text in queue if text.digest not in gone]
        queue.clear()
        queue.extend(left)
        return len(step.whole)

    async def _take(self, queue: deque[_Text], room: int | None) -> list[_Text]:
        """Take the segments of the next step, and return the texts that they are of."""
        most = min(
            SHORT_STEP_SEGMENTS if self._fail_fast else STEP_SEGMENTS, STEP_SEGMENTS if room is None else room
        )
        size = SHORT_STEP_BYTES if self._fail_fast else STEP_BYTES
        if self._embedder.uses_network:
            size = SENT_BYTES
        if not self._fail_fast:
            await self._cut(queue, size)
        taken: dict[TextHash, _Text] = {}
        count = 0
        waiting = deque(text for text in queue if not text.over)
        while waiting and count < most and size > 0:
            text = waiting[0]
            segment = await text.next_segment(self._embedder)
            if segment is not None:
                taken[text.digest] = text
                count += 1
                size -= len(segment.encode("utf-8", "replace"))
            if text.over:
                waiting.popleft()
            elif self._fail_fast:
                waiting.rotate(-1)
        if self._fail_fast:  # who has had a turn stands behind the others
            behind = [text for text in queue if text.digest in taken]
            ahead = [text for text in queue if text.digest not in taken]
            queue.clear()
            queue.extend([*ahead, *behind])
        return [*taken.values(), *(text for text in queue if text.over and text.digest not in taken)]

    async def _cut(self, queue: Iterable[_Text], size: int) -> None:
        """Cut the segments that come next all at once: a thread of the tokenizer's is not worth it for each."""
        uncut: list[tuple[_Text, str]] = []
        for text in queue:
            if (part := text.uncut) is not None:
                uncut.append((text, part))
                size -= len(part)
            if size <= 0:
                break
        cut = await self._embedder.split_parts([part for _, part in uncut]) if uncut else []
        for (text, _), segments in zip(uncut, cut, strict=True):
            text.cut(segments)

    async def _kept(self, text: _Text) -> list[Vector]:
        return (
            await vector_store(self._store).kept_segments(self._space, text.digest)
            if text.attempt.kept
            else []
        )

    async def _keep(self, step: _Step) -> None:
        if step.whole:
            await vector_store(self._store).put_vectors(self._space, step.whole)
        if step.attempts:
            await vector_store(self._store).keep_attempts(self._space, step.attempts, step.vectors)

    # --- an embedder that fails ----------------------------------------------------------------------------

    async def _embed(self, segments: Sequence[str]) -> list[Outcome]:
        """Embed segments; in the place of one that cannot be embedded stands the error.

        Returns:
            For each segment its vector, or the error.

        Raises:
            EmbeddingError: it is not the fault of any one segment.
        """
        try:
            return list(await self._embedder.embed_segments(segments))
        except _NOT_OF_A_TEXT:
            raise
        except EmbeddingError as error:
            await self._probe(error)
            end = time.monotonic() + PATIENCE if self._fail_fast else None
            return await self._isolate(segments, error, end)

    async def _probe(self, error: EmbeddingError) -> None:
        """Raise the error if the embedder embeds nothing else either."""
        try:
            await self._embedder.embed_segments([PROBE])
        except EmbeddingError:
            raise error from None

    async def _isolate(
        self, segments: Sequence[str], error: EmbeddingError, end: float | None
    ) -> list[Outcome]:
        """Find the segments that an embedder fails on, half by half."""
        if len(segments) == 1:
            return [await self._last_try(segments[0], error)]
        if end is not None and time.monotonic() >= end:
            return [EmbeddingError(f"left to a later run: {error.message}")] * len(segments)
        result: list[Outcome] = []
        middle = len(segments) // 2
        for half in (segments[:middle], segments[middle:]):
            try:
                with fail_fast():  # whoever fails for good is found sooner without waiting, and tried again
                    result += await self._embedder.embed_segments(half)
            except _NOT_OF_A_TEXT:
                raise
            except EmbeddingError as again:
                result += await self._isolate(half, again, end)
        return result

    async def _last_try(self, segment: str, error: EmbeddingError) -> Outcome:
        """Try one segment again: a server that was full a moment ago says nothing about the text."""
        await self._probe(error)
        try:
            return (await self._embedder.embed_segments([segment]))[0]
        except _NOT_OF_A_TEXT:
            raise
        except EmbeddingError as again:
            return again


class UnstoredEmbeddingJob(EmbeddingJob):
    """Embeds texts that no store has yet, and keeps the vectors by hash until they are written with the texts."""

    def __init__(
        self, store: Store, embedder: Embedder, space: EmbeddingSpace, progress: Progress | None
    ) -> None:
        super().__init__(store, embedder, space, progress=progress)
        self.vectors: dict[TextHash, list[Vector]] = {}
        """Of the texts that are whole."""
        self._parts: dict[TextHash, list[Vector]] = {}

    async def _known(self, texts: Mapping[TextHash, str]) -> Mapping[TextHash, Attempt]:
        return {}

    async def _kept(self, text: _Text) -> list[Vector]:
        return self._parts.get(text.digest, [])

    async def _keep(self, step: _Step) -> None:
        self.vectors |= step.whole
        for digest, made in step.vectors.items():
            self._parts.setdefault(digest, []).extend(made)


def failed_attempts(failures: Mapping[TextHash, str]) -> dict[TextHash, Attempt]:
    """Return what a store is to remember of texts that could not be embedded, by hash and reason."""
    return {digest: _failed(Attempt(), reason) for digest, reason in failures.items()}


def _failed(attempt: Attempt, reason: str) -> Attempt:
    return Attempt(
        kept=attempt.kept,
        part=attempt.part,
        segment=attempt.segment,
        reason=reason,
        failed_at=clock.now(),
    )


def _reason(error: EmbeddingError) -> str:
    return redacted(" ".join(error.message.split()))[:_REASON]
