"""What the server's settings promise about a write that was acknowledged."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from agent_memory.storage.base import Durability
from agent_memory.storage.postgres.reading import fetch
from agent_memory.storage.postgres.session import Connection

_SETTINGS: Final = ("fsync", "full_page_writes", "synchronous_commit", "synchronous_standby_names")
_STANDBYS: Final = {
    "standbys": "count(*)",
    "synchronous standbys": "count(*) filter (where sync_state in ('sync', 'quorum'))",
}
"""What is asked of `pg_stat_replication`. Users without the role pg_monitor see that there are standbys, no more."""
_WAITING: Final = frozenset({"on", "remote_write", "remote_apply"})
"""Values of `synchronous_commit` with which a commit waits for synchronous standbys, where any are named."""


async def read(connection: Connection) -> Durability:
    """Read the settings where writes go, and conclude."""
    columns = [f"current_setting('{name}')" for name in _SETTINGS]
    columns += [f"(select {count} from pg_stat_replication)" for count in _STANDBYS.values()]
    row = (await fetch(connection, f"select {', '.join(columns)}"))[0]
    return concluded(dict(zip((*_SETTINGS, *_STANDBYS), row, strict=True)))


def concluded(settings: Mapping[str, Any]) -> Durability:
    """Return what follows from the settings and the number of standbys."""
    return Durability(survives=_survives(settings), risks=tuple(_risks(settings)), settings=settings)


def _replicated(settings: Mapping[str, Any]) -> bool:
    """Return whether a write is acknowledged only after a standby has it."""
    return bool(settings["synchronous_standby_names"]) and settings["synchronous_commit"] in _WAITING


def _survives(settings: Mapping[str, Any]) -> str:
    if settings["synchronous_commit"] == "off":
        own = "a crash of the program that writes; of the server only after a second"
    elif settings["fsync"] == "off" or settings["full_page_writes"] == "off":
        own = "a crash of the server's program; not one of its machine, and no power cut"
    else:
        own = "a crash of the server, of its machine and a power cut"
    return (
        f"{own}; and the loss of the primary" if _replicated(settings) else f"{own}; not the loss of its disk"
    )


def _risks(settings: Mapping[str, Any]) -> Iterator[str]:
    if settings["synchronous_commit"] == "off":
        yield "a crash of the server takes the last writes: synchronous_commit = on prevents that"
    for name in ("fsync", "full_page_writes"):
        if settings[name] == "off":
            yield f"a power cut may damage the whole database: {name} = on prevents that"
    if settings["standbys"] and not _replicated(settings):
        yield (
            "a failover to a standby takes the writes that it did not have yet: synchronous_standby_names, with"
            " synchronous_commit = on, prevents that"
        )
    if _replicated(settings) and not settings["standbys"]:
        yield "no standby is connected: writes wait until one is"
