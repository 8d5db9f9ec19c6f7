"""The programs that `agentmem mcp` can be entered into, one file each: what to paste, and where it goes."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from agentmem_mcp.hosts.server import Entry, Server

HOSTS: Final[Mapping[str, str]] = {
    "claude": "Claude Code",
    "codex": "Codex",
    "gemini": "Gemini CLI",
    "copilot": "Copilot CLI",
    "opencode": "OpenCode",
    "cursor": "Cursor",
    "windsurf": "Windsurf",
    "zed": "Zed",
}
"""By the word for `--print`: what its users call the program."""


def entry(host: str, server: Server) -> Entry:
    """Return what to give a host so that it starts the server.

    Args:
        host: one of `HOSTS`.
        server: the command, as `this_server` describes it.

    Returns:
        The entry, and what its reader has to know.
    """
    made: Entry = import_module(f"agentmem_mcp.hosts.{host}").entry(server)
    return made
