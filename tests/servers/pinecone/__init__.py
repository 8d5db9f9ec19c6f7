"""An emulator of Pinecone: its REST API as the SDK speaks it, with the limits that the service enforces.

One port serves the control plane and, below `/i/NAME`, the data plane of each index.
"""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs, unquote, urlsplit

from servers.pinecone.records import CALLS, Index, namespaces
from servers.pinecone.rules import RefusedError
from servers.ports import free_port
from servers.server import Server


class PineconeServer(Server):
    """The emulator; it keeps its state while it is stopped."""

    def __init__(self, *, api_key: str = "emulated", delay: float = 0.0) -> None:
        self.port = free_port()
        self.api_key = api_key
        self.delay = delay
        """Seconds until what was written can be read."""
        self.indexes: dict[str, Index] = {}
        self.requests: Counter[str] = Counter()
        self.lock = threading.RLock()
        self.waiting: list[tuple[float, Callable[[], object]]] = []
        self._server: ThreadingHTTPServer | None = None

    @property
    def host(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> Self:
        """Listen."""
        handler = type("Handler", (_Handler,), {"emulator": self})
        self._server = _Server(("127.0.0.1", self.port), handler)
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def kill(self) -> None:
        """Answer no more; connections that are open are cut."""
        if self._server is not None:
            self._server.shutdown()
            self._server.cut()
            self._server.server_close()
            self._server = None

    def restart(self) -> None:
        """Listen again, with what was there."""
        self.kill()
        self.start()

    stop = kill

    def later(self, change: Callable[[], object]) -> None:
        """Carry out a write once its time has come."""
        if self.delay:
            self.waiting.append((time.monotonic() + self.delay, change))
        else:
            change()

    def settle(self) -> None:
        """Carry out the writes whose time has come."""
        while self.waiting and self.waiting[0][0] <= time.monotonic():
            self.waiting.pop(0)[1]()

    # --- control plane -------------------------------------------------------------------------------------

    def control(self, method: str, parts: list[str], body: Any) -> tuple[int, Any]:
        """Answer a request about indexes."""
        if method == "GET" and not parts:
            return 200, {"indexes": [self._model(item) for item in self.indexes.values()]}
        if method == "POST" and not parts:
            return 201, self._model(self._create(body))
        index = self.indexes.get(parts[0])
        if index is None:
            raise RefusedError(404, f"Resource {parts[0]} not found")
        if method == "DELETE":
            del self.indexes[parts[0]]
            return 202, {}
        return 200, self._model(index)

    def _create(self, body: Any) -> Index:
        name = body["name"]
        if name in self.indexes:
            raise RefusedError(409, "Resource already exists")
        fields = body["schema"]["fields"]
        field_name, described = next(iter(fields.items()))
        if described.get("metric", "cosine") != "cosine":
            raise RefusedError(400, "this emulator knows the metric cosine only")
        self.indexes[name] = Index(name, int(described["dimension"]), field_name)
        return self.indexes[name]

    def _model(self, index: Index) -> dict[str, Any]:
        vector = {"type": "dense_vector", "dimension": index.dimension, "metric": "cosine"}
        return {
            "name": index.name,
            "host": f"{self.host}/i/{index.name}",
            "status": {"ready": True, "state": "Ready"},
            "schema": {"fields": {index.field_name: vector}},
            "deployment": {"deployment_type": "managed", "cloud": "aws", "region": "us-east-1"},
            "deletion_protection": "disabled",
            "tags": None,
            "read_capacity": {"mode": "OnDemand", "status": {"state": "Ready"}},
        }


# --- HTTP ------------------------------------------------------------------------------------------------------


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, *arguments: Any) -> None:
        self._open: set[Any] = set()
        super().__init__(*arguments)

    def process_request(self, request: Any, client_address: Any) -> None:
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        pass  # a client that was cut off

    def cut(self) -> None:
        import socket

        for item in list(self._open):
            with suppress(OSError):
                item.shutdown(socket.SHUT_RDWR)
            item.close()


class _Handler(BaseHTTPRequestHandler):
    emulator: PineconeServer
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def do_GET(self) -> None:
        self._answer("GET")

    def do_POST(self) -> None:
        self._answer("POST")

    def do_DELETE(self) -> None:
        self._answer("DELETE")

    def log_message(self, *_: Any) -> None:
        pass

    def _answer(self, method: str) -> None:
        size = int(self.headers.get("Content-Length") or 0)
        raw = self.rfile.read(size)
        address = urlsplit(self.path)
        parts = [unquote(part) for part in address.path.strip("/").split("/")]
        data = parts[0] == "i"
        try:
            if self.headers.get("Api-Key") != self.emulator.api_key:
                raise RefusedError(401, "Invalid API Key")
            with self.emulator.lock:
                self.emulator.settle()
                body = json.loads(raw) if raw else {}
                status, answer = self._route(method, parts, body, parse_qs(address.query), size)
        except RefusedError as refused:
            status = refused.status
            named = {401: "UNAUTHENTICATED", 404: "NOT_FOUND", 409: "ALREADY_EXISTS"}.get(
                status, "INVALID_ARGUMENT"
            )
            answer = (
                {"code": refused.code, "message": refused.message, "details": []}
                if data
                else {"error": {"code": named, "message": refused.message}, "status": status}
            )
        text = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def _route(self, method: str, parts: list[str], body: Any, given: Any, size: int) -> tuple[int, Any]:
        server = self.emulator
        if parts[0] == "indexes":
            return server.control(method, parts[1:], body)
        if parts[0] != "i" or len(parts) < 3 or parts[1] not in server.indexes:
            raise RefusedError(404, f"no such address {self.path}")
        index, call = server.indexes[parts[1]], "/".join(parts[2:])
        server.requests[call] += 1
        if parts[2] == "namespaces":
            return 200, namespaces(server, method, index, parts[3:])
        if (method, call) not in CALLS:
            raise RefusedError(404, f"no such call {method} {call}")
        return 200, CALLS[method, call](server, index, body, given, size)
