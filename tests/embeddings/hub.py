"""A Hugging Face hub for tests: serves one folder as one repository over the wire protocol of the real one."""

from __future__ import annotations

import hashlib
import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

REVISION = "0123456789abcdef0123456789abcdef01234567"


class Hub(ThreadingHTTPServer):
    """Serves `folder` as `repository`; counts requests; can break off in the middle of a file."""

    daemon_threads = True

    def __init__(self, repository: str, folder: Path) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.repository = repository
        self.folder = folder
        self.requests: list[str] = []
        self.break_off_after: int | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def environment(self, **more: str) -> dict[str, str]:
        """Return the environment of a process that knows this hub only."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("HF_")}
        return {**kept, "HF_ENDPOINT": self.url, "HF_HUB_DISABLE_XET": "1", **more}

    def files(self) -> list[Path]:
        return sorted(path for path in self.folder.rglob("*") if path.is_file())

    def etag(self, path: Path) -> str:
        """Name a file as the hub does: large ones by their sha256, others as git does."""
        data = path.read_bytes()
        if path.suffix == ".onnx":
            return hashlib.sha256(data).hexdigest()
        return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Hub

    def log_message(self, format: str, *args: object) -> None:
        pass

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        path = self.path.split("?")[0]
        hub = self.server
        hub.requests.append(f"{self.command} {self.path}")
        model = f"/api/models/{hub.repository}"
        if path in (model, f"{model}/revision/main", f"{model}/revision/{REVISION}"):
            siblings = [{"rfilename": str(file.relative_to(hub.folder))} for file in hub.files()]
            self.answer_json({"id": hub.repository, "sha": REVISION, "siblings": siblings})
        elif path in (f"{model}/tree/{REVISION}", f"{model}/tree/main"):
            self.answer_json([self.entry(file) for file in hub.files()])
        else:
            for revision in (REVISION, "main"):
                beginning = f"/{hub.repository}/resolve/{revision}/"
                if path.startswith(beginning) and (hub.folder / path.removeprefix(beginning)).is_file():
                    return self.answer_file(hub.folder / path.removeprefix(beginning))
            self.answer(404, b"{}", {"X-Error-Code": "EntryNotFound"})
        return None

    def entry(self, file: Path) -> dict[str, object]:
        data = file.read_bytes()
        entry: dict[str, object] = {
            "type": "file",
            "path": str(file.relative_to(self.server.folder)),
            "size": len(data),
        }
        entry["oid"] = hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()
        if file.suffix == ".onnx":
            entry["lfs"] = {"oid": self.server.etag(file), "size": len(data), "pointerSize": 134}
        return entry

    def answer_file(self, file: Path) -> None:
        data = file.read_bytes()
        headers = {"X-Repo-Commit": REVISION, "ETag": f'"{self.server.etag(file)}"', "Accept-Ranges": "bytes"}
        start = 0
        if given := self.headers.get("Range"):
            start = int(given.removeprefix("bytes=").split("-")[0])
            headers["Content-Range"] = f"bytes {start}-{len(data) - 1}/{len(data)}"
        limit = self.server.break_off_after
        if self.command == "GET" and limit is not None and len(data) > limit:
            self.send_response(206 if start else 200)
            for name, value in {**headers, "Content-Length": str(len(data) - start)}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(data[start : start + limit])
            self.wfile.flush()
            self.close_connection = True
            self.connection.close()
            return
        self.answer(206 if start else 200, data[start:], headers)

    def answer_json(self, value: object) -> None:
        self.answer(200, json.dumps(value).encode(), {"Content-Type": "application/json"})

    def answer(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)


@contextmanager
def serve(server: ThreadingHTTPServer) -> Iterator[None]:
    """Let a server run in a thread for as long as the block lasts."""
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
