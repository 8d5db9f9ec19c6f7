"""The conversation with one client, by the SDK: what was answered before it was there is told to it first."""

from __future__ import annotations

import asyncio
import gc
import json
import math
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any, Final
from uuid import uuid4

import anyio
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
from mcp.server import Server
from mcp.shared.message import SessionMessage
from mcp_types import (
    INVALID_REQUEST,
    PARSE_ERROR,
    JSONRPCError,
    JSONRPCNotification,
    JSONRPCRequest,
    JSONRPCResponse,
    jsonrpc_message_adapter,
)

from agent_memory.errors import AgentMemoryError
from agentmem_cli.global_options import Flags
from agentmem_mcp import answers, ending, logs, server
from agentmem_mcp.front import encoded, is_id, opened
from agentmem_mcp.memories import Memories, Surroundings
from agentmem_mcp.options import Options
from agentmem_mcp.wire import Line, Wire

_GRACE: Final = 1.5
"""Seconds in which what was asked before the client's end may still be answered."""
_GRACE_TO_WRITE: Final = 12.0
"""Seconds in which a write may be: longer than it waits for a lock."""
_REST: Final = 600.0
"""Seconds of silence after which the memory is closed until the next call: its model takes much room."""
_TICK: Final = 30.0
_USUAL_THRESHOLDS: Final = (700, 10, 10)
_CLOSING: Final = 0.4
"""Seconds that closing the memory may take."""


def converse(asked: Options, pipes: Wire, opening: Mapping[str, Any] | None, waiting: Sequence[Line]) -> None:
    """Talk to the client until it has gone.

    Args:
        asked: what the server was started with.
        pipes: the client's pipes.
        opening: the request that opened the conversation, if it was answered already.
        waiting: lines that nobody has answered yet.
    """
    # Commands look for garbage seldom, since they are short. This may run for days; what was imported stays for ever.
    gc.freeze()
    gc.set_threshold(*_USUAL_THRESHOLDS)
    logs.begin()
    anyio.run(_converse, asked, pipes, opening, waiting)


async def _converse(
    asked: Options, pipes: Wire, opening: Mapping[str, Any] | None, waiting: Sequence[Line]
) -> None:
    flags = Flags(agent=asked.agent, db=asked.db, backend=asked.backend, offline=asked.offline)
    memories = Memories(flags)
    tools = answers.offered(asked.tools, read_only=asked.read_only)
    session = Session(server.build(tools, memories), pipes, rest=memories.close, idle=_idle_limit(flags))
    try:
        await session.run(opening, waiting)
    finally:
        with anyio.move_on_after(_CLOSING, shield=True):
            await memories.close()


def _idle_limit(flags: Flags) -> float:
    """Return how many seconds a client may be silent; the settings may be wrong, which the tools say."""
    try:
        return float(Surroundings(flags, "search").settings.get("mcp_idle").total_seconds())
    except AgentMemoryError:
        return math.inf


