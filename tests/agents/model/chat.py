"""OpenAI's chat completions, which OpenCode and Copilot CLI speak."""

from __future__ import annotations

import json

from .requests import Json, Piece, Request, Tool, plain
from .script import Answer


def asked_at(path: str) -> bool:
    """Say whether requests of this format come to that path."""
    return path.endswith("/chat/completions")


def read(body: Json) -> Request:
    """Read a request."""
    tools = [
        Tool(
            item["function"]["name"],
            item["function"].get("description", ""),
            item["function"].get("parameters", {}),
            definition=item,
        )
        for item in body.get("tools") or ()
        if item["type"] == "function"
    ]
    messages = body.get("messages", ())
    system = "\n".join(plain(item.get("content")) for item in messages if item["role"] == "system")
    pieces = [piece for item in messages if item["role"] != "system" for piece in _pieces(item)]
    return Request(body, system, tools, pieces)


def _pieces(message: Json) -> list[Piece]:
    text = plain(message.get("content"))
    if message["role"] == "tool":
        return [Piece("tool", "result", text)]
    pieces = [Piece(message["role"], "text", text)] if text else []
    calls = [call["function"] for call in message.get("tool_calls") or ()]
    return [*pieces, *(Piece(message["role"], "call", call["arguments"], call["name"]) for call in calls)]


def whole(said: Answer, request: Request, number: int) -> Json:
    """Write an answer in one piece."""
    choice = {"index": 0, "message": _message(said, number), "finish_reason": _reason(said)}
    return {**_head("chat.completion", request, number), "choices": [choice], "usage": _USAGE}


def events(said: Answer, request: Request, number: int) -> list[tuple[str, Json | str]]:
    """Write an answer as server-sent events."""
    head = _head("chat.completion.chunk", request, number)
    first = {"index": 0, "delta": _message(said, number), "finish_reason": None}
    last = {"index": 0, "delta": {}, "finish_reason": _reason(said)}
    return [
        ("", {**head, "choices": [first]}),
        ("", {**head, "choices": [last], "usage": _USAGE}),
        ("", "[DONE]"),
    ]


_USAGE = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}


def _head(kind: str, request: Request, number: int) -> Json:
    return {
        "id": f"chat_{number}",
        "object": kind,
        "created": 1,
        "model": request.body.get("model", "stand-in"),
    }


def _message(said: Answer, number: int) -> Json:
    if said.tool is None:
        return {"role": "assistant", "content": said.text}
    function = {"name": said.tool.name, "arguments": json.dumps(said.arguments)}
    call = {"index": 0, "id": f"call_{number}", "type": "function", "function": function}
    return {"role": "assistant", "content": None, "tool_calls": [call]}


def _reason(said: Answer) -> str:
    return "tool_calls" if said.tool else "stop"
