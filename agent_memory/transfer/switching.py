"""Moving an agent that is in use: copy, catch up, compare, and only then close the source for the last changes.

1. Copy all there is. Others go on writing to the source.
2. Catch up: what the journal says has changed since is copied again, until few changes are left.
3. Compare every memory of both stores in full, and catch up once more.
4. Switch: the source gets a mark (`storage.moved`) and refuses writes; what changed in steps 3 and 4 is copied and
   compared; the mark says from then on that the agent is elsewhere. Only this step stops writes, and it takes as long
   as the last changes take, however many memories there are.
5. Copy the vectors that came at last, and compare which version of each memory both stores have. The target may be in
   use already.

A server that fails over may forget what it had acknowledged. Steps 3 and 4 are repeated where they find that, and
step 5 copies again what it misses; so does another run of a move that was done.

Nothing is deleted in the source, and each step may be repeated, so a run that was ended at any moment is run again.
"""

from __future__ import annotations

import logging
import time
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, nullcontext, suppress
from dataclasses import replace
from itertools import chain
from typing import Final

import anyio

from agent_memory import clock
from agent_memory.errors import AgentMemoryError, ConflictError, IntegrityError, ValidationError
from agent_memory.hints import Hint
from agent_memory.storage.base import JournalStore, Store, vector_store
from agent_memory.storage.moved import MoveMark
from agent_memory.transfer import moving
from agent_memory.transfer.deciding import TAKEN_OUT, Decision, OnConflict, decide, fits
from agent_memory.transfer.importing import Importer, Progress
from agent_memory.transfer.moving import Comparison, Moved
from agent_memory.transfer.reading import StoreStream
from agent_memory.transfer.stream import SETTINGS, Entry, Parts

Phase = Callable[[str], None]
"""Called with the name of a step."""
logger = logging.getLogger("agent_memory")
_FEW: Final = 20
"""Changes that may be left when writes are stopped."""
_UNVERIFIED: Final = 50
"""Memories that may be left to compare when writes are stopped."""
_ROUNDS: Final = 20
"""How often changes are caught up with before writes are stopped, if there are always more."""
_TRIES: Final = 3
"""How often what a target forgot is copied to it."""


class Turns:
    """Lets several migrations share a process: nothing else is moved while one of them has stopped writes."""

    def __init__(self) -> None:
        self._condition = anyio.Condition()
        self._steps = 0
        self._waiting = 0
        self._stopped = False

    @asynccontextmanager
    async def step(self) -> AsyncIterator[None]:
        """Be held while a batch is moved."""
        async with self._condition:
            while self._stopped or self._waiting:
                await self._condition.wait()
            self._steps += 1
        try:
            yield
        finally:
            with anyio.CancelScope(shield=True):
                async with self._condition:
                    self._steps -= 1
                    self._condition.notify_all()

    @asynccontextmanager
    async def stop(self) -> AsyncIterator[None]:
        """Be held while writes are stopped. It waits until no batch is being moved."""
        async with self._condition:
            self._waiting += 1
            try:
                while self._stopped or self._steps:
                    await self._condition.wait()
                self._stopped = True
            finally:
                self._waiting -= 1
        try:
            yield
        finally:
            with anyio.CancelScope(shield=True):
                async with self._condition:
                    self._stopped = False
                    self._condition.notify_all()


async def switch(
    source: Store,
    target: Store,
    *,
    on_conflict: OnConflict = "refuse",
    who: Mapping[str, str | None] | None = None,
    progress: Progress | None = None,
    turns: Turns | None = None,
    phase: Phase = lambda name: None,
) -> Moved:
    """Move an agent from one open store to another while both may be in use; the source refuses writes afterwards.

    Args:
        source: where it is.
        target: where it goes.
        on_conflict: as in `moving.migrate`.
        who: who does it, for the log of the target.
        progress: called with (done, total) while memories are copied.
        turns: shared by all migrations of this process.
        phase: called with the name of each step as it begins.

    Returns:
        What was moved, and for how long writes were refused.

    Raises:
        ValidationError: the source was moved elsewhere before, or both are the same store, or there are conflicts.
        StoreReadOnlyError: the target was moved itself, or takes no writes.
        CapabilityError: the source cannot refuse writes.
        IntegrityError: afterwards both do not hold the same.
    """
    return await _Switch(source, target, on_conflict, who, turns or Turns(), phase).run(progress)


