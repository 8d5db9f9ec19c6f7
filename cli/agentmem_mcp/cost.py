"""What the definitions of the tools cost: they are part of every request that a client sends to its model."""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any, Final

from agentmem_mcp import answers

BYTES_PER_TOKEN: Final = 4
"""A rule of thumb for English and JSON."""


def rows(tools: Collection[str]) -> list[dict[str, Any]]:
    """Return, for each tool and in total, the bytes of what a model is told and about how many tokens that is."""
    revision = answers.recorded()["latest"]
    listed = answers.completed(revision, tools, "")["tools/list"]["result"]["tools"]
    costs = [(tool["name"], size(tool)) for tool in listed]
    total = sum(bytes for _, bytes in costs)
    return [
        {"tool": name, "bytes": bytes, "tokens (estimate)": -(-bytes // BYTES_PER_TOKEN)}
        for name, bytes in [*costs, ("total", total)]
    ]


def size(tool: dict[str, Any]) -> int:
    """Return the bytes of what reaches a model of a tool: its name, its description and its arguments."""
    told = {name: tool[name] for name in ("name", "description", "inputSchema")}
    return len(json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode())
