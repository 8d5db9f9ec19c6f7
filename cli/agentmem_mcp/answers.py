"""The answers that were recorded from the SDK, so that clients need not wait until it is imported.

`answers.json` holds, by protocol revision and method, what the SDK's own server answers; `python -m docs.build
answers` writes it, and a test compares. What differs from one server to the next is filled in here: the version, the
instructions, and which tools are offered.
"""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Mapping
from functools import cache
from typing import Any, Final

FILE: Final = os.path.join(os.path.dirname(__file__), "answers.json")  # noqa: PTH118, PTH120 - pathlib takes 3 ms to import
READING: Final = ("recall", "search")
"""The tools that change nothing, which are all that `--read-only` offers."""
_RECALL: Final = "Memory across conversations: recall before answering what may depend on earlier ones."
_ADD: Final = " Add what is worth knowing later, such as preferences and decisions."


@cache
def recorded() -> dict[str, Any]:
    """Read the file: the answers by revision and method, and the latest revision of each era."""
    with open(FILE, encoding="utf-8") as file:  # noqa: PTH123
        content: dict[str, Any] = json.load(file)
    return content


def tool_names() -> tuple[str, ...]:
    """Return the names of all tools, in the order in which they are listed."""
    revision = recorded()["latest"]
    return tuple(tool["name"] for tool in recorded()["answers"][revision]["tools/list"]["result"]["tools"])


def offered(named: Collection[str] | None, *, read_only: bool) -> tuple[str, ...]:
    """Return the names of the tools that are offered.

    Args:
        named: those that were asked for; None for all.
        read_only: leave out what changes something.
    """
    return tuple(
        name
        for name in tool_names()
        if (named is None or name in named) and (not read_only or name in READING)
    )


def instructions(tools: Collection[str]) -> str:
    """Return what a client tells its model of the tools that are offered."""
    return _RECALL + (_ADD if "add" in tools else "")


def completed(revision: str, tools: Collection[str], version: str) -> dict[str, dict[str, Any]]:
    """Return the answers of one revision by method, each with a `result` or an `error`.

    Args:
        revision: the protocol revision.
        tools: the names of the tools that are offered.
        version: the version of this package.
    """
    answers: dict[str, dict[str, Any]] = json.loads(json.dumps(recorded()["answers"][revision]))
    for answer in answers.values():
        result = answer.get("result", {})
        if "tools" in result:
            result["tools"] = [tool for tool in result["tools"] if tool["name"] in tools]
        if "instructions" in result:
            result["instructions"] = instructions(tools)
        for server in _named_servers(result):
            server["version"] = version
    return answers


def _named_servers(result: Mapping[str, Any]) -> list[dict[str, Any]]:
    named = [result.get("serverInfo"), result.get("_meta", {}).get("io.modelcontextprotocol/serverInfo")]
    return [server for server in named if isinstance(server, dict)]
