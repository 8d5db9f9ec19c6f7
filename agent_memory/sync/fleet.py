"""The agents that a backend keeps: listing, removing and moving them, blocking."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from difflib import get_close_matches
from typing import Any, TypeVar

from agent_memory.errors import MemoryNotFoundError
from agent_memory.hints import Hint
from agent_memory.storage.base import Store
from agent_memory.storage.registry import create_store
from agent_memory.storage.where import Where
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


def look_at_stored_agent(
    agent_id: str, backend: str, options: Mapping[str, Any], *, offline: bool = False
) -> dict[str, Any]:
    """Return what a backend keeps of an agent; nothing is made there, and no agent is made known.

    Args:
        agent_id: the agent.
        backend: the name or URL of the backend.
        options: the values of `backend_config`.
        offline: whether the network may not be used.

    Returns:
        `agent_id`, `total`, `location`, and `memories` by type.

    Raises:
        MemoryNotFoundError: it keeps nothing of this agent; the error names the one meant, if one is spelt nearly so.
    """
    return _run(lambda: _look(agent_id, backend, options, offline))


def remove_stored_agent(
    agent_id: str, backend: str, options: Mapping[str, Any], *, offline: bool = False
) -> None:
    """Delete everything that a backend keeps of an agent, its history included. This cannot be undone.

    Args:
        agent_id: the agent.
        backend: the name or URL of the backend.
        options: the values of `backend_config`.
        offline: whether the network may not be used.

    Raises:
        MemoryNotFoundError: it keeps nothing of this agent.
    """
    _run(lambda: _remove(agent_id, backend, options, offline))


async def _stored(agent_id: str, backend: str, options: Mapping[str, Any], offline: bool) -> Store:
    """Return the unopened store of an agent of which there is something."""
    store = create_store(backend, agent_id, options)
    store.check_allowed(offline=offline)
    agent_id = store.requested_agent or agent_id
    names = await store.list_agents()
    if agent_id not in names:
        near = get_close_matches(agent_id.casefold(), {name.casefold(): name for name in names}, 1, 0.6)
        meant = next((name for name in names if near and name.casefold() == near[0]), None)
        hint = f"did you mean '{meant}'?" if meant else Hint("{AGENTS} shows those there are")
        raise MemoryNotFoundError(agent_id, what="agent", hint=hint)
    return store


async def _look(agent_id: str, backend: str, options: Mapping[str, Any], offline: bool) -> dict[str, Any]:
    store = await _stored(agent_id, backend, options, offline)
    await store.open()
    try:
        live = await store.groups(Where(), "type")
        about = await store.describe()
        return {
            "agent_id": store.agent_id,
            "total": sum(group.count for group in live),
            "location": about.location,
            "memories": {group.value: group.count for group in live},
        }
    finally:
        await store.close()


async def _remove(agent_id: str, backend: str, options: Mapping[str, Any], offline: bool) -> None:
    store = await _stored(agent_id, backend, options, offline)
    await store.open()
    try:
        await store.drop()
    finally:
        await store.close()


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
