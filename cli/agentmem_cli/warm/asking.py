"""Asking the warm process about itself."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, Final

from agent_memory.errors import AgentMemoryError
from agentmem_cli.warm import client, place, starting, wire

_STARTING: Final = 20.0
"""Seconds in which it has imported what it needs, on a machine that is very busy."""
_PATIENCE: Final = 5.0
_WITHOUT: Final = "every command works without one, with the same answer"
_NOT_RUNNING: Final[Mapping[str, Any]] = {"running": False}


class WarmError(AgentMemoryError):
    """There can be no warm process here, or it does not answer."""

    code = "failed"


def path() -> str:
    """Return where the socket lies.

    Raises:
        WarmError: there is no warm process on this system.
    """
    path = place.socket_path()
    if path is None:
        raise WarmError("there is no warm process on this system", hint=_WITHOUT)
    return path


def status() -> dict[str, Any]:
    """Return what the warm process says of itself; where there is none, only that it does not run."""
    with suppress(OSError, ValueError):
        if (said := _asked(wire.STATUS, _PATIENCE)) is not None:
            return {**json.loads(said)}
    return dict(_NOT_RUNNING)


def start() -> tuple[dict[str, Any], bool]:
    """Start the warm process and wait until it answers.

    Returns:
        What it says of itself, and whether it was started by this call.

    Raises:
        WarmError: there can be none here, or it does not answer.
    """
    socket_path = path()
    end = time.monotonic() + _STARTING
    process = None
    while time.monotonic() < end:
        # One that is about to end holds its lock until it has.
        try:
            process = starting.start(socket_path) or process
        except OSError as error:
            raise WarmError(f"the warm process cannot be started: {error}", hint=_WITHOUT) from error
        known = status()
        if known["running"]:
            return known, known["process"] == process
        time.sleep(0.02)
    raise WarmError(f"the warm process does not answer at {socket_path}", hint=_WITHOUT)


def stop() -> bool:
    """End the warm process, or one that is just being started, and wait for its end; False if there is none."""
    socket_path = place.socket_path()
    end = time.monotonic() + _STARTING
    while True:
        try:
            if _asked(wire.STOP, None) is not None:
                return True
        except OSError:
            pass  # it is gone, or not there yet
        if socket_path is None or time.monotonic() > end or not starting.is_alive(socket_path):
            return False
        time.sleep(0.02)


def shown(known: Mapping[str, Any]) -> dict[str, Any]:
    """Return what people want to know of a status."""
    from agentmem_cli.output import plain

    if not known["running"]:
        return {"running": "no"}
    since = datetime.fromtimestamp(known["since"], UTC)
    cold = ", ".join(f"{count} ({reason})" for reason, count in known["cold"].items())
    workers = known["workers"]
    busy = sum(worker["busy"] for worker in workers)
    return {
        "running": f"process {known['process']}, for {plain.age(since)}",
        "requests": str(known["requests"]),
        "left to a process of their own": cold or "none",
        "memory": plain.size(known["memory_bytes"]),
        "workers": f"{len(workers)}, {busy} at work",
        "home": known["home"],
    }


def _asked(kind: bytes, patience: float | None) -> bytes | None:
    """Send a request without fields and return the answer; None where nobody listens."""
    socket_path = place.socket_path()
    if socket_path is None or not place.is_there(socket_path):
        return None
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(_PATIENCE)
        connection.connect(socket_path)
        if client.peer_user(connection) is None:
            return None
        connection.sendall(wire.packed(kind, []))
        connection.settimeout(patience)
        parts = []
        while part := connection.recv(65_536):
            parts.append(part)
        return b"".join(parts)
