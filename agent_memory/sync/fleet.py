"""Listing and moving many agents, blocking."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar

from agent_memory.storage.registry import create_store
from agent_memory.sync.loop import Loop
from agent_memory.transfer.deciding import OnConflict
from agent_memory.transfer.fleet import AgentMoved, Fleet, Report, unreported
from agent_memory.transfer.places import Place

T = TypeVar("T")


def list_stored_agents(backend: str, options: Mapping[str, Any], *, offline: bool = False) -> list[str]:
    """List the agents that a backend keeps something of; of a cluster, those of every server.

    Args:
        backend: its name or URL.
        options: the values of `backend_config`.
        offline: whether the network may not be used.

    Returns:
        The agents, by name.
    """
    store = create_store(backend, "default", options)
    store.check_allowed(offline=offline)
    return _run(store.list_agents)


def migrate_agents(
    fleet: Fleet,
    target: Place,
    *,
    on_conflict: OnConflict = "refuse",
    switch: bool = False,
    dry_run: bool = False,
    report: Report = unreported,
) -> list[AgentMoved]:
    """Do what `Fleet.migrate_to` does; `report` is called in another thread."""
    return _run(
        lambda: fleet.migrate_to(
            target, on_conflict=on_conflict, switch=switch, dry_run=dry_run, report=report
        )
    )


def reopen_agents(fleet: Fleet, report: Report = unreported) -> list[AgentMoved]:
    """Do what `Fleet.reopen` does; `report` is called in another thread."""
    return _run(lambda: fleet.reopen(report))


def _run(call: Callable[[], Awaitable[T]]) -> T:
    loop = Loop()
    try:
        return loop.call(call)
    finally:
        loop.stop()
