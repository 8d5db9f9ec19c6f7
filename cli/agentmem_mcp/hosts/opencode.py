"""OpenCode: an entry in its settings."""

from __future__ import annotations

from agentmem_mcp.hosts.server import NAME, Entry, Server, as_json


def entry(server: Server) -> Entry:
    """Return the settings with this one server; the command and its arguments are one list there."""
    value: dict[str, object] = {"type": "local", "command": server.words, "enabled": True}
    if server.variables:
        value["environment"] = dict(server.variables)
    return Entry(
        as_json({"mcp": {NAME: value}}),
        "put it into ~/.config/opencode/opencode.json; if that file has servers, add this one to its `mcp`",
        ["OpenCode runs every tool without a question, unless its `permission` settings say otherwise."],
    )
