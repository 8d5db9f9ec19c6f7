"""Cursor: an entry in its file of servers."""

from __future__ import annotations

from agentmem_mcp.hosts.server import NAME, Entry, Server, as_json


def entry(server: Server) -> Entry:
    """Return the file with this one server."""
    return Entry(
        as_json({"mcpServers": {NAME: server.as_object()}}),
        "put it into ~/.cursor/mcp.json; if that file has servers, add this one to its `mcpServers`",
        ["The shape is from Cursor's documentation; it was not tried."],
    )
