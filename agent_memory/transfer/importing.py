"""Taking a stream over into a store: first what it would mean, then doing it, in batches that may be repeated."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, get_args

from agent_memory.batching import batched
from agent_memory.errors import ConfigurationError, ValidationError
from agent_memory.hints import Hint
from agent_memory.records import MemoryRecord, Status, Version
from agent_memory.storage.base import EmbeddingSpace, JournalStore, Store, journal_store, vector_store
from agent_memory.storage.changes import Change, Import, Operation, Replace, Tombstone
from agent_memory.storage.where import Where
from agent_memory.text.templates import embedded_text, embedding_hash
from agent_memory.transfer.stream import BATCH, Entry, Item, Stream
from agent_memory.transfer.tombstones import ends, note, tombstoned
from agent_memory.verbs import Verb

Progress = Callable[[int, int], None]
"""Called with (done, total) as long work goes on."""
OnConflict = Literal["refuse", "keep", "replace"]
_CONFLICTS: Mapping[str, str] = {
    "deleted here": "was taken out here",
    "conflict": "is here in another version",
}
_SHOWN = 5  # conflicts that an error names


@dataclass(slots=True, kw_only=True)
class Decision:
    """What taking a stream over means for a store."""

    new: list[Entry] = field(default_factory=list)
    newer: list[Entry] = field(default_factory=list)
    """Here in an earlier version, which the stream's was made from."""
    tombstoned: list[Entry] = field(default_factory=list)
    """Taken out there, and never known here."""
    same: int = 0
    """Here already, or here in a later version."""
    kept: list[str] = field(default_factory=list)
    """Here and different, and left as they are here: what conflicts, and what was taken out there only."""
    conflicts: dict[str, str] = field(default_factory=dict)
    """By id: what is the matter."""
    onto: dict[str, str] = field(default_factory=dict)
    """By id of what takes the place of something: the revision that it has here."""
    make_way: dict[str, list[str]] = field(default_factory=dict)
    """By id: memories here that have its key and are archived for it."""
    space: Literal["none", "same", "new", "other"] = "none"
    """Whether the stream's vectors fit: the store has none, the same space, no space yet, or another one."""

    @property
    def changes(self) -> int:
        """How many memories would be written."""
        return len(self.new) + len(self.newer) + len(self.tombstoned)

    def note(self, entry: Entry, finding: Finding, revision: str | None) -> None:
        """Note what one entry of the stream is to the store, which has it in `revision`, if at all."""
        match finding:
            case "same":
                self.same += 1
            case "kept":
                self.kept.append(entry.id)
            case "tombstoned":
                self.tombstoned.append(entry)
            case "new" | "deleted here":
                self.new.append(entry)
            case "newer" | "conflict":
                self.newer.append(entry)
            case "differs":
                raise AssertionError("settled by the histories")
        if finding in _CONFLICTS:
            self.conflicts[entry.id] = _CONFLICTS[finding]
        if revision is not None and finding in ("newer", "conflict"):
            self.onto[entry.id] = revision


async def decide(store: Store, stream: Stream, on_conflict: OnConflict = "refuse") -> Decision:
    """Compare a stream with an open store. Writes nothing.

    Returns:
        What is to be done with each memory.

    Raises:
        ConfigurationError: there is no such way to settle conflicts.
        ValidationError: there are conflicts, and they are to be refused.
    """  # noqa: DOC501
    if on_conflict not in get_args(OnConflict):
        raise ConfigurationError.unknown("way to settle conflicts", on_conflict, get_args(OnConflict))
    result = Decision(space=await _fits(store, stream.head.space))
    away = set(await tombstoned(store))
    for batch in batched(stream.entries, BATCH):
        for entry, finding, revision in await _compare(store, stream, batch, away):
            result.note(entry, finding, revision)
    await _check_keys(store, stream, result)
    if result.conflicts and on_conflict == "refuse":
        raise _refused(result.conflicts, len(stream.entries))
    if on_conflict == "keep":
        result.kept += result.conflicts
        result.new = [item for item in result.new if item.id not in result.conflicts]
        result.newer = [item for item in result.newer if item.id not in result.conflicts]
    return result


