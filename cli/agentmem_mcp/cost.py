"""What the server's words cost: they are part of every request that a client sends to its model."""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any, Final

from agentmem_mcp import answers

BYTES_PER_TOKEN: Final = 4
"""A rule of thumb for English and JSON."""


def rows(tools: Collection[str]) -> list[dict[str, Any]]:
    """Return how many bytes a model is told by each tool's definition, and about how many tokens that is.

    Args:
        tools: the names of the tools that are offered.

    Returns:
        A row for each tool, one for the instructions, and their sum.
    """
    revision = answers.recorded()["latest"]
    listed = answers.completed(revision, tools, "")["tools/list"]["result"]["tools"]
    costs = [(tool["name"], size(tool)) for tool in listed]
    costs.append(("instructions", len(answers.instructions(tools).encode())))
    total = sum(count for _, count in costs)
    return [
        {"tool": name, "bytes": count, "tokens (estimate)": -(-count // BYTES_PER_TOKEN)}
        for name, count in [*costs, ("total", total)]
    ]


def size(tool: dict[str, Any]) -> int:
    """Return the bytes of what reaches a model of a tool: its name, its description and its arguments."""
    told = {name: tool[name] for name in ("name", "description", "inputSchema")}
    return len(json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode())
