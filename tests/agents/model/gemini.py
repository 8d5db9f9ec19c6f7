"""Google's content generation, which Gemini CLI speaks."""

from __future__ import annotations

import json

from .requests import Json, Piece, Request, Tool, plain
from .script import Answer


def asked_at(path: str) -> bool:
    """Say whether requests of this format come to that path."""
    return path.endswith((":generateContent", ":streamGenerateContent"))


def read(body: Json) -> Request:
    """Read a request."""
    tools = [
        Tool(
            item["name"],
            item.get("description", ""),
            item.get("parametersJsonSchema") or item.get("parameters") or {},
            definition=item,
        )
        for group in body.get("tools", ())
        for item in group.get("functionDeclarations", ())
    ]
    pieces = [
        piece
        for content in body.get("contents", ())
        for part in content.get("parts", ())
        if (piece := _piece(content.get("role", "user"), part))
    ]
    return Request(body, plain((body.get("systemInstruction") or {}).get("parts")), tools, pieces)


def _piece(role: str, part: Json) -> Piece | None:
    if "functionCall" in part:
        call = part["functionCall"]
        return Piece(role, "call", json.dumps(call.get("args", {}), ensure_ascii=False), call["name"])
    if "functionResponse" in part:
        return Piece(role, "result", plain(part["functionResponse"]["response"]))
    return Piece(role, "text", part["text"]) if "text" in part else None


def whole(said: Answer, request: Request, number: int) -> Json:
    """Write an answer in one piece."""
    part: Json = {"text": said.text}
    if said.tool:
        part = {
            "functionCall": {"id": f"call_{number}", "name": said.tool.name, "args": said.arguments},
        }
    elif request.body.get("generationConfig", {}).get("responseMimeType") == "application/json":
        part = {"text": "{}"}
    return {
        "candidates": [{"index": 0, "content": {"role": "model", "parts": [part]}, "finishReason": "STOP"}],
        "usageMetadata": {"promptTokenCount": 1, "candidatesTokenCount": 1, "totalTokenCount": 2},
        "modelVersion": "stand-in",
        "responseId": f"resp_{number}",
    }


def events(said: Answer, request: Request, number: int) -> list[tuple[str, Json | str]]:
    """Write an answer as server-sent events."""
    return [("", whole(said, request, number))]
