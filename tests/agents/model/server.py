"""An HTTP server on this machine that stands in for the model's vendor."""

from __future__ import annotations

import gzip
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Protocol
from urllib.parse import urlsplit

from . import anthropic, chat, gemini, responses
from .requests import Json, Request
from .script import Answer, Script, answer, say


class Format(Protocol):
    """One vendor's way to ask a model."""

    def asked_at(self, path: str) -> bool:
        """Say whether requests of this format come to that path."""

    def read(self, body: Json) -> Request:
        """Read a request."""

    def whole(self, said: Answer, request: Request, number: int) -> Json:
        """Write an answer in one piece."""

    def events(self, said: Answer, request: Request, number: int) -> list[tuple[str, Json | str]]:
        """Write an answer as server-sent events: their names, or none, and data."""


FORMATS: tuple[Format, ...] = (anthropic, responses, gemini, chat)


class ModelServer:
    """A model that follows a script; use it in a `with` block.

    It also is the proxy that the agents are given, and lets nothing pass: `others` then shows who wanted out.
    """

    def __init__(self, script: Script = ()) -> None:
        self.script: Script = script or [say("OK")]
        self.requests: list[Request] = []
        self.others: list[str] = []
        """What else was asked for, such as `CONNECT host:443`."""
        self._lock = threading.Lock()
        handler = type("Handler", (_Handler,), {"model": self})
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._http.daemon_threads = True
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.05,))

    @property
    def url(self) -> str:
        """The address, without a path."""
        return f"http://127.0.0.1:{self._http.server_port}"

    def __enter__(self) -> ModelServer:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    def take(self, request: Request) -> tuple[Answer, int]:
        """Keep a request; return the answer to it and its number."""
        said = answer(self.script, request)
        with self._lock:
            self.requests.append(request)
            return said, len(self.requests)

    def note(self, what: str) -> None:
        """Keep that something else was asked for."""
        with self._lock:
            self.others.append(what)


class _Handler(BaseHTTPRequestHandler):
    model: ModelServer
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        path, raw = urlsplit(self.path).path, self._read()
        form = next((form for form in FORMATS if form.asked_at(path)), None)
        if form is None:
            self._beside(f"POST {path}")
            return
        body = json.loads(raw)
        request = form.read(body)
        said, number = self.model.take(request)
        if body.get("stream") or path.endswith(":streamGenerateContent"):
            self._stream(form.events(said, request, number))
        else:
            self._send(200, form.whole(said, request, number))

    def do_GET(self) -> None:
        self._beside(f"GET {self.path}")

    def do_CONNECT(self) -> None:
        self.model.note(f"CONNECT {self.path}")
        self.close_connection = True
        self.send_error(403, "nothing leaves this machine")

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def _beside(self, what: str) -> None:
        self.model.note(what)
        if what.endswith(("/models", "count_tokens", ":countTokens")):
            model = {"id": "stand-in", "object": "model", "created": 1, "owned_by": "nobody"}
            self._send(200, {"data": [model], "models": [], "input_tokens": 1, "totalTokens": 1})
        else:
            self._send(404, {"error": {"type": "not_found_error", "message": "there is no such thing here"}})

    def _read(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            raw = b""
            while size := int(self.rfile.readline().partition(b";")[0], 16):
                raw += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
        else:
            raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        return gzip.decompress(raw) if self.headers.get("Content-Encoding") == "gzip" else raw

    def _send(self, status: int, body: Json) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _stream(self, events: list[tuple[str, Json | str]]) -> None:
        self.close_connection = True
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        for name, data in events:
            named = f"event: {name}\n" if name else ""
            text = data if isinstance(data, str) else json.dumps(data)
            self.wfile.write(f"{named}data: {text}\n\n".encode())
