"""The command that starts the server, as another program has to be told it."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

NAME: Final = "agentmem"
"""What the server is called in every host; the names of the tools begin with it."""

_EVERYWHERE: Final = ("/usr/local/bin", "/usr/bin", "/bin")
"""Folders that are on the PATH of every program, one that was not started from a shell too."""
_WHERE: Final = ("AGENTMEM_HOME", "AGENTMEM_CONFIG", "AGENTMEM_CACHE", "AGENTMEM_DB")
"""Variables that are paths, and say which memory it is."""
_SYSTEM: Final = ("XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME")
_NOT_FOR_SERVERS: Final = ("AGENTMEM_OUTPUT", "AGENTMEM_SESSION", "AGENTMEM_LIMIT", "AGENTMEM_WARM")


class Server(NamedTuple):
    """A command with its environment."""

    command: str
    arguments: Sequence[str]
    variables: Mapping[str, str] = {}
    """What it needs of the environment; some hosts start servers with next to none."""
    left_out: Sequence[str] = ()
    """Variables that are set here and not repeated, as they may hold a password."""

    @property
    def words(self) -> list[str]:
        """The command and its arguments."""
        return [self.command, *self.arguments]

    def as_object(self, **more: object) -> dict[str, object]:
        """Return the members that most hosts have in their JSON; those in `more` stand before them."""
        variables = {"env": dict(self.variables)} if self.variables else {}
        return {**more, "command": self.command, "args": list(self.arguments), **variables}


class Entry(NamedTuple):
    """What to give a host."""

    text: str
    """To paste, or to run."""
    where: str
    """Where it goes."""
    notes: Sequence[str] = ()
    """What its reader has to know."""


def this_server(
    *,
    agent: str | None = None,
    db: str | None = None,
    backend: str | None = None,
    offline: bool = False,
    read_only: bool = False,
    tools: Sequence[str] | None = None,
    environment: Mapping[str, str] | None = None,
    program: str | None = None,
) -> Server:
    """Describe how to start this very installation, with the same memory.

    Args:
        agent: whose memory.
        db: the file; a relative path is meant from here, wherever the host starts the server.
        backend: the backend's name or URL.
        offline: whether the network is forbidden.
        read_only: whether it offers nothing that writes.
        tools: the tools to offer; None offers all.
        environment: the variables; those of this process by default.
        program: how this program was called; as this process was by default.

    Returns:
        The command. It stands with its whole path, except where every program finds it.
    """
    environment = os.environ if environment is None else environment
    words = _program(sys.argv[0] if program is None else program)
    arguments = [*words[1:], "mcp"]
    for name, value in (("--agent", agent), ("--db", _absolute(db)), ("--backend", backend)):
        arguments += [name, value] if value else []
    arguments += ["--tools", ",".join(tools)] if tools is not None else []
    arguments += ["--offline"] if offline else []
    arguments += ["--read-only"] if read_only else []
    named = {"AGENTMEM_AGENT": agent, "AGENTMEM_DB": db, "AGENTMEM_BACKEND": backend}
    options = {variable for variable, value in named.items() if value}
    variables, left_out = _variables(environment, options)
    return Server(words[0], arguments, variables, left_out)


def _program(name: str) -> list[str]:
    """Return the words that start this program from any folder."""
    path = Path(name)
    if path.stem != NAME or os.sep not in name:
        # Started as `python -m agentmem_cli`, or by its name alone: the script lies beside the interpreter.
        beside = Path(sys.executable).with_name(NAME)
        program = str(beside) if beside.exists() else shutil.which(NAME)
        if program is None:
            return [sys.executable, "-m", "agentmem_cli"]
        path = Path(program)
    # A link, such as pipx makes, is left as it is: it stays where it is when the program is brought up to date.
    path = Path(os.path.abspath(path))  # noqa: PTH100 - `resolve` would follow the link
    return [NAME if str(path.parent) in _EVERYWHERE else str(path)]


def _absolute(path: str | None) -> str | None:
    if not path or path == ":memory:":
        return path
    return os.path.abspath(os.path.expanduser(path))  # noqa: PTH100, PTH111 - `resolve` would follow links


def _variables(environment: Mapping[str, str], options: set[str]) -> tuple[dict[str, str], list[str]]:
    """Return the variables that an entry repeats, and the names of those that it does not.

    Args:
        environment: the variables of this process.
        options: variables for which an option was given.

    Returns:
        The values, and the names.
    """
    kept = {name: value for name in (*_WHERE, *_SYSTEM) if (value := _absolute(environment.get(name)))}
    if agent := environment.get("AGENTMEM_AGENT"):
        kept["AGENTMEM_AGENT"] = agent
    kept = {name: value for name, value in kept.items() if name not in options}
    known = {*kept, *options, *_NOT_FOR_SERVERS}
    left = [name for name in environment if name.startswith("AGENTMEM_") and name not in known]
    return kept, sorted(left)


def as_json(value: object) -> str:
    """Return JSON as people write it in settings."""
    return json.dumps(value, indent=2, ensure_ascii=False)