class _Switch:
    def __init__(
        self,
        source: Store,
        target: Store,
        on_conflict: OnConflict,
        who: Mapping[str, str | None] | None,
        turns: Turns,
        phase: Phase,
    ) -> None:
        self._source = source
        self._target = target
        self._on_conflict = on_conflict
        self._who = {"actor": None, "session": None, **(who or {})}
        self._turns = turns
        self._phase = phase
        able = source.capabilities
        self._parts = Parts(history=able.journal, usage=able.usage, vectors=able.vectors)
        self._position = 0
        self._suspects: dict[str, None] = {}
        """What could not be copied, or was not the same, since others were writing."""
        self._unverified: dict[str, None] = {}
        """What changed since everything was compared."""

    async def run(self, progress: Progress | None) -> Moved:
        place = (await self._target.describe()).location
        if (mark := await self._target.moved()) is not None:
            raise mark.error
        if (mark := await self._source.moved()) is not None:
            if mark.done and mark.to == place:
                return await self._checked_again(mark)
            if mark.done:
                raise ValidationError(
                    f"this agent was moved to {mark.to} before", hint=Hint("{REOPEN} takes that back")
                )
            await self._source.set_moved(None, instead_of=mark)  # a run was stopped here
        if isinstance(self._source, JournalStore):
            self._position = await self._source.journal_end()
        self._phase("copying")
        decision, done = await self._copy(progress)
        self._phase("catching up")
        await self._catch_up()
        for left in reversed(range(_TRIES)):
            await self._compare_all(decision)
            self._phase("switching")
            try:
                async with self._turns.stop():
                    seconds, compared = await self._close(MoveMark(to=place, done=False), decision)
                break
            except IntegrityError:  # the source takes writes again
                if not left:
                    raise
        self._phase("checking")
        await self._check_vectors(decision)
        await self._check(decision.kept)
        return replace(
            done,
            verified=max(compared, self._compared),
            pending=await self._pending(),
            switched=True,
            refused_seconds=seconds,
        )

    async def _compare_all(self, decision: Decision) -> None:
        """Compare everything, and catch up until little is left to compare while writes are stopped."""
        self._phase("comparing")
        self._compared = await self._compare_live(decision)
        self._phase("catching up")
        await self._catch_up()
        for _ in range(_ROUNDS):
            if len(self._unverified) <= _UNVERIFIED:
                break
            await self._compare_live(decision, list(self._unverified))
            await self._catch_up()

    async def _checked_again(self, mark: MoveMark) -> Moved:
        """Look after a move that was done whether the target has everything still; it is in use by now."""
        self._phase("checking")
        mended = 0
        # Without a journal nobody knows there whether a memory is missing or was taken out.
        if self._target.capabilities.journal:
            await self._bring_vectors()
            mended = await self._check([], settled=self._on_conflict != "refuse")
        notice = f"this agent was moved there already, at {clock.to_text(mark.at)}"
        logger.warning(notice)
        return replace(_nothing(), added=mended, notices=[notice], switched=True)

    async def _pending(self) -> int:
        able = self._target.capabilities.vectors
        return await vector_store(self._target).pending_count() if able else 0

    # --- while others write --------------------------------------------------------------------------------

    async def _copy(self, progress: Progress | None) -> tuple[Decision, Moved]:
        stream = await StoreStream.of(self._source, self._parts, live=True)
        self._settings = dict(stream.head.settings)
        decision = await decide(self._target, stream, self._on_conflict, follow=True)
        notices = moving.losses(stream, self._target, decision)
        for notice in notices:
            logger.warning(notice)
        await self._take(stream, decision, progress)
        return decision, await moving.told(self._target, decision, notices)

    async def _take(
        self,
        stream: StoreStream,
        decision: Decision,
        progress: Progress | None = None,
        *,
        live: bool = True,
        pending: bool = False,
    ) -> None:
        """Write what was decided; with `live`, in turn with other migrations, and without what contradicts itself."""
        importer = Importer(
            self._target,
            stream,
            decision,
            actor=self._who["actor"],
            session=self._who["session"],
            step=self._turns.step if live else nullcontext,
            live=live,
            pending=pending,
        )
        await importer.take(progress)
        self._suspects |= dict.fromkeys(importer.skipped)

    async def _changed(self) -> list[str]:
        """Return what changed since the last time."""
        if not isinstance(self._source, JournalStore):
            stream = await StoreStream.of(self._source, self._parts, live=True)
            return [entry.id for entry in stream.entries]
        changed, self._position = await self._source.changed_since(self._position)
        return changed

    async def _catch_up(self) -> None:
        """Copy what changed, until so little is left that writes may be stopped for it."""
        for _ in range(_ROUNDS):
            changed = await self._changed()
            wanted = {**self._suspects, **dict.fromkeys(changed)}
            self._unverified |= wanted
            if wanted:
                self._suspects = {}
                await self._bring(wanted)
            await self._bring_vectors()
            if len(changed) <= _FEW or not isinstance(self._source, JournalStore):
                return

    async def _bring(self, ids: Iterable[str]) -> None:
        """Copy some memories as they are now; those in which others got in between are suspects from then on."""
        stream = await StoreStream.part(self._source, self._parts, list(ids), live=True)
        try:
            decision = await decide(self._target, stream, self._on_conflict, follow=True)
            await self._take(stream, decision)
        except (ConflictError, ValidationError):
            self._suspects |= dict.fromkeys(ids)

    async def _bring_vectors(self) -> None:
        """Copy the vectors of what was embedded in the source after it was copied: the journal does not tell that."""
        if not (self._parts.vectors and self._target.capabilities.vectors):
            return
        store = vector_store(self._target)
        count = await store.pending_count()
        if count <= await vector_store(self._source).pending_count():
            return
        waiting = [record.id for record in await store.pending(count)]
        stream = await StoreStream.part(self._source, self._parts, waiting, live=True)
        space = await fits(self._target, stream.head.space)
        await self._take(stream, Decision(space=space), live=False, pending=True)

    async def _compare_live(self, decision: Decision, ids: Sequence[str] | None = None) -> int:
        """Compare all memories, or some; those that are not the same are suspects from then on.

        Returns:
            How many memories were compared.
        """
        self._unverified = {}
        result = await self._compare(decision, ids, live=True)
        self._suspects |= dict.fromkeys(result.wrong)
        return result.compared

    async def _compare(
        self, decision: Decision, ids: Sequence[str] | None = None, *, live: bool
    ) -> Comparison:
        parts = moving.compared_parts(self._source, self._target, decision)
        stores = (self._source, self._target)
        if ids is None:
            there, here = [await StoreStream.of(store, parts, live=live) for store in stores]
        else:
            there, here = [await StoreStream.part(store, parts, ids, live=live) for store in stores]
        step = self._turns.step if live else nullcontext
        # The histories of what has just come were read as they were copied; they are compared where all is.
        new = decision.new if ids is None else []
        known = Decision(kept=decision.kept, space=decision.space, new=new, conflicts=decision.conflicts)
        return await moving.compare(there, here, known, step)

    # --- while nobody writes -------------------------------------------------------------------------------

    async def _close(self, mark: MoveMark, decision: Decision) -> tuple[float, int]:
        """Stop writes, copy and compare the last changes, and say that the agent is elsewhere from now on.

        Returns:
            How long writes were refused, and how many memories were compared.
        """  # noqa: DOC501
        begin = time.monotonic()
        try:
            await self._source.set_moved(mark, instead_of=None)
            if await self._target.moved() == mark:
                raise ValidationError("both are the same store", hint="give another one with --to")
            compared = await self._finish(decision)
            await self._source.set_moved(replace(mark, done=True, at=clock.now()), instead_of=mark)
        except BaseException:
            with anyio.CancelScope(shield=True), suppress(AgentMemoryError):
                await self._source.set_moved(None, instead_of=mark)
            raise
        return time.monotonic() - begin, compared

    async def _finish(self, decision: Decision) -> int:
        changed = await self._changed()
        ids = list({**self._suspects, **dict.fromkeys(changed)})
        stream = await StoreStream.part(self._source, self._parts, ids)
        last = await decide(self._target, stream, self._on_conflict, follow=True)
        await self._take(stream, last, live=False)
        await self._bring_settings()
        decision.kept += last.kept
        self._unverified |= dict.fromkeys(ids)
        # Whether a vector is missing takes long to find out, and nothing is lost meanwhile: that comes afterwards.
        result = await self._compare(replace(decision, space="none"), list(self._unverified), live=False)
        result.check(len(self._unverified))
        return result.compared

    async def _bring_settings(self) -> None:
        """Copy the settings that move with the memories, if they were changed since."""
        for name in SETTINGS:
            value = await self._source.setting(name)
            if value is not None and value != self._settings.get(name):
                await self._target.set_setting(name, value)

    # --- afterwards ----------------------------------------------------------------------------------------

    async def _check_vectors(self, decision: Decision) -> None:
        """Copy the vectors that were stored at last, and compare those of the last changes.

        Raises:
            IntegrityError: they differ.
        """
        await self._bring_vectors()
        stream = await StoreStream.part(self._source, self._parts, [])
        space = await fits(self._target, stream.head.space)
        there, here = [await store.get(list(self._unverified)) for store in (self._source, self._target)]
        same = [item for item in there if item in here and there[item].revision == here[item].revision]
        result = await self._compare(replace(decision, space=space), same, live=True)
        result.check(len(same))

    async def _check(self, kept: Collection[str], *, settled: bool = False) -> int:
        """Compare which version of each memory both have, and copy again what the target misses; it may have gone on.

        Args:
            kept: the memories that were left there in another version.
            settled: whether those that are there in another version are meant to be.

        Returns:
            How many memories were copied again.

        Raises:
            IntegrityError: the target lacks something.
        """
        mended: set[str] = set()
        for left in reversed(range(_TRIES)):
            stream = await StoreStream.of(self._source, self._parts)
            follow = self._target.capabilities.journal
            decision = await decide(self._target, stream, "keep", follow=follow)
            lost = [entry.id for entry in _entries(decision)]
            if not settled:
                lost += [item for item, finding in decision.conflicts.items() if finding != TAKEN_OUT]
            lost = [item for item in lost if item not in kept]
            if not lost:
                break
            if not left:
                raise IntegrityError(
                    f"{len(lost)} of {len(stream.entries)} memories did not arrive, such as {lost[0]}",
                    hint=Hint("they are still in the source; {REOPEN}, and run it again"),
                )
            await self._take(stream, decision)
            mended.update(entry.id for entry in _entries(decision))
        if mended:
            logger.warning(
                f"{len(mended)} memories were missing there again after they had been copied: copied anew"
            )
        return len(mended)


def _entries(decision: Decision) -> Iterator[Entry]:
    return chain(decision.removed, decision.new, decision.newer, decision.tombstoned)


async def reopen(store: Store) -> MoveMark | None:
    """Accept writes again in an open store whose agent was moved, and return the mark that it had."""
    mark = await store.moved()
    if mark is not None:
        await store.set_moved(None, instead_of=mark)
    return mark


def _nothing() -> Moved:
    return Moved(added=0, updated=0, gone=0, same=0, kept=0, settled=0)
