"""Gemini CLI: a command that enters the server for the user."""

from __future__ import annotations

import shlex

from agentmem_mcp.hosts.server import NAME, Entry, Server


def entry(server: Server) -> Entry:
    """Return the command. It does not trust the server: whether to be asked is the user's to say."""
    words = ["gemini", "mcp", "add", "-s", "user"]
    words += [word for name, value in server.variables.items() for word in ("-e", f"{name}={value}")]
    return Entry(
        shlex.join([*words, NAME, *server.words]),
        "run it in a shell; it writes to ~/.gemini/settings.json",
        [
            "Gemini asks before it uses a tool. Without a person (`gemini -p`) it offers none of our tools, "
            'unless "trust": true is in the entry; then all of them run without a question, `forget` too. '
            "`gemini mcp add --trust` writes that.",
            "It starts no servers in a folder that is not trusted.",
            "To take it out again: gemini mcp remove -s user agentmem",
        ],
    )
