"""Naming the store that something is moved from or to: by a backend's name, a URL, or the path of a file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from agent_memory import filesystem, paths
from agent_memory.errors import ValidationError
from agent_memory.memories.agents import list_agents
from agent_memory.storage.base import Store
from agent_memory.storage.registry import BACKENDS, check_backend_name, create_store


class Place(NamedTuple):
    """A store, as somebody named it."""

    backend: str
    options: dict[str, Any]

    @property
    def file(self) -> Path | None:
        """The SQLite file that is meant; None where it is another backend, or no file was named."""
        if self.backend != "sqlite" or not self.options.get("path"):
            return None
        return paths.expanded(str(self.options["path"]))


def place(name: str, *, backend: str, options: Mapping[str, Any]) -> Place:
    """Return the store that a name means.

    Args:
        name: a backend's name, its URL, or the path of a SQLite file.
        backend: the backend in use.
        options: the options of the backend in use, which count for another store of that backend too.

    Raises:
        ConfigurationError: there is no such backend.
    """
    scheme, separator, rest = name.partition("://")
    if separator and scheme.lower() == "sqlite":
        return Place("sqlite", {"path": rest})
    if not separator and name not in BACKENDS.names():
        return Place("sqlite", {"path": name})
    same = backend.partition("://")[0] == scheme
    return Place(check_backend_name(name), dict(options) if same else {})


def source(place: Place, agent_id: str | None) -> Store:
    """Return the store to move from, which has to exist; of a file the agent may be left to the file."""
    options = {**place.options, "create": False} if place.backend == "sqlite" else place.options
    return create_store(place.backend, agent_id, options)


def check_lasting(backend: str) -> None:
    """Check that what is moved there stays: a store that is made in this process for it ends right afterwards.

    Args:
        backend: a backend's name, or its URL.

    Raises:
        ValidationError: it is the memory of this process.
    """
    if backend.partition("://")[0].lower() == "memory":
        raise ValidationError(
            "what is moved to the memory of this process is gone right afterwards",
            hint="give a file, or the URL of a server",
        )


def target(place: Place, agent_id: str, *, dry_run: bool) -> Store:
    """Return the store to move to. To only look at what would be done, no file is made.

    Raises:
        ValidationError: no file is named, the folder that it is to be in does not exist, or nothing there would last.
    """
    if not dry_run:
        check_lasting(place.backend)
    if place.backend != "sqlite":
        return create_store(place.backend, agent_id, place.options)
    if place.file is None:
        raise ValidationError("sqlite names no file", hint="give the file's path, or sqlite:///PATH")
    if not place.file.parent.is_dir():
        raise ValidationError(f"there is no folder {place.file.parent}", hint="make it first")
    if dry_run and filesystem.kind(place.file) is None:
        return create_store("memory", agent_id, {})
    return create_store(place.backend, agent_id, place.options)


# --- many agents -----------------------------------------------------------------------------------------------


async def agents(place: Place, home: Path) -> dict[str, Place]:
    """List the agents of a folder of SQLite files, or of a server, each with its own place.

    Args:
        place: a folder, or a server; of SQLite without a path, the folder `home`.
        home: the folder with the files of the agents.

    Returns:
        The places, by name of the agent.

    Raises:
        ValidationError: a single file is named.
        CapabilityError: the backend cannot list its agents.
    """
    if place.backend != "sqlite":
        return dict.fromkeys(await create_store(place.backend, "default", place.options).list_agents(), place)
    return {
        item.agent_id: Place("sqlite", {**place.options, "path": str(item.path)})
        for item in list_agents(_folder(place, home))
        if item.agent_id is not None
    }


def of_agent(place: Place, agent_id: str, home: Path) -> Place:
    """Return where one of many agents goes: a file in a folder, or the server."""
    if place.backend != "sqlite":
        return place
    path = _folder(place, home) / f"{paths.file_stem(agent_id)}.db"
    return Place("sqlite", {**place.options, "path": str(path)})


def _folder(place: Place, home: Path) -> Path:
    folder = place.file or home
    if filesystem.kind(folder) not in ("a folder", None):
        raise ValidationError(
            f"{folder} is no folder", hint="for many agents, give the folder of their files"
        )
    return folder