async def _fits(store: Store, space: EmbeddingSpace | None) -> Literal["none", "same", "new", "other"]:
    if space is None or not store.capabilities.vectors:
        return "none"
    current = await vector_store(store).current_space()
    if current is None:
        return "new"
    alike = current.same_as(space)
    return "same" if alike else "other"


Finding = Literal["new", "newer", "tombstoned", "same", "kept", "deleted here", "conflict", "differs"]
"""What one entry of a stream is to a store. `differs` is settled by the histories of both."""


def _look(entry: Entry, present: MemoryRecord | None, away: Collection[str]) -> Finding:
    """Compare one entry with what the store has under its id."""
    if entry.tombstoned:
        return "kept" if present is not None else "same" if entry.id in away else "tombstoned"
    if present is None:
        return "deleted here" if entry.id in away else "new"
    return "same" if present.revision == entry.revision else "differs"


async def _compare(
    store: Store, stream: Stream, entries: Sequence[Entry], away: Collection[str]
) -> list[tuple[Entry, Finding, str | None]]:
    """Compare entries with a store.

    Returns:
        For each entry what it is to the store, and the revision that the store has of it.
    """
    present = await store.get([entry.id for entry in entries])
    findings = {entry.id: _look(entry, present.get(entry.id), away) for entry in entries}
    differ = [entry for entry in entries if findings[entry.id] == "differs"]
    if differ:
        findings |= await _by_history(store, stream, differ, present)
    return [
        (entry, findings[entry.id], present[entry.id].revision if entry.id in present else None)
        for entry in entries
    ]


async def _by_history(
    store: Store, stream: Stream, differ: Sequence[Entry], present: Mapping[str, MemoryRecord]
) -> dict[str, Finding]:
    """Say of memories in two versions which of the two was made from the other, if one was."""
    theirs = {item.id: item for item in await stream.read(differ)} if stream.head.parts.history else {}
    ours = await store.histories([entry.id for entry in differ]) if isinstance(store, JournalStore) else {}
    result: dict[str, Finding] = {}
    for entry in differ:
        known = {version.revision for version in ours.get(entry.id, ())}
        told = {version.revision for version in theirs[entry.id].history} if entry.id in theirs else set()
        if entry.revision in known:
            result[entry.id] = "same"
        else:
            result[entry.id] = "newer" if present[entry.id].revision in told else "conflict"
    return result


async def _check_keys(store: Store, stream: Stream, result: Decision) -> None:
    """Find active memories here that have a key which one of the stream is to have, and do not give it up."""
    wanted = {item.key: item.id for item in (*result.new, *result.newer) if item.key is not None}
    taken = {item.id: item.key for item in (*result.new, *result.newer)}
    names = sorted({key for _, key in wanted})
    for batch in batched(names, BATCH):
        part = Where(keys=tuple(batch), expired=None)
        for here in await store.select(part):
            key = (here.memory_type, here.key or "")
            comer = wanted.get(key)
            if comer is None or comer == here.id or taken.get(here.id, key) != key:
                continue
            result.conflicts.setdefault(comer, f"has the key '{here.key}', which {here.id} has here")
            result.make_way.setdefault(comer, []).append(here.id)


def _refused(conflicts: dict[str, str], total: int) -> ValidationError:
    shown = [f"{item} {what}" for item, what in list(conflicts.items())[:_SHOWN]]
    more = f", and {len(conflicts) - _SHOWN} more" if len(conflicts) > _SHOWN else ""
    return ValidationError(
        f"{len(conflicts)} of {total} memories conflict, and nothing was written: {', '.join(shown)}{more}",
        hint=Hint("{KEEP} leaves those as they are here, {REPLACE} takes the others"),
    )


