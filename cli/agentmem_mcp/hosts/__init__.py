"""The programs that `agentmem mcp` can be entered into, one file each: what to paste, and where it goes."""

from __future__ import annotations

from enum import StrEnum
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from agentmem_mcp.hosts.server import Entry, Server


class Host(StrEnum):
    """The programs, by the name of their file."""

    CLAUDE = "claude"
    CODEX = "codex"
    GEMINI = "gemini"
    COPILOT = "copilot"
    OPENCODE = "opencode"
    CURSOR = "cursor"
    WINDSURF = "windsurf"
    ZED = "zed"


def entry(host: str, server: Server) -> Entry:
    """Return what to give a host so that it starts the server.

    Args:
        host: the program, one of `Host`.
        server: the command, as `this_server` describes it.

    Returns:
        The entry, and what its reader has to know.
    """
    made: Entry = import_module(f"agentmem_mcp.hosts.{Host(host).value}").entry(server)
    return made
