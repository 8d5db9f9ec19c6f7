"""Recording what the SDK's own server answers, so that `front` can answer the same before it is imported."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import anyio
from mcp.shared.message import SessionMessage
from mcp_types import JSONRPCError, JSONRPCNotification, JSONRPCRequest, JSONRPCResponse
from mcp_types.version import HANDSHAKE_PROTOCOL_VERSIONS, LATEST_MODERN_VERSION, MODERN_PROTOCOL_VERSIONS

from agentmem_cli.global_options import Flags
from agentmem_mcp import server
from agentmem_mcp.memories import Memories
from agentmem_mcp.tools import BY_NAME

METHODS: Final = ("ping", "tools/list", "resources/list", "resources/templates/list", "prompts/list")
_CLIENT: Final = {"name": "recorder", "version": "1"}


def opening(revision: str) -> dict[str, Any]:
    """Return the request that opens a conversation at a revision, without its id."""
    if revision in MODERN_PROTOCOL_VERSIONS:
        return {"jsonrpc": "2.0", "method": "server/discover", "params": {"_meta": envelope(revision)}}
    params = {"protocolVersion": revision, "capabilities": {}, "clientInfo": _CLIENT}
    return {"jsonrpc": "2.0", "method": "initialize", "params": params}


def envelope(revision: str) -> dict[str, Any]:
    """Return the `_meta` of every request at a revision without handshake."""
    start = "io.modelcontextprotocol/"
    values = {"protocolVersion": revision, "clientInfo": _CLIENT, "clientCapabilities": {}}
    return {start + name: value for name, value in values.items()}


async def record(revision: str, tools: tuple[str, ...] = tuple(BY_NAME)) -> dict[str, dict[str, Any]]:
    """Ask the SDK's server everything that `front` answers, at one revision.

    Args:
        revision: the protocol revision.
        tools: the names of the tools that are offered.

    Returns:
        By method, the `result` or the `error` as they are on the wire.
    """
    first = opening(revision)
    requests = [first]
    for method in METHODS:
        request: dict[str, Any] = {"jsonrpc": "2.0", "method": method}
        if revision in MODERN_PROTOCOL_VERSIONS:
            request["params"] = {"_meta": envelope(revision)}
        requests.append(request)
    sdk = server.build(tools, Memories(Flags()))
    to_sdk, reads = anyio.create_memory_object_stream[SessionMessage | Exception](0)
    writes, from_sdk = anyio.create_memory_object_stream[SessionMessage](0)
    answers: dict[str, dict[str, Any]] = {}
    async with to_sdk, from_sdk, anyio.create_task_group() as tasks:
        tasks.start_soon(sdk.run, reads, writes, sdk.create_initialization_options())
        for number, request in enumerate(requests):
            await to_sdk.send(SessionMessage(JSONRPCRequest(**request, id=number)))
            answer = (await from_sdk.receive()).message
            assert isinstance(answer, JSONRPCResponse | JSONRPCError)
            dumped = answer.model_dump(mode="json", by_alias=True, exclude_unset=True)
            answers[request["method"]] = {key: dumped[key] for key in ("result", "error") if key in dumped}
            if request["method"] == "initialize":
                done = JSONRPCNotification(jsonrpc="2.0", method="notifications/initialized")
                await to_sdk.send(SessionMessage(done))
        await to_sdk.aclose()
    return answers


async def record_all() -> dict[str, Any]:
    """Return the content of `answers.json`."""
    revisions = (*HANDSHAKE_PROTOCOL_VERSIONS, *MODERN_PROTOCOL_VERSIONS)
    return {
        "handshake": list(HANDSHAKE_PROTOCOL_VERSIONS),
        "stateless": list(MODERN_PROTOCOL_VERSIONS),
        "latest": LATEST_MODERN_VERSION,
        "answers": {revision: _without_versions(await record(revision)) for revision in revisions},
    }


def _without_versions(answers: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Leave out what is filled in when it is read, so that a release changes nothing here."""

    def empty(value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        if value.keys() >= {"name", "version"}:
            return {**value, "version": ""}
        return {name: "" if name == "instructions" else empty(item) for name, item in value.items()}

    return {method: empty(answer) for method, answer in answers.items()}


def text() -> str:
    """Return `answers.json` as it should be."""
    return json.dumps(anyio.run(record_all), indent=1, ensure_ascii=False) + "\n"


def write(path: Path) -> Path:
    """Write `answers.json`."""
    path.write_text(text(), encoding="utf-8")
    return path