class Importer:
    """Writes what was decided."""

    def __init__(
        self, store: Store, stream: Stream, decision: Decision, *, actor: str | None, session: str | None
    ) -> None:
        self._store = store
        self._stream = stream
        self._decision = decision
        self._actor = actor
        self._session = session
        self._space: EmbeddingSpace | None = None

    async def take(self, progress: Progress | None = None) -> None:
        """Write it all. Stopped at any moment and run again, it goes on where it was."""
        decision, head = self._decision, self._stream.head
        for name, value in head.settings.items():
            if await self._store.setting(name) is None:
                await self._store.set_setting(name, value)
        if decision.space == "new" and head.space is not None:
            self._space = await vector_store(self._store).add_space(head.space)
        elif decision.space == "same":
            self._space = await vector_store(self._store).current_space()
        # A key may have passed from one memory to another: what gives one up goes first.
        decision.newer.sort(key=lambda item: item.key is not None)
        entries = [*decision.newer, *decision.new, *decision.tombstoned]
        done = 0
        for batch in batched(entries, BATCH):
            await self._write(await self._stream.read(batch))
            done += len(batch)
            if progress is not None:
                progress(done, len(entries))
        if self._space is not None and head.parts.vectors:
            await self._embed_pending(self._space)

    async def _embed_pending(self, space: EmbeddingSpace) -> None:
        """Give memories that were here before the vectors that they lack."""
        count = await vector_store(self._store).pending_count(space)
        pending = (
            {record.id: record for record in await vector_store(self._store).pending(count, space)}
            if count
            else {}
        )
        entries = [entry for entry in self._stream.entries if entry.id in pending and not entry.tombstoned]
        for batch in batched(entries, BATCH):
            vectors = {
                embedding_hash(embedded_text(item.record)): item.vectors
                for item in await self._stream.read(batch)
                if item.vectors and item.record is not None and item.revision == pending[item.id].revision
            }
            if vectors:
                await vector_store(self._store).put_vectors(space, vectors)

    async def _write(self, items: Sequence[Item]) -> None:
        away = [entry.id for entry in items if entry.id not in self._decision.onto]
        known = await self._known([entry.id for entry in items if entry.id in self._decision.onto], away)
        changes: list[Change] = await self._made_way(items)
        buried: list[Tombstone] = []
        vectors: dict[bytes, Sequence[bytes]] = {}
        for item in items:
            if item.record is None:
                assert item.end is not None
                buried.append(Tombstone(item.id, item.history or [item.end]))
                continue
            changes.append(self._take(item, item.record, known.get(item.id, ())))
            if item.vectors and self._space is not None:
                vectors[embedding_hash(embedded_text(item.record))] = item.vectors
        operation = Operation(verb=Verb.IMPORT, actor=self._actor, session=self._session)
        if self._store.capabilities.journal:
            changes += buried
        elif buried:
            await note(self._store, buried)
        await self._store.commit(operation, changes, vectors, self._space if vectors else None)

    async def _known(self, present: Sequence[str], absent: Sequence[str]) -> dict[str, list[Version]]:
        """Return the versions that the journal has of memories which are here, or were."""
        if not self._store.capabilities.journal:
            return {}
        away = [item for item in absent if item in self._decision.conflicts]
        return {**await journal_store(self._store).histories(present), **await ends(self._store, away)}

    def _take(self, item: Item, record: MemoryRecord, known: Sequence[Version]) -> Import:
        there = {version.revision for version in known}
        history = [version for version in item.history if version.revision not in there]
        if known and (not history or history[-1].revision != record.revision):
            history = [_brought_back(record, known[-1])]
        return Import(
            record, history, onto=self._decision.onto.get(item.id), usage=self._stream.head.parts.usage
        )

    async def _made_way(self, items: Sequence[Item]) -> list[Change]:
        wanted = [other for item in items for other in self._decision.make_way.get(item.id, ())]
        if not wanted:
            return []
        records = await self._store.get(wanted)
        return [
            Replace(replace(result, status=Status.ARCHIVED), Verb.ARCHIVE)
            for result in records.values()
            if result.status is Status.ACTIVE
        ]


def _brought_back(record: MemoryRecord, last: Version) -> Version:
    """Describe how a memory comes back to a version that the journal has already."""
    return Version(
        memory_id=record.id,
        revision=record.revision,
        parent=last.revision,
        operation_id="",
        verb=Verb.RESTORE if last.after is None else Verb.IMPORT,
        at=record.updated_at,
        before=last.after,
        after=record,
    )
