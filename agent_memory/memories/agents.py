"""The agents that have a file on this machine: listing, renaming, removing.

What is done to a whole file is done while nobody else has it open, and refused otherwise.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from agent_memory import paths
from agent_memory.errors import (
    AgentMemoryError,
    BackendError,
    MemoryNotFoundError,
    StoreBusyError,
    ValidationError,
)

_BESIDE = ("-wal", "-shm", "-journal")
_PATIENCE = 2.0  # seconds to wait for others to let go of a file


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentFile:
    """One agent's file."""

    agent_id: str | None
    """As the file itself says; None if it could not be read."""
    path: Path
    bytes: int
    """On the disk, with what stands beside the file."""
    memories: dict[str, int] = field(default_factory=dict)
    """Live memories per type."""
    last_write: str | None = None
    """ISO-8601 in UTC."""
    embedded_with: str | None = None
    schema_version: int | None = None
    problem: str | None = None
    """Why it could not be read."""

    @property
    def total(self) -> int:
        """How many live memories it holds."""
        return sum(self.memories.values())


def to_dict(agent: AgentFile) -> dict[str, Any]:
    """Return the same as JSON values."""
    result = asdict(agent) | {"path": str(agent.path), "total": agent.total}
    return {"agent_id": result.pop("agent_id"), "total": result.pop("total"), **result}


def list_agents(home: Path | None = None) -> list[AgentFile]:
    """List the agents with a file in a folder, by name; without one, in the usual folder.

    A file that cannot be read is listed with its problem.
    """
    folder = home or paths.home()
    found = [_look(path) for path in sorted(folder.glob("*.db"))] if folder.is_dir() else []
    return sorted(found, key=lambda each: (each.agent_id is None, each.agent_id or each.path.name))


def get_agent(agent_id: str, home: Path | None = None) -> AgentFile:
    """Return one agent's file.

    Raises:
        MemoryNotFoundError: it has none; the message names the one meant, if one is spelt nearly so.
    """
    path = _path(agent_id, home)
    if path.is_file():
        return _look(path)
    raise _unknown(agent_id, home)


def nearest(agent_id: str, home: Path | None = None) -> str | None:
    """Return the agent whose name is spelt most like this one, if any is spelt much like it."""
    from difflib import get_close_matches

    names = {
        each.agent_id.casefold(): each.agent_id for each in list_agents(home) if each.agent_id is not None
    }
    found = get_close_matches(agent_id.casefold(), names, 1, 0.6)
    return names[found[0]] if found else None


def remove_agent(agent_id: str, home: Path | None = None) -> AgentFile:
    """Delete an agent's file and what stands beside it, and return what it was. This cannot be undone.

    Raises:
        MemoryNotFoundError: there is none.
        StoreBusyError: another process has it open.
    """
    found = get_agent(agent_id, home)
    if found.problem is None:
        with _alone_with(found.path), suppress(PermissionError):  # Windows: not while it is open
            _unlink(found.path)
    _unlink(found.path)
    return found


def rename_agent(agent_id: str, new_id: str, home: Path | None = None) -> Path:
    """Give an agent another id, in its file and as the file's name, and return the file.

    Raises:
        MemoryNotFoundError: there is no such agent.
        ValidationError: the new id is no id, or another agent has it.
        StoreBusyError: another process has the file open.
    """
    found, new_id = get_agent(agent_id, home), paths.check_agent_id(new_id)
    if found.problem is not None:
        raise BackendError(
            f"{found.path} cannot be read: {found.problem}", hint="`agentmem status` may know more"
        )
    target = _path(new_id, home)
    if target == found.path:
        return target
    try:
        # The name is taken before anything else, since `replace` would not ask whose file it replaces.
        os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except FileExistsError:
        raise ValidationError(f"the agent '{new_id}' exists already", hint="choose another name") from None
    try:
        with _alone_with(found.path) as connection:
            connection.execute("update setting set value = ? where name = 'agent_id'", (new_id,))
        # Closed by the only one who had it, the file is whole: nothing is left beside it under its old name.
        found.path.replace(target)
    except BaseException:
        target.unlink()
        raise
    return target


@contextmanager
def _alone_with(path: Path) -> Iterator[Any]:
    """Hold a file so that no other process can open it, after those that have it open had time to let go."""
    from agent_memory.storage.sqlite import driver
    from agent_memory.storage.sqlite.connection import translated

    with translated(str(path)):
        connection = driver.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True, timeout=_PATIENCE)
        try:
            # In this mode WAL keeps its index in this process's memory, which works for one process only.
            connection.execute("pragma locking_mode = exclusive")
            try:
                connection.execute("begin exclusive")
                connection.execute("commit")
            except driver.Error as error:
                raise StoreBusyError(str(path)) from error
            yield connection
        finally:
            connection.close()


def _unlink(path: Path) -> None:
    for file in (path, *(path.with_name(path.name + suffix) for suffix in _BESIDE)):
        file.unlink(missing_ok=True)


def _path(agent_id: str, home: Path | None) -> Path:
    return (home or paths.home()) / f"{paths.file_stem(agent_id)}.db"


def _look(path: Path) -> AgentFile:
    from agent_memory.storage.sqlite import peek

    size = sum(
        file.stat().st_size
        for file in (path, *(path.with_name(path.name + suffix) for suffix in _BESIDE))
        if file.exists()
    )
    try:
        inside = peek.contents(path)
    except AgentMemoryError as error:
        return AgentFile(agent_id=None, path=path, bytes=size, problem=error.message)
    return AgentFile(
        agent_id=inside.agent_id,
        path=path,
        bytes=size,
        memories=inside.memories,
        last_write=inside.last_write,
        embedded_with=inside.embedded_with,
        schema_version=inside.schema_version,
    )


def _unknown(agent_id: str, home: Path | None) -> MemoryNotFoundError:
    near = nearest(agent_id, home)
    hint = f"did you mean '{near}'?" if near else "`agentmem agents list` shows those there are"
    return MemoryNotFoundError(agent_id, what="agent", hint=hint)
