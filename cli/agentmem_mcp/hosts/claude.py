"""Claude Code: a command that enters the server for the user."""

from __future__ import annotations

import json
import shlex

from agentmem_mcp.hosts.server import NAME, Entry, Server


def entry(server: Server) -> Entry:
    """Return the command that enters the server.

    Without `alwaysLoad` Claude Code shows a model the names of tools only, and waits only a moment for the server
    before the first turn. `claude mcp add` has no option for it.
    """
    value = json.dumps(server.as_object(type="stdio", alwaysLoad=True), ensure_ascii=False)
    return Entry(
        f"claude mcp add-json -s user {NAME} {shlex.quote(value)}",
        "run it in a shell; it writes to ~/.claude.json",
        [
            "Claude Code asks before it uses a tool; `claude --allowedTools mcp__agentmem` allows all of ours.",
            "To take it out again: claude mcp remove -s user agentmem",
        ],
    )
