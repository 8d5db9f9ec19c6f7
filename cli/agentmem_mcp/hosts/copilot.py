"""Copilot CLI: a command that enters the server for the user."""

from __future__ import annotations

import shlex

from agentmem_mcp.hosts.server import NAME, Entry, Server


def entry(server: Server) -> Entry:
    """Return the command. Copilot itself adds `"tools": ["*"]`, without which none are offered."""
    words = ["copilot", "mcp", "add", NAME]
    words += [word for name, value in server.variables.items() for word in ("--env", f"{name}={value}")]
    return Entry(
        shlex.join([*words, "--", *server.words]),
        "run it in a shell; it writes to ~/.copilot/mcp-config.json",
        [
            "Reading runs without a question. To allow writing too: copilot --allow-tool agentmem",
            "To take it out again: copilot mcp remove agentmem",
        ],
    )
