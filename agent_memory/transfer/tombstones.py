"""What was taken out of a store: from its journal, or for a store without one, from a note in its settings."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

from agent_memory import clock
from agent_memory.records import Version, canonical_json
from agent_memory.storage.base import Store, journal_store
from agent_memory.storage.changes import Tombstone

_NOTE = "gone"
"""The setting that holds, by id, what a store without a journal took over."""


async def tombstoned(store: Store) -> list[str]:
    """List the ids of memories that were taken out."""
    return (
        await journal_store(store).tombstoned() if store.capabilities.journal else list(await _noted(store))
    )


async def ends(store: Store, ids: Iterable[str]) -> dict[str, list[Version]]:
    """Return what is known of memories that are gone; the last version says how that came about."""
    wanted = list(ids)
    if store.capabilities.journal:
        return await journal_store(store).histories(wanted)
    noted = await _noted(store)
    return {item: [noted[item]] for item in wanted if item in noted}


async def note(store: Store, changes: Iterable[Tombstone]) -> None:
    """Take over that memories are gone into a store without a journal."""
    noted = await _noted(store, all_of_them=True)
    noted |= {change.memory_id: change.history[-1] for change in changes}
    said = {
        version.memory_id: [version.revision, version.parent, version.verb, clock.to_text(version.at)]
        for version in noted.values()
    }
    await store.set_setting(_NOTE, canonical_json(said))


async def _noted(store: Store, *, all_of_them: bool = False) -> dict[str, Version]:
    """Read the note, without what is there again."""
    said: Mapping[str, tuple[str, str | None, str, str]] = json.loads(await store.setting(_NOTE) or "{}")
    present = {} if all_of_them or not said else await store.get(list(said))
    return {
        memory_id: Version(
            memory_id=memory_id,
            revision=revision,
            parent=parent,
            operation_id="",
            verb=verb,
            at=clock.from_text(at),
            before=None,
            after=None,
        )
        for memory_id, (revision, parent, verb, at) in sorted(said.items())
        if memory_id not in present
    }
