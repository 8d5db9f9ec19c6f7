"""OpenAI's responses, which Codex speaks."""

from __future__ import annotations

import json
from typing import Any

from .requests import SEARCHES, Json, Piece, Request, Tool, plain
from .script import Answer


def asked_at(path: str) -> bool:
    """Say whether requests of this format come to that path."""
    return path.endswith("/responses")


def read(body: Json) -> Request:
    """Read a request."""
    tools: list[Tool] = []
    groups: list[Tool] = []
    found = [item for output in _items(body.get("input")) for item in output.get("tools", ())]
    for item in [*body.get("tools", ()), *found]:
        if item["type"] == "namespace":
            groups.append(_tool(item))
            tools += [_tool(member, item["name"]) for member in item["tools"]]
        else:
            tools.append(_tool(item))
    pieces = [piece for item in _items(body.get("input")) if (piece := _piece(item))]
    return Request(body, plain(body.get("instructions")), tools, pieces, groups)


def _tool(item: Json, group: str | None = None) -> Tool:
    name = str(item.get("name") or item["type"])
    return Tool(name, item.get("description", ""), item.get("parameters", {}), group, item)


def _items(content: Any) -> list[Json]:
    return [{"role": "user", "content": content}] if isinstance(content, str) else content or []


def _piece(item: Json) -> Piece | None:
    kind = item.get("type", "message")
    if kind == "message":
        return Piece(item["role"], "text", plain(item["content"]))
    if kind.endswith(("_call_output", "_search_output")):
        return Piece("tool", "result", plain(item.get("output", item)))
    if kind.endswith("_call"):
        name = item.get("name", kind.removesuffix("_call"))
        return Piece("assistant", "call", plain(item.get("arguments", item.get("input"))), name)
    return None


def whole(said: Answer, request: Request, number: int) -> Json:
    """Write an answer in one piece."""
    return {
        "id": f"resp_{number}",
        "object": "response",
        "status": "completed",
        "model": request.body.get("model", "stand-in"),
        "output": [_item(said, number)],
        "usage": {
            "input_tokens": 1,
            "input_tokens_details": {"cached_tokens": 0},
            "output_tokens": 1,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": 2,
        },
    }


def events(said: Answer, request: Request, number: int) -> list[tuple[str, Json | str]]:
    """Write an answer as server-sent events."""
    done = whole(said, request, number)
    item = {"output_index": 0, "item": done["output"][0]}
    created = {**done, "status": "in_progress", "output": [], "usage": None}
    data: list[Json] = [
        {"type": "response.created", "response": created},
        {"type": "response.output_item.added", **item},
        {"type": "response.output_item.done", **item},
        {"type": "response.completed", "response": done},
    ]
    return [(event["type"], event) for event in data]


def _item(said: Answer, number: int) -> Json:
    if said.tool is None:
        content = {"type": "output_text", "text": said.text, "annotations": []}
        return {
            "type": "message",
            "id": f"msg_{number}",
            "role": "assistant",
            "status": "completed",
            "content": [content],
        }
    if said.tool.name in SEARCHES:
        return {
            "type": "tool_search_call",
            "id": f"ts_{number}",
            "call_id": f"call_{number}",
            "execution": "client",
            "status": "completed",
            "arguments": said.arguments,
        }
    call = {
        "type": "function_call",
        "id": f"fc_{number}",
        "call_id": f"call_{number}",
        "name": said.tool.name,
        "arguments": json.dumps(said.arguments),
        "status": "completed",
    }
    return {**call, "namespace": said.tool.group} if said.tool.group else call
