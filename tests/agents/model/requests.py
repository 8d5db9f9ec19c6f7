"""What reached the model in one request, whichever format it came in."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

Json = dict[str, Any]
SEARCHES = ("ToolSearch", "tool_search")
"""Tools by which a model asks the agent for definitions that are not in the request."""
_LISTED = re.compile(r"\bmcp__\w+")


@dataclass(frozen=True)
class Tool:
    """A tool as it was offered to the model."""

    name: str
    description: str = ""
    schema: Json = field(default_factory=dict)
    group: str | None = None
    """The name of the group that it is called in; Codex makes one of each server."""
    definition: Json = field(default_factory=dict)
    """The definition to the letter, without the group's own."""

    @property
    def size(self) -> int:
        """How many bytes of JSON the definition takes."""
        return len(json.dumps(self.definition, ensure_ascii=False, separators=(",", ":")).encode())

    @property
    def shown(self) -> str:
        """The name as the model sees it."""
        return f"{self.group}.{self.name}" if self.group else self.name

    def is_called(self, server: str, name: str) -> bool:
        """Say whether this is a server's tool of that name, however the agent joins the two."""
        words = [word for word in re.split(r"[^A-Za-z0-9]+", self.shown) if word]
        return words[-2:] == [server, name]


@dataclass(frozen=True)
class Piece:
    """A part of the conversation."""

    role: str
    kind: Literal["text", "call", "result"]
    text: str
    name: str = ""


@dataclass(frozen=True)
class Request:
    """One request to the model."""

    body: Json
    system: str
    tools: Sequence[Tool]
    pieces: Sequence[Piece]
    groups: Sequence[Tool] = ()
    """What is said of a whole server, where the format has a place for it."""

    @property
    def results(self) -> list[str]:
        """The results of tools so far, without those of searches for tools."""
        return [text for text, name in self._results() if name not in SEARCHES]

    @property
    def searches(self) -> list[str]:
        """What the agent answered when it was asked for definitions."""
        return [text for text, name in self._results() if name in SEARCHES]

    def _results(self) -> list[tuple[str, str]]:
        calls = [piece.name for piece in self.pieces if piece.kind == "call"]
        results = [piece.text for piece in self.pieces if piece.kind == "result"]
        return list(zip(results, calls, strict=False))

    def tool(self, server: str, name: str) -> Tool | None:
        """Return a server's tool, or one of the agent's own where the server is empty."""
        if not server:
            return next((tool for tool in self.tools if tool.shown == name), None)
        return next((tool for tool in self.tools if tool.is_called(server, name)), None)

    def of_server(self, server: str) -> list[Tool]:
        """Return all tools of a server that are defined in this request."""
        return [tool for tool in self.tools if server in re.split(r"[^A-Za-z0-9]+", tool.group or tool.name)]

    def listed(self, server: str, name: str) -> str | None:
        """Return the name of a tool that the model was told of without a definition."""
        names = _LISTED.findall("\n".join(piece.text for piece in self.pieces))
        return next((shown for shown in names if Tool(shown).is_called(server, name)), None)

    def places(self, text: str) -> list[str]:
        """Name the places of the request that a text stands in."""
        found = ["system prompt"] if text in self.system else []
        found += [
            f"{piece.role} message" if piece.kind == "text" else f"tool {piece.kind}"
            for piece in self.pieces
            if text in piece.text
        ]
        found += ["description of the server" for group in self.groups if text in group.description]
        found += [f"definition of {tool.shown}" for tool in self.tools if text in json.dumps(tool.definition)]
        return list(dict.fromkeys(found))


def plain(content: Any) -> str:
    """Return the text of a message's content: a string, a block, or a list of both."""
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        return "\n".join(plain(block) for block in content)
    if not isinstance(content, dict):
        return "" if content is None else str(content)
    for name in ("text", "thinking", "output", "content", "error"):
        if name in content:
            return plain(content[name])
    return json.dumps(content, ensure_ascii=False)
