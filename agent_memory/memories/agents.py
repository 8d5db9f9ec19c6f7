"""The agents that have a file on this machine: listing, renaming, removing.

What is done to a whole file is done while nobody else has it open, and refused otherwise.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent_memory import filesystem, paths
from agent_memory.errors import (
    AgentMemoryError,
    BackendError,
    IntegrityError,
    MemoryNotFoundError,
    PolicyError,
    ValidationError,
)
from agent_memory.hints import Hint

if TYPE_CHECKING:
    from agent_memory.storage.sqlite.salvage import Salvaged


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
    former_agent_id: str | None = None
    """What it was called before it was renamed."""
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

    Returns:
        The agents, those whose file cannot be read last.

    Raises:
        BackendError: the folder cannot be listed.
    """
    folder = home or paths.home()
    try:
        agents = [_look(path) for path in sorted(folder.iterdir()) if path.suffix == ".db"]
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise BackendError(f"cannot look into {folder}: {error.strerror}") from error
    return sorted(agents, key=lambda item: (item.agent_id is None, item.agent_id or item.path.name))


def get_agent(agent_id: str, home: Path | None = None) -> AgentFile:
    """Return one agent's file.

    Raises:
        MemoryNotFoundError: it has none; the message names the one meant, if one is spelt nearly so.
        BackendError: what has the name of its file is no file.
    """  # noqa: DOC501
    path = _path(agent_id, home)
    if filesystem.file_size(path) is not None:
        return _look(path)
    raise _unknown(agent_id, home)


def nearest(agent_id: str, home: Path | None = None) -> str | None:
    """Return the agent whose name is spelt most like this one, if any is spelt much like it."""
    from difflib import get_close_matches

    names = {
        agent.agent_id.casefold(): agent.agent_id for agent in list_agents(home) if agent.agent_id is not None
    }
    matches = get_close_matches(agent_id.casefold(), names, 1, 0.6)
    return names[matches[0]] if matches else None


def remove_agent(agent_id: str, home: Path | None = None) -> AgentFile:
    """Delete an agent's file and what stands beside it, and return what it was. This cannot be undone.

    Returns:
        What the file was.

    Raises:
        MemoryNotFoundError: there is none.
        PolicyError: the file of that name is another program's, or holds another agent.
        StoreBusyError: another process has it open.
    """
    from agent_memory.storage.sqlite import ownership

    agent = check_removable(agent_id, home)
    # A link goes with the file that it leads to.
    path = agent.path.resolve()
    with suppress(IntegrityError), ownership.alone(path), suppress(PermissionError):
        ownership.delete(path)  # on Windows not while it is open
    ownership.delete(path)
    agent.path.unlink(missing_ok=True)
    return agent


def check_removable(agent_id: str, home: Path | None = None) -> AgentFile:
    """Return an agent's file if it may be deleted. Raises as `remove_agent` does."""
    from agent_memory.storage.sqlite import peek

    agent = get_agent(agent_id, home)
    if agent.problem is not None and not peek.deletable(agent.path):
        raise PolicyError(
            f"{agent.path} is not the memory of an agent", hint="if it may go, delete it yourself"
        )
    if agent.agent_id not in (None, paths.check_agent_id(agent_id)):
        raise PolicyError(
            f"{agent.path} holds the agent '{agent.agent_id}', not '{agent_id}'",
            hint="if it may go, delete it yourself",
        )
    return agent


def rename_agent(agent_id: str, new_id: str, home: Path | None = None) -> Path:
    """Give an agent another id, in its file and as the file's name, and return the file.

    A renaming that was cut off at any moment is finished by calling it again, or by opening the file.

    Returns:
        The path of the file.

    Raises:
        MemoryNotFoundError: there is no such agent.
        PolicyError: what has the name of its file is a link to the file of another agent.
        ValidationError: the new id is no id, or another agent has it.
        StoreBusyError: another process has the file open.
        BackendError: the file cannot be read.
    """
    from agent_memory.storage.sqlite import ownership

    source, target = _path(agent_id, home), _path(new_id, home)
    agent_id, new_id = paths.check_agent_id(agent_id), paths.check_agent_id(new_id)
    if filesystem.file_size(source) is None and filesystem.file_size(target) is not None:
        done = _look(target)
        if (done.former_agent_id, done.agent_id) == (agent_id, new_id):
            ownership.finish(target)  # it was cut off after the file had its new name
            return target
    agent = get_agent(agent_id, home)
    if agent.problem is not None:
        raise BackendError(
            f"the agent '{agent_id}' cannot be read: {agent.problem}", hint=Hint("{CHECK} may know more")
        )
    if agent.agent_id not in (None, agent_id) and _has_another_name(source):
        raise PolicyError(
            f"{source} is another name of the file of the agent '{agent.agent_id}'",
            hint=f"rename '{agent.agent_id}', or copy its file first",
        )
    try:
        ownership.rename(source, target, new_id)
    except FileExistsError:
        raise ValidationError(f"the agent '{new_id}' exists already", hint="choose another name") from None
    return target


def salvage(path: Path, new: Path) -> Salvaged:
    """Save what can still be read of a damaged file into a new one.

    Args:
        path: the damaged file, which is only read.
        new: a file that does not exist yet.

    Returns:
        How much was saved, what was restored from the history, and what is lost.

    Raises:
        MemoryNotFoundError: there is no such file.
        ValidationError: there is something at `new`, or no folder for it.
        IntegrityError: nothing can be read; no new file is left then.
    """
    from agent_memory.storage.sqlite.salvage import salvage

    return salvage(path, new)


def _path(agent_id: str, home: Path | None) -> Path:
    return (home or paths.home()) / f"{paths.file_stem(agent_id)}.db"


def _has_another_name(path: Path) -> bool:
    """Return whether a file can be reached by another name as well: this one is a link."""
    return path.is_symlink() or path.stat().st_nlink > 1


def _look(path: Path) -> AgentFile:
    from agent_memory.storage.sqlite import ownership, peek

    size = 0
    try:
        for file in (path, *(ownership.beside(path, suffix) for suffix in ownership.BESIDE)):
            size += filesystem.file_size(file) or 0
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
        former_agent_id=inside.former_agent_id,
    )


def _unknown(agent_id: str, home: Path | None) -> MemoryNotFoundError:
    near = nearest(agent_id, home)
    hint = f"did you mean '{near}'?" if near else Hint("{AGENTS} shows those there are")
    return MemoryNotFoundError(agent_id, what="agent", hint=hint)
