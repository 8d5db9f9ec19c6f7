"""A client that writes lines of its own, so that nothing an SDK would refuse stays untested."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

LATEST = "2025-11-25"
STATELESS = "2026-07-28"
_START = "io.modelcontextprotocol/"


def envelope(**more: Any) -> dict[str, Any]:
    """Return the `_meta` of a request at the revision without handshake."""
    values = {
        "protocolVersion": STATELESS,
        "clientInfo": {"name": "raw", "version": "1"},
        "clientCapabilities": {},
    }
    return {_START + name: value for name, value in {**values, **more}.items()}


class Raw:
    """A server in a process of its own, and the two pipes to it.

    Args:
        words: what stands behind `agentmem`.
        environment: variables beside the present ones.
        options: further arguments of `Popen`.
    """

    def __init__(
        self,
        *words: str,
        environment: Mapping[str, str] | None = None,
        command: Sequence[str] = (),
        **options: Any,
    ) -> None:
        self.stateless = False
        """Whether each request has to say which revision it is of."""
        self.process = subprocess.Popen(
            [*(command or (sys.executable, "-m", "agentmem_cli")), *(words or ("mcp",))],
            env={**os.environ, **(environment or {})},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            **options,
        )
        self._lines: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self.said: list[bytes] = []
        """What was said on stderr."""
        self._threads = [
            threading.Thread(target=target, daemon=True) for target in (self._read, self._listen)
        ]
        for thread in self._threads:
            thread.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._lines.put(line)
        self._lines.put(None)

    def _listen(self) -> None:
        assert self.process.stderr is not None
        self.said += self.process.stderr

    def __enter__(self) -> Raw:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def write(self, line: bytes) -> None:
        """Write a line as it is."""
        assert self.process.stdin is not None
        self.process.stdin.write(line + b"\n")
        self.process.stdin.flush()

    def send(self, message: Any) -> None:
        """Write anything as a line of JSON."""
        self.write(json.dumps(message).encode())

    def request(self, id: Any, method: Any, params: Any = None) -> None:
        """Write a request."""
        given = {} if params is None else {"params": params}
        self.send({"jsonrpc": "2.0", "id": id, "method": method, **given})

    def notify(self, method: str, params: Any = None) -> None:
        """Write a notification."""
        given = {} if params is None else {"params": params}
        self.send({"jsonrpc": "2.0", "method": method, **given})

    def hear(self, seconds: float = 60.0) -> Any:
        """Return the next message; None at the end of all."""
        line = self._lines.get(timeout=seconds)
        return None if line is None else json.loads(line)

    def ask(self, method: str, params: Any = None, id: Any = 1) -> Any:
        """Send a request, and return the next message, which has to be its answer."""
        self.request(id, method, params)
        answer = self.hear()
        assert answer["id"] == id, answer
        return answer

    def begin(self, revision: str = LATEST) -> Any:
        """Open the conversation with the handshake, and return the answer."""
        params = {
            "protocolVersion": revision,
            "capabilities": {},
            "clientInfo": {"name": "raw", "version": "1"},
        }
        answer = self.ask("initialize", params, "opening")
        self.notify("notifications/initialized")
        return answer

    def call(self, tool: str, /, **arguments: Any) -> str:
        """Call a tool after the handshake, and return the text of its result."""
        result = self.ask("tools/call", {"name": tool, "arguments": arguments}, f"call-{tool}")["result"]
        (content,) = result["content"]
        assert content["type"] == "text"
        return str(content["text"])

    def end(self, seconds: float = 30.0) -> list[Any]:
        """Close stdin, wait for the process, and return what it still said."""
        assert self.process.stdin is not None
        with suppress(BrokenPipeError):
            self.process.stdin.close()
        try:
            self.process.wait(seconds)
        finally:
            self.process.kill()
            for thread in self._threads:
                thread.join()
            for pipe in (self.process.stdout, self.process.stderr):
                assert pipe is not None
                pipe.close()
        rest = []
        while (line := self._lines.get()) is not None:
            rest.append(json.loads(line))
        self._lines.put(None)
        return rest
