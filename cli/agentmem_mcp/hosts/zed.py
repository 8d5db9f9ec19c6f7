"""Zed: an entry in its settings."""

from __future__ import annotations

from agentmem_mcp.hosts.server import NAME, Entry, Server, as_json


def entry(server: Server) -> Entry:
    """Return the settings with this one server."""
    return Entry(
        as_json({"context_servers": {NAME: server.as_object()}}),
        "put it into ~/.config/zed/settings.json; if that file has servers, add this one to its `context_servers`",
        ["The shape is from Zed's documentation; it was not tried."],
    )
