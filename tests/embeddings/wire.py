"""A server for tests that speaks OpenAI's embeddings API, and misbehaves when told to."""

from __future__ import annotations

import base64
import json
import random
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from agent_memory.embeddings.dummy import DummyEmbedder


@dataclass
class Request:
    """What a client sent."""

    path: str
    headers: dict[str, str]
    body: dict[str, Any]


@dataclass
class Failure:
    """An answer given instead of vectors."""

    status: int
    body: str = ""
    headers: dict[str, str] = field(default_factory=dict)


class EmbeddingServer(ThreadingHTTPServer):
    """Answers with hashed words of `dimension` numbers, not normalised, in shuffled order."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.dimension = 32
        self.honours_dimensions = True
        self.with_index = True
        self.failures: list[Failure] = []
        self.requests: list[Request] = []
        self.drop = 0
        self.number: Callable[[int], int] = int
        self.spoil: Any = None
        self.twist: Callable[[list[str], list[dict[str, Any]]], list[dict[str, Any]] | Failure] | None = None
        """Makes another answer of the texts asked for and the true one."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/v1"

    @property
    def texts(self) -> list[str]:
        return [text for request in self.requests for text in request.body["input"]]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: EmbeddingServer

    def log_message(self, format: str, *args: object) -> None:
        pass

    def do_POST(self) -> None:
        server = self.server
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        server.requests.append(Request(self.path, dict(self.headers), body))
        if server.failures:
            failure = server.failures.pop(0)
            return self.answer(failure.status, failure.body, failure.headers)
        if self.path != "/v1/embeddings" or "" in body["input"]:
            return self.answer(400, '{"error": {"message": "bad path or empty string"}}', {})
        asked = body.get("dimensions") if server.honours_dimensions else None
        dummy = DummyEmbedder(dimension=asked or server.dimension)
        data = []
        for index, text in enumerate(body["input"]):
            vector = dummy._vector(text)
            values: Any = [3.5 * number for number in struct.unpack(f"<{len(vector) // 4}f", vector)]
            if server.spoil is not None:
                values[0] = server.spoil
            if body["encoding_format"] == "base64":
                values = base64.b64encode(struct.pack(f"<{len(values)}f", *values)).decode()
            item = {"object": "embedding", "embedding": values}
            data.append({**item, "index": server.number(index)} if server.with_index else item)
        if server.twist is not None:
            twisted = server.twist(body["input"], data)
            if isinstance(twisted, Failure):
                return self.answer(twisted.status, twisted.body, twisted.headers)
            data = twisted
        if server.with_index:
            random.Random(7).shuffle(data)
        content = {"object": "list", "data": data[server.drop :], "model": body["model"], "usage": None}
        return self.answer(200, json.dumps(content), {})

    def answer(self, status: int, body: str, headers: dict[str, str]) -> None:
        content = body.encode()
        self.send_response(status)
        for name, value in {
            "Content-Type": "application/json",
            "Content-Length": str(len(content)),
            **headers,
        }.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)