class Session:
    """One conversation.

    Args:
        sdk: the SDK's server.
        pipes: the client's pipes.
        rest: gives back what is only needed by calls; called after some silence.
        idle: seconds of silence after which it ends.
    """

    def __init__(
        self, sdk: Server[Any], pipes: Wire, *, rest: Callable[[], Awaitable[None]], idle: float
    ) -> None:
        self._sdk = sdk
        self._pipes = pipes
        self._rest = rest
        self._idle = idle
        self._heard = time.monotonic()
        self._in_flight: dict[str | int, bool] = {}
        """By id of a request that is not answered yet: whether it writes."""
        self._own_id = f"agentmem-{uuid4()}"
        """The id of the request by which the SDK is told of the opening; its answer is for nobody."""

    async def run(self, opening: Mapping[str, Any] | None, waiting: Sequence[Line]) -> None:
        """Talk until the client has gone. Arguments as those of `converse`."""
        lines_in, lines = anyio.create_memory_object_stream[Line](math.inf)
        to_sdk, sdk_reads = anyio.create_memory_object_stream[SessionMessage | Exception](0)
        sdk_writes, from_sdk = anyio.create_memory_object_stream[SessionMessage](0)
        if opening is not None:
            lines_in.send_nowait(encoded(opened(opening, self._own_id)))
        for line in waiting:
            lines_in.send_nowait(line)
        loop = asyncio.get_running_loop()

        def receive(line: Line) -> None:
            with suppress(RuntimeError):  # the loop is closed: it is too late for anything
                loop.call_soon_threadsafe(lines_in.send_nowait, line)

        self._pipes.deliver_to(receive)
        async with lines_in, lines, from_sdk, anyio.create_task_group() as tasks:
            tasks.start_soon(self._incoming, lines, to_sdk)
            tasks.start_soon(self._outgoing, from_sdk)
            tasks.start_soon(self._heed_silence)
            await self._sdk.run(sdk_reads, sdk_writes, self._sdk.create_initialization_options())
            tasks.cancel_scope.cancel()

    async def _incoming(
        self,
        lines: MemoryObjectReceiveStream[Line],
        to_sdk: MemoryObjectSendStream[SessionMessage | Exception],
    ) -> None:
        """Hand lines over to the SDK; answer those that it would not."""
        async with to_sdk:
            async for line in lines:
                self._heard = time.monotonic()
                if line is None:
                    ending.leave_within(_GRACE_TO_WRITE + 1)
                    break
                try:
                    message = jsonrpc_message_adapter.validate_json(line, by_name=False)
                except ValueError:
                    await self._refuse(line)
                    continue
                if isinstance(message, JSONRPCRequest):
                    self._in_flight[message.id] = _writes(message)
                elif isinstance(message, JSONRPCNotification):
                    self._taken_back(message)
                await to_sdk.send(SessionMessage(message))
            end = time.monotonic()
            while self._in_flight and time.monotonic() < end + self._grace:
                await anyio.sleep(0.01)

    @property
    def _grace(self) -> float:
        return _GRACE_TO_WRITE if any(self._in_flight.values()) else _GRACE

    def _taken_back(self, message: JSONRPCNotification) -> None:
        """Wait no longer for the answer to a request that the client has cancelled."""
        cancelled = (message.params or {}).get("requestId")
        if message.method == "notifications/cancelled" and is_id(cancelled):
            self._in_flight.pop(cancelled, None)

    async def _refuse(self, line: bytes) -> None:
        """Answer a line that is no message, unless nobody waits for an answer."""
        refusal = refused(line)
        if refusal is not None:
            await self._write(encoded(refusal))

    async def _outgoing(self, from_sdk: MemoryObjectReceiveStream[SessionMessage]) -> None:
        async for item in from_sdk:
            message = item.message
            if isinstance(message, JSONRPCResponse | JSONRPCError):
                if message.id == self._own_id:
                    self._in_flight.pop(self._own_id, None)
                    continue
                await self._write(encoded(message.model_dump(mode="json", by_alias=True, exclude_unset=True)))
                if message.id is not None:
                    self._in_flight.pop(message.id, None)
            else:
                await self._write(encoded(message.model_dump(mode="json", by_alias=True, exclude_unset=True)))

    async def _write(self, line: bytes) -> None:
        # In a thread, since a client that does not read must not keep the rest from going on.
        await anyio.to_thread.run_sync(self._pipes.write, line, abandon_on_cancel=True)

    async def _heed_silence(self) -> None:
        """Rest while the client is silent, and end once that takes too long: it may have forgotten its server."""
        while (silent := time.monotonic() - self._heard) < self._idle or self._in_flight:
            if silent > _REST and not self._in_flight:
                await self._rest()
            await anyio.sleep(min(_TICK, _REST, max(0.1, self._idle - silent)))
        self._pipes.end()


def _writes(request: JSONRPCRequest) -> bool:
    tool = (request.params or {}).get("name")
    return request.method == "tools/call" and isinstance(tool, str) and tool not in answers.READING


def refused(line: bytes) -> dict[str, Any] | None:
    """Return the answer to a line that is not a message of the protocol; None where nobody waits for one."""
    try:
        content = json.loads(line)
    except (ValueError, RecursionError):
        return _error(None, PARSE_ERROR, "not a line of JSON")
    if isinstance(content, list):
        return _error(None, INVALID_REQUEST, "batches are not accepted: send one message a line")
    if not isinstance(content, dict):
        return _error(None, INVALID_REQUEST, "not a message: it is no object")
    if "method" not in content and ("result" in content or "error" in content):
        return None  # an answer to something that nobody asked
    if "id" not in content and isinstance(content.get("method"), str):
        return None  # a notification
    id = content.get("id")
    return _error(id if is_id(id) else None, INVALID_REQUEST, "not a request: " + _fault(content))


def _fault(content: Mapping[str, Any]) -> str:
    if content.get("jsonrpc") != "2.0":
        return 'jsonrpc has to be "2.0"'
    if not is_id(content.get("id")):
        return "id has to be text or a whole number"
    if not isinstance(content.get("method"), str):
        return "method has to be text"
    return "params has to be an object of valid JSON"


def _error(id: str | int | None, code: int, message: str) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": id, "error": {"code": code, "message": message}}
