"""Anthropic's messages, which Claude Code speaks."""

from __future__ import annotations

import json
from typing import Any

from .requests import Json, Piece, Request, Tool, plain
from .script import Answer


def asked_at(path: str) -> bool:
    """Say whether requests of this format come to that path."""
    return path.endswith("/v1/messages")


def read(body: Json) -> Request:
    """Read a request."""
    tools = [
        Tool(tool.get("name", ""), tool.get("description", ""), tool.get("input_schema", {}), definition=tool)
        for tool in body.get("tools", ())
    ]
    pieces = [
        _piece(message["role"], block)
        for message in body.get("messages", ())
        for block in _blocks(message["content"])
    ]
    return Request(body, plain(body.get("system")), tools, pieces)


def _blocks(content: Any) -> list[Json]:
    return [{"type": "text", "text": content}] if isinstance(content, str) else content


def _piece(role: str, block: Json) -> Piece:
    if block["type"] == "tool_use":
        return Piece(role, "call", json.dumps(block["input"], ensure_ascii=False), block["name"])
    if block["type"] == "tool_result":
        return Piece(role, "result", plain(block.get("content")))
    return Piece(role, "text", plain(block))


def whole(said: Answer, request: Request, number: int) -> Json:
    """Write an answer in one piece."""
    return {
        **_message(request, number),
        "content": [{**_block(said, number), **_filled(said)}],
        "stop_reason": _reason(said),
    }


def events(said: Answer, request: Request, number: int) -> list[tuple[str, Json | str]]:
    """Write an answer as server-sent events."""
    delta: Json = {"type": "text_delta", "text": said.text}
    if said.tool:
        delta = {"type": "input_json_delta", "partial_json": json.dumps(said.arguments)}
    end = {"stop_reason": _reason(said), "stop_sequence": None}
    data: list[Json] = [
        {"type": "message_start", "message": _message(request, number)},
        {"type": "content_block_start", "index": 0, "content_block": _block(said, number)},
        {"type": "content_block_delta", "index": 0, "delta": delta},
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": end, "usage": {"output_tokens": 1}},
        {"type": "message_stop"},
    ]
    return [(item["type"], item) for item in data]


def _message(request: Request, number: int) -> Json:
    return {
        "id": f"msg_{number}",
        "type": "message",
        "role": "assistant",
        "model": request.body.get("model", "stand-in"),
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": {"input_tokens": 1, "output_tokens": 1},
    }


def _block(said: Answer, number: int) -> Json:
    if said.tool:
        return {"type": "tool_use", "id": f"toolu_{number}", "name": said.tool.name, "input": {}}
    return {"type": "text", "text": ""}


def _filled(said: Answer) -> Json:
    return {"input": said.arguments} if said.tool else {"text": said.text}


def _reason(said: Answer) -> str:
    return "tool_use" if said.tool else "end_turn"
