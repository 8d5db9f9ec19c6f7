"""Exporting, importing and migrating as a whole: what `AgentMemory` and the command line call."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from typing import Any

from agent_memory import clock
from agent_memory.batching import batched
from agent_memory.errors import IntegrityError
from agent_memory.hints import Hint
from agent_memory.storage.base import Store, vector_store
from agent_memory.storage.where import Where
from agent_memory.transfer import files
from agent_memory.transfer.deciding import Decision, OnConflict, decide
from agent_memory.transfer.importing import Importer, Progress, Step
from agent_memory.transfer.lines import line_of
from agent_memory.transfer.reading import EVERYTHING, StoreStream
from agent_memory.transfer.stream import BATCH, Item, Parts, Stream
from agent_memory.transfer.vectors import near

logger = logging.getLogger("agent_memory")
_SHOWN = 3  # differing memories that an error names


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """What an export wrote."""

    memories: int
    gone: int
    """Memories that were taken out, of which a note is kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """What an import or a migration did, or with `dry_run` would do."""

    added: int
    updated: int
    gone: int
    """Memories that were taken out there, of which a note is kept here now."""
    same: int
    """Those that were here already."""
    kept: int
    """Those that differ here and were left as they are."""
    settled: int
    """Conflicts in which the other side's memory was taken."""
    verified: int = 0
    """Memories that were compared afterwards, each in full."""
    pending: int = 0
    """Active memories here that still have to be embedded."""
    notices: Sequence[str] = field(default=())
    """What is not moved, a line each."""
    switched: bool = False
    """Whether the source takes no writes any more."""
    refused_seconds: float = 0.0
    """How long writes were refused before the target had everything."""

    @property
    def changed(self) -> int:
        """How many memories were written."""
        return self.added + self.updated + self.gone


async def export(
    store: Store,
    position: files.Place,
    parts: Parts,
    where: Where = EVERYTHING,
    progress: Progress | None = None,
) -> Exported:
    """Write what is in an open store."""
    stream = await StoreStream.of(store, parts, where)
    lines = await files.write(stream, position, progress)
    tombstoned = sum(entry.tombstoned for entry in stream.entries)
    return Exported(memories=lines - tombstoned, gone=tombstoned)


async def import_(
    store: Store,
    position: files.Place | files.FileStream,
    *,
    on_conflict: OnConflict = "refuse",
    dry_run: bool = False,
    who: Mapping[str, str | None] | None = None,
    progress: Progress | None = None,
) -> Moved:
    """Take over what a file holds, after all of it was checked."""
    with (
        nullcontext(position)
        if isinstance(position, files.FileStream)
        else files.FileStream.of(position) as stream
    ):
        decision = await decide(store, stream, on_conflict)
        notices = _warned(losses(stream, store, decision))
        if not dry_run:
            await Importer(store, stream, decision, **_named(who)).take(progress)
        return await told(store, decision, notices)


async def migrate(
    source: Store,
    target: Store,
    *,
    on_conflict: OnConflict = "refuse",
    dry_run: bool = False,
    who: Mapping[str, str | None] | None = None,
    progress: Progress | None = None,
) -> Moved:
    """Take over what another open store holds, and compare both afterwards. The source is only read."""
    able = source.capabilities
    stream = await StoreStream.of(source, Parts(history=able.journal, usage=able.usage, vectors=able.vectors))
    decision = await decide(target, stream, on_conflict)
    notices = _warned(losses(stream, target, decision))
    if dry_run:
        return await told(target, decision, notices)
    await Importer(target, stream, decision, **_named(who)).take(progress)
    verified = await verify(source, target, decision)
    return replace(await told(target, decision, notices), verified=verified)


def losses(stream: Stream, target: Store, decision: Decision) -> list[str]:
    """Describe what of a stream a store cannot keep."""
    parts, able = stream.head.parts, target.capabilities
    told = []
    if parts.history and not able.journal:
        told.append(f"history is not kept there: the {target.name} backend has none; the present state moves")
    if parts.usage and not able.usage:
        told.append(f"accesses are not counted there: the {target.name} backend cannot")
    if parts.vectors and not able.vectors:
        told.append(f"vectors are not kept there: the {target.name} backend has none")
    if decision.space == "other":
        told.append(Hint("the vectors stay behind, since another embedder is in use there: run {INDEX}"))
    return told


