"""Opening a memory where there may be none yet: reading one that has no file is reading an empty one.

A program that only reads must not make a file, and a misspelt agent must not look like one that knows nothing. So the
faces ask here what is meant before they open a memory for a call that stores nothing.
"""

from __future__ import annotations

import os
import shlex
from dataclasses import dataclass, replace
from pathlib import Path

from agent_memory import filesystem
from agent_memory.hints import Hint
from agent_memory.settings import Settings

_LISTED = 5
"""How many of the agents that there are a notice names."""


@dataclass(frozen=True, slots=True)
class MissingFile:
    """A file that would hold memories, and does not exist."""

    path: Path
    agent_id: str | None
    """The agent that was asked for; None where the file itself was named."""
    similar: str | None = None
    """The agent whose name is spelt most like it, if any is spelt much like it."""
    known: tuple[str, ...] = ()
    """The agents that have a file beside it, by name."""

    @property
    def notice(self) -> Hint:
        """What to tell whoever asked: that there is nothing, and what may be meant."""
        if self.agent_id is None:
            if self.path.parent.is_dir():
                return Hint("there is no file {path}; {ADD} makes it", path=str(self.path))
            return Hint(
                "there is no file {path}; nor its folder: {MAKE_FOLDER}",
                path=str(self.path),
                folder=shlex.quote(str(self.path.parent)),
            )
        return Hint("the agent '{agent}' has no memory yet; {meant}", agent=self.agent_id, meant=self._meant)

    @property
    def _meant(self) -> Hint:
        if self.similar is not None:
            return Hint("did you mean {AGENT}?", agent=self.similar)
        if not self.known:
            if not _may_be_made(self.path):
                return Hint("{folder} cannot be written: give {ANOTHER_FILE}", folder=str(self.path.parent))
            return Hint("{ADD} makes it")
        named = ", ".join(self.known[:_LISTED])
        if len(self.known) <= _LISTED:
            return Hint("known are {named}", named=named)
        return Hint(
            "known are {named} and {count} more: {AGENTS}", named=named, count=len(self.known) - _LISTED
        )


def _may_be_made(path: Path) -> bool:
    """Return whether a file may be made here, with the folders that are not there yet."""
    there = next(folder for folder in path.absolute().parents if os.path.lexists(folder))
    return there.is_dir() and os.access(there, os.W_OK | os.X_OK)


def missing_file(path: Path, agent_id: str | None, home: Path | None = None) -> MissingFile | None:
    """Return what is missing where a file does not exist; None where it does.

    Args:
        path: the file that would hold the memories.
        agent_id: the agent that was asked for; None where the file itself was named.
        home: the folder of the agents' files, if not the usual one.
    """
    if filesystem.kind(path) is not None:
        return None
    if agent_id is None:
        return MissingFile(path, None)
    from agent_memory.memories.agents import list_agents, nearest

    known = [agent.agent_id for agent in list_agents(home) if agent.agent_id is not None]
    return MissingFile(path, agent_id, nearest(agent_id, home), tuple(sorted(known)))


def empty(settings: Settings) -> Settings:
    """Return settings with which an empty memory is read that nothing keeps."""
    return replace(settings, backend="memory", backend_config={})


def empty_status(path: Path, agent_id: str | None) -> dict[str, object]:
    """Return what `get_status` of a memory without a file has instead of what it says of the empty one.

    Args:
        path: the file that would hold the memories.
        agent_id: whose memories they would be.
    """
    return {"agent_id": agent_id, "level": "empty", **empty_statistics(path)}


def empty_statistics(path: Path) -> dict[str, object]:
    """Return what `get_stats` of a memory without a file has instead of what it says of the empty one.

    Args:
        path: the file that would hold the memories.
    """
    return {"location": str(path), "backend": "sqlite", "bytes": 0}


def check_backend(name: str) -> str:
    """Return the name or URL of a backend if there is such a backend.

    Raises:
        ConfigurationError: there is none; the message lists those that there are.
    """
    from agent_memory.storage.registry import check_backend_name

    return check_backend_name(name)


def values_in(path: Path, kind: str, beginning: str) -> list[tuple[str, str]]:
    """List what a file holds of a kind and begins so, each with a word on what it is: for completions.

    Nothing is opened for it, so that a shell need not wait. What cannot be listed gives nothing.

    Returns:
        The values, each with its description.
    """
    from agent_memory.storage.sqlite import peek

    return peek.values(path, kind, beginning) if kind in peek.KINDS and path.is_file() else []
