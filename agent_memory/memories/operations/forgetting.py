"""Archiving, purging and shredding memories, and restoring them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from agent_memory.errors import MemoryNotFoundError
from agent_memory.hints import Hint
from agent_memory.memories.core import Choose, Chosen, Core
from agent_memory.memories.filters import build_where
from agent_memory.memories.references import NAMED, Kind, document_id, not_found, resolve
from agent_memory.records import MemoryRecord, MemoryType, Status
from agent_memory.storage.base import journal_store
from agent_memory.storage.changes import Add, Replace
from agent_memory.storage.where import Where
from agent_memory.text.names import with_normal_names
from agent_memory.verbs import Verb


@dataclass(frozen=True, slots=True, kw_only=True)
class ForgetPlan:
    """What forgetting would do: looked up once, shown to whoever decides, and carried out as it was shown."""

    records: tuple[MemoryRecord, ...]
    """The memories as they are, those among them last that are purged already and would be shredded."""
    purge: bool
    shred: bool
    verb: Verb
    """What the log calls it."""
    chosen: Chosen = field(repr=False)
    look_up: Choose = field(repr=False, compare=False)
    """Looks the same memories up again, for what somebody changed after the plan was made."""

    @property
    def action(self) -> Literal["archive", "purge", "shred"]:
        """What would be done with them."""
        return "shred" if self.shred else "purge" if self.purge else "archive"


async def carry_out(core: Core, plan: ForgetPlan) -> list[MemoryRecord]:
    """Do what a plan says, and return the memories as they were.

    What somebody changed meanwhile is looked up again. What was not part of the plan stays, even if it has become
    something that the plan would mean.

    Returns:
        The memories as they were.
    """
    planned = {record.id for record in plan.records}
    latest: Chosen | None = plan.chosen

    async def choose() -> Chosen:
        nonlocal latest
        if latest is not None:
            first, latest = latest, None
            return first
        present, purged = await plan.look_up()
        return Chosen(
            [record for record in present if record.id in planned],
            [record for record in purged if record.id in planned],
        )

    return await core.archive(plan.verb, choose, purge=plan.purge, shred=plan.shred)


async def plan_named(
    core: Core,
    references: str | Sequence[str],
    *,
    purge: bool,
    shred: bool,
    types: Sequence[MemoryType] = (),
    kinds: Sequence[Kind] = NAMED,
    missing_ok: bool = False,
) -> ForgetPlan:
    """Plan to archive, purge or shred memories by what names them, all or none.

    What is to go for good may be archived or expired already; what is to be shredded, purged.

    Returns:
        The plan.

    Raises:
        MemoryNotFoundError: there is none of that name, unless `missing_ok`.
    """
    named = [references] if isinstance(references, str) else list(references)

    async def look_up() -> Chosen:
        present: dict[str, MemoryRecord] = {}
        purged: dict[str, MemoryRecord] = {}
        for reference in named:
            try:
                meant = await _meant(core, reference, types, kinds, purge=purge, shred=shred)
            except MemoryNotFoundError:
                last = await _last_version(core, reference) if shred else None
                if last is not None and (not types or last.memory_type in types):
                    purged[last.id] = last
                elif not missing_ok:
                    raise await not_found(core.store, reference) from None
            else:
                present |= {record.id: record for record in meant.present}
                purged |= {record.id: record for record in meant.purged}
        return Chosen(list(present.values()), list(purged.values()))

    return await _plan(Verb.FORGET, look_up, purge=purge, shred=shred)


async def _every_chunk(core: Core, reference: str, *, shred: bool) -> Chosen:
    """Return all chunks that a document ever had, by its id: those of earlier versions go for good with it."""
    everything = build_where(types=MemoryType.SEMANTIC, status=None, expired=None)
    document = await document_id(core.store, reference, everything) or reference  # all of it may be purged
    where = build_where(
        types=MemoryType.SEMANTIC, status=None, expired=None, fields={"document_id": document}
    )
    purged = await core.purged(where) if shred and core.store.capabilities.journal else []
    return Chosen(await core.store.select(where), purged)


async def _meant(
    core: Core,
    reference: str,
    types: Sequence[MemoryType],
    kinds: Sequence[Kind],
    *,
    purge: bool,
    shred: bool,
) -> Chosen:
    """Return what a reference means; if it is to go for good, what is archived or expired too.

    Raises:
        MemoryNotFoundError: it means nothing.
    """
    anyhow = purge or shred
    try:
        record = await core.store.resolve(
            reference, statuses=() if anyhow else (Status.ACTIVE,), types=types, expired=anyhow
        )
        return Chosen([record])
    except MemoryNotFoundError:
        if (
            anyhow
            and Kind.DOCUMENT in kinds
            and any(chunks := await _every_chunk(core, reference, shred=shred))
        ):
            return chunks
        others = [kind for kind in kinds if kind is not Kind.MEMORY]
        if records := await resolve(core.store, reference, others):
            return Chosen(records)
        raise


async def plan_where(core: Core, verb: Verb, where: Where, *, purge: bool, shred: bool) -> ForgetPlan:
    """Plan to archive, purge or shred all memories that a filter for live ones fits.

    What is to go for good may also be archived or expired; what is to be shredded, purged.

    Returns:
        The plan.
    """
    if purge or shred:
        where = replace(where, statuses=(), expired=where.expired or None)

    async def look_up() -> Chosen:
        purged = await core.purged(where) if shred and core.store.capabilities.journal else ()
        return Chosen(await core.store.select(where), purged)

    return await _plan(verb, look_up, purge=purge, shred=shred)


async def _plan(verb: Verb, look_up: Choose, *, purge: bool, shred: bool) -> ForgetPlan:
    chosen = await look_up()
    return ForgetPlan(
        records=(*chosen.present, *chosen.purged),
        purge=purge,
        shred=shred,
        verb=verb,
        chosen=chosen,
        look_up=look_up,
    )


async def forget(
    core: Core, references: str | Sequence[str], *, purge: bool, shred: bool, dry_run: bool
) -> list[MemoryRecord]:
    """Archive, purge or shred the named memories, all or none."""
    plan = await plan_named(core, references, purge=purge, shred=shred)
    return list(plan.records) if dry_run else await carry_out(core, plan)


async def remove(
    core: Core, reference: str, memory_type: MemoryType, *, purge: bool, shred: bool
) -> list[MemoryRecord]:
    """Archive, purge or shred one memory of a type; none is no error."""
    plan = await plan_named(
        core,
        reference,
        purge=purge,
        shred=shred,
        types=(memory_type,),
        kinds=(Kind.MEMORY,),
        missing_ok=True,
    )
    return await carry_out(core, plan)


async def forget_where(
    core: Core, where: Where, *, purge: bool, shred: bool, dry_run: bool
) -> list[MemoryRecord]:
    """Archive, purge or shred all memories that fit."""
    plan = await plan_where(core, Verb.FORGET, where, purge=purge, shred=shred)
    return list(plan.records) if dry_run else await carry_out(core, plan)


async def archive_where(
    core: Core, verb: Verb, where: Where, *, purge: bool, shred: bool
) -> list[MemoryRecord]:
    """Archive, purge or shred all memories that a filter for live ones fits, under a name in the log."""
    return await carry_out(core, await plan_where(core, verb, where, purge=purge, shred=shred))


async def _last_version(core: Core, memory_id: str) -> MemoryRecord | None:
    """Return what a memory was when it was purged, by its whole id; None if it was not, or is shredded."""
    if not core.store.capabilities.journal:
        return None
    versions = await journal_store(core.store).history(memory_id)
    return versions[-1].before if versions and versions[-1].after is None else None


async def restore(core: Core, reference: str) -> MemoryRecord:
    """Make a memory active again that was archived, superseded or purged."""
    try:
        record = await core.store.resolve(reference, statuses=(Status.ARCHIVED, Status.SUPERSEDED))
    except MemoryNotFoundError:
        return await _restore_purged(core, reference)
    written = await core.write(
        Verb.RESTORE,
        [Replace(replace(record, status=Status.ACTIVE, **_unmerged(record)), Verb.RESTORE)],
        embed=[],
    )
    return written[0].record


def _unmerged(record: MemoryRecord) -> dict[str, Any]:
    return {"superseded_by": None} if record.memory_type is MemoryType.LONG_TERM else {}


async def _restore_purged(core: Core, reference: str) -> MemoryRecord:
    last = await _last_version(core, reference)
    if last is None:
        raise MemoryNotFoundError(
            reference,
            what="forgotten memory",
            hint=Hint("{LIST_ARCHIVED} shows what can be restored"),
        )
    record = with_normal_names(replace(last, status=Status.ACTIVE))
    return (await core.write(Verb.RESTORE, [Add(record, brought_back=True, verb=Verb.RESTORE)], embed=[]))[
        0
    ].record


async def clear_all(core: Core, *, purge: bool, shred: bool) -> dict[str, int]:
    """Archive, purge or shred everything in one operation."""
    counts = dict.fromkeys((memory_type.value for memory_type in MemoryType), 0)
    for record in await archive_where(core, Verb.CLEAR_ALL, build_where(), purge=purge, shred=shred):
        counts[record.memory_type.value] += 1
    return counts
