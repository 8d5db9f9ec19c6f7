"""What taking a stream over would mean for a store: which of its memories are new, known, newer, or in conflict."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, get_args

from agent_memory.batching import batched
from agent_memory.errors import ConfigurationError, ValidationError
from agent_memory.hints import Hint
from agent_memory.records import MemoryRecord, Version
from agent_memory.storage.base import EmbeddingSpace, JournalStore, Store, vector_store
from agent_memory.storage.where import Where
from agent_memory.transfer.stream import BATCH, Entry, Stream
from agent_memory.transfer.tombstones import ends, tombstoned
from agent_memory.verbs import Verb

OnConflict = Literal["refuse", "keep", "replace"]
TAKEN_OUT: Final = "was taken out here"
"""What is the matter with a memory that is gone here only."""
_CONFLICTS: Mapping[str, str] = {
    "deleted here": TAKEN_OUT,
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
    removed: list[Entry] = field(default_factory=list)
    """Taken out there since they were copied here, or erased from the history there; only where that is followed."""
    same: int = 0
    """Here already, or here in a later version."""
    kept: list[str] = field(default_factory=list)
    """Here and different, and left as they are here: what conflicts, and what was taken out there only."""
    returned: set[str] = field(default_factory=set)
    """Of the new ones, those that an import took out here and that are there again."""
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
        return len(self.new) + len(self.newer) + len(self.tombstoned) + len(self.removed)

    def note(self, entry: Entry, finding: Finding, revision: str | None) -> None:
        """Note what one entry of the stream is to the store, which has it in `revision`, if at all."""
        entries = {
            "tombstoned": self.tombstoned,
            "removed": self.removed,
            "new": self.new,
            "deleted here": self.new,
            "returned": self.new,
            "newer": self.newer,
            "conflict": self.newer,
        }
        if finding == "same":
            self.same += 1
        elif finding == "kept":
            self.kept.append(entry.id)
        else:
            entries[finding].append(entry)
        if finding == "returned":
            self.returned.add(entry.id)
        if finding in _CONFLICTS:
            self.conflicts[entry.id] = _CONFLICTS[finding]
        if revision is not None and finding in ("newer", "conflict"):
            self.onto[entry.id] = revision


async def decide(
    store: Store, stream: Stream, on_conflict: OnConflict = "refuse", *, follow: bool = False
) -> Decision:
    """Compare a stream with an open store. Writes nothing.

    Args:
        store: an open store.
        stream: what is to be taken over.
        on_conflict: what to do where a memory is here in another version, or was taken out here.
        follow: the store is a copy that is brought up to date: what an import wrote here and nobody has changed since
            is no conflict, and what was taken out there is taken out here.

    Returns:
        What is to be done with each memory.

    Raises:
        ConfigurationError: there is no such way to settle conflicts.
        ValidationError: there are conflicts, and they are to be refused.
    """  # noqa: DOC501
    if on_conflict not in get_args(OnConflict):
        raise ConfigurationError.unknown("way to settle conflicts", on_conflict, get_args(OnConflict))
    result = Decision(space=await fits(store, stream.head.space))
    away = None if follow else set(await tombstoned(store))
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


async def fits(store: Store, space: EmbeddingSpace | None) -> Literal["none", "same", "new", "other"]:
    """Return whether vectors of a space can be used in a store."""
    if space is None or not store.capabilities.vectors:
        return "none"
    current = await vector_store(store).current_space()
    if current is None:
        return "new"
    alike = current.same_as(space)
    return "same" if alike else "other"


Finding = Literal[
    "new",
    "newer",
    "tombstoned",
    "removed",
    "returned",
    "same",
    "kept",
    "deleted here",
    "conflict",
    "differs",
]
"""What one entry of a stream is to a store. `differs` is settled by the histories of both."""


def _look(entry: Entry, present: MemoryRecord | None, away: Collection[str], *, follow: bool) -> Finding:
    """Compare one entry with what the store has under its id."""
    known = present is not None or entry.id in away
    if not known:
        return "tombstoned" if entry.tombstoned else "new"
    if present is not None and present.revision == entry.revision:
        return "same"
    if follow:
        return "differs"
    if entry.tombstoned:
        return "same" if present is None else "kept"
    return "deleted here" if present is None else "differs"


async def _compare(
    store: Store, stream: Stream, entries: Sequence[Entry], away: Collection[str] | None
) -> list[tuple[Entry, Finding, str | None]]:
    """Compare entries with a store. `away` is all that was taken out of it; None: it follows the stream.

    Returns:
        For each entry what it is to the store, and the revision that the store has of it.
    """
    present = await store.get([entry.id for entry in entries])
    follow = away is None
    if away is None:
        away = set(await ends(store, [entry.id for entry in entries if entry.id not in present]))
    findings = {entry.id: _look(entry, present.get(entry.id), away, follow=follow) for entry in entries}
    differ = [entry for entry in entries if findings[entry.id] == "differs"]
    if differ:
        findings |= await _by_history(store, stream, differ, present, follow=follow)
    return [
        (entry, findings[entry.id], present[entry.id].revision if entry.id in present else None)
        for entry in entries
    ]


async def _by_history(
    store: Store,
    stream: Stream,
    differ: Sequence[Entry],
    present: Mapping[str, MemoryRecord],
    *,
    follow: bool,
) -> dict[str, Finding]:
    """Compare memories in two versions: which of the two was made from the other, if one was."""
    theirs = {item.id: item for item in await stream.read(differ)} if stream.head.parts.history else {}
    ours = await store.histories([entry.id for entry in differ]) if isinstance(store, JournalStore) else {}
    result: dict[str, Finding] = {}
    for entry in differ:
        there = theirs[entry.id].history if entry.id in theirs else ()
        here = ours.get(entry.id, ())
        copied = follow and (not here or here[-1].operation_verb == Verb.IMPORT)
        if entry.id in present:
            result[entry.id] = _of_two(entry, present[entry.id], there, here, copied=copied)
        elif entry.tombstoned:
            forgotten = not tells(there) and tells(here)
            result[entry.id] = "removed" if follow and forgotten else "same"
        else:
            result[entry.id] = "returned" if copied else "deleted here"
    return result


def _of_two(
    entry: Entry, present: MemoryRecord, there: Sequence[Version], here: Sequence[Version], *, copied: bool
) -> Finding:
    """Compare a memory in a stream with the version of it in the store."""
    if entry.revision in {version.revision for version in here}:
        return "same"
    older = copied or present.revision in {version.revision for version in there}
    if entry.tombstoned:
        return "removed" if older else "kept"
    return "newer" if older else "conflict"


def tells(history: Sequence[Version]) -> bool:
    """Return whether the text of a memory is in its history."""
    return any(version.before is not None or version.after is not None for version in history)


async def _check_keys(store: Store, stream: Stream, result: Decision) -> None:
    """Find active memories here that have a key which one of the stream is to have, and do not give it up."""
    wanted = {item.key: item.id for item in (*result.new, *result.newer) if item.key is not None}
    taken = {item.id: item.key for item in (*result.new, *result.newer, *result.removed)}
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