def _warned(notices: Sequence[str]) -> Sequence[str]:
    """Say it before anything is written."""
    for notice in notices:
        logger.warning(notice)
    return notices


def _named(who: Mapping[str, str | None] | None) -> dict[str, Any]:
    return {"actor": None, "session": None, **(who or {})}


async def told(store: Store, decision: Decision, notices: Sequence[str]) -> Moved:
    """Return what a decision that was carried out did to a store."""
    kept = set(decision.kept)
    return Moved(
        added=len(decision.new),
        updated=len(decision.newer),
        gone=len(decision.tombstoned) + len(decision.removed),
        same=decision.same,
        kept=len(kept),
        settled=sum(conflict not in kept for conflict in decision.conflicts),
        pending=await vector_store(store).pending_count() if store.capabilities.vectors else 0,
        notices=notices,
    )


# --- comparing afterwards --------------------------------------------------------------------------------------


async def verify(source: Store, target: Store, decision: Decision) -> int:
    """Compare what both stores hold, memory by memory, and return how many were compared.

    Returns:
        How many memories were compared.

    Raises:
        IntegrityError: one is missing, or differs.
    """
    parts = compared_parts(source, target, decision)
    there = await StoreStream.of(source, parts)
    here = await StoreStream.of(target, parts)
    result = await compare(there, here, decision)
    result.check(len(there.entries))
    return result.compared


@dataclass(frozen=True, slots=True)
class Comparison:
    """How many memories were compared, and which are not the same in both stores."""

    compared: int
    wrong: Sequence[str]

    def check(self, total: int) -> None:
        """Raise if any differs.

        Raises:
            IntegrityError: one is missing, or differs.
        """
        if self.wrong:
            shown = ", ".join(self.wrong[:_SHOWN]) + (" ..." if len(self.wrong) > _SHOWN else "")
            raise IntegrityError(
                f"{len(self.wrong)} of {total} memories are not the same in both stores: {shown}",
                hint="run it again: a server that failed over may have forgotten some;"
                " if somebody writes to one of them, stop that first",
            )


def compared_parts(source: Store, target: Store, decision: Decision) -> Parts:
    """Return what of each memory has to be the same in both stores."""
    return Parts(
        history=source.capabilities.journal and target.capabilities.journal,
        vectors=decision.space in ("same", "new"),
    )


async def compare(
    there: StoreStream, here: StoreStream, decision: Decision, step: Step = nullcontext
) -> Comparison:
    """Compare all that is in a source with what is in a target."""
    parts = there.head.parts
    known = {entry.id: entry for entry in here.entries}
    left = set(decision.kept)
    new = {item.id for item in decision.new} - decision.conflicts.keys()
    wrong = [entry.id for entry in there.entries if entry.id not in known and entry.id not in left]
    compared = [entry for entry in there.entries if entry.id in known and entry.id not in left]
    for part in batched(compared, BATCH):
        async with step():
            theirs = {item.id: item for item in await there.read(part)}
            ours = {item.id: item for item in await here.read([known[entry.id] for entry in part])}
        wrong += [
            entry.id
            for entry in part
            if entry.id not in theirs
            or entry.id not in ours
            or not _agree(theirs[entry.id], ours[entry.id], parts, new=entry.id in new)
        ]
    return Comparison(len(compared), wrong)


def _agree(theirs: Item, ours: Item, parts: Parts, *, new: bool) -> bool:
    """Return whether two stores hold the same of a memory; `new` says that all of it has just come from there."""
    if theirs.record is None or ours.record is None:
        return theirs.record is ours.record
    if theirs.revision != ours.revision:
        # It went on here: the other's version has to be behind it.
        return theirs.revision in {version.revision for version in ours.history}
    said = Parts(history=parts.history and new)
    same = line_of(replace(theirs, position=0), said) == line_of(replace(ours, position=0), said)
    if not theirs.vectors or not parts.vectors or (not ours.vectors and ours.record.expired(clock.now())):
        return same  # one that is over is found no more, and so nothing is pending for it
    return same and near(theirs.vectors, ours.vectors)


__all__ = ["Exported", "Moved", "export", "import_", "losses", "migrate", "verify"]
