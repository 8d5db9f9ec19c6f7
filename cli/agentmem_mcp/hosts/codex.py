"""Codex: a table in its settings."""

from __future__ import annotations

import json

from agentmem_mcp.hosts.server import NAME, Entry, Server


def entry(server: Server) -> Entry:
    """Return the table in TOML. `codex mcp add` cannot say that Codex has to wait for the server."""
    lines = [
        f"[mcp_servers.{NAME}]",
        f"command = {_text(server.command)}",
        f"args = [{', '.join(map(_text, server.arguments))}]",
    ]
    if server.variables:
        pairs = (f"{name} = {_text(value)}" for name, value in server.variables.items())
        lines.append(f"env = {{ {', '.join(pairs)} }}")
    lines.append("required = true")
    return Entry(
        "\n".join(lines),
        "add it at the end of ~/.codex/config.toml",
        [
            'All but `forget` runs without a question. To allow it too, add default_tools_approval_mode = "approve"',
            "With `required = true` Codex waits for the server before the first turn, and does not start without it.",
            "To take it out again: codex mcp remove agentmem",
        ],
    )


def _text(value: str) -> str:
    """Return a basic string of TOML; except for DEL it is written as JSON writes it."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
