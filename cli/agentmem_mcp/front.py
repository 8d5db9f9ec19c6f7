"""Answering what a client asks first, from recorded answers and with the standard library alone.

Agents wait for a server only a moment, and go on without its tools if it answers later; importing the SDK takes
longer. Whatever is not asked exactly as clients usually do is left to the SDK, which knows all the rules.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import Any, Final, TypeGuard

from agentmem_mcp import answers

_ENVELOPE: Final = "io.modelcontextprotocol/"
_VERSION_KEY: Final = _ENVELOPE + "protocolVersion"
_KNOWN_KEYS: Final = {
    _VERSION_KEY: str,
    _ENVELOPE + "clientInfo": dict,
    _ENVELOPE + "clientCapabilities": dict,
}


class Front:
    """Answers until the SDK takes over.

    Args:
        tools: the names of the tools that are offered.
        version: the version of this package.
    """

    def __init__(self, tools: Collection[str], version: str) -> None:
        self._tools = tools
        self._version = version
        self._revision: str | None = None
        self._answers: dict[str, dict[str, Any]] = {}
        self._closed = False
        self.opening: dict[str, Any] | None = None
        """The request that opened the conversation, if it was answered here: the SDK has to be told of it."""
        self.listed = False
        """Whether the client has the list of tools: then there is time to import the SDK."""

    def answer(self, line: bytes) -> bytes | None:
        """Return the answer to a line; None where the SDK has to see it."""
        if self._closed:
            return None
        try:
            message = json.loads(line)
        except (ValueError, RecursionError):
            return None
        if not isinstance(message, dict) or not _is_request(message):
            return None
        answer = self._answer(message["method"], message.get("params"))
        if answer is None:
            if self.opening is None:
                self._closed = True  # the first request decides how the conversation goes on
            return None
        if self.opening is None:
            self.opening = message
        self.listed = self.listed or message["method"] == "tools/list"
        return encoded({"jsonrpc": "2.0", "id": message["id"], **answer})

    def _answer(self, method: str, params: Any) -> dict[str, Any] | None:
        if method == "initialize":
            return self._initialize(params) if self.opening is None else None
        if params is not None and not (isinstance(params, dict) and params.keys() <= {"_meta"}):
            return None
        meta = (params or {}).get("_meta", {})
        if not isinstance(meta, dict):
            return None
        if self.opening is None:
            if meta.get(_VERSION_KEY) not in answers.recorded()["stateless"]:
                return None
            self._speak(meta[_VERSION_KEY])
        if not self._fits(meta):
            return None
        return self._answers.get(method)

    def _fits(self, meta: Mapping[str, Any]) -> bool:
        """Return whether a request's `_meta` is as the revision in use has it."""
        ours = {name: value for name, value in meta.items() if name.startswith(_ENVELOPE)}
        if self._revision not in answers.recorded()["stateless"]:
            return not ours
        return (
            ours.get(_VERSION_KEY) == self._revision
            and isinstance(ours.get(_ENVELOPE + "clientCapabilities"), dict)
            and all(isinstance(value, _KNOWN_KEYS.get(name, ())) for name, value in ours.items())
            and _is_named(ours.get(_ENVELOPE + "clientInfo", {"name": "", "version": ""}))
        )

    def _initialize(self, params: Any) -> dict[str, Any] | None:
        if not isinstance(params, dict) or not isinstance(params.get("capabilities"), dict):
            return None
        asked = params.get("protocolVersion")
        if not isinstance(asked, str) or not _is_named(params.get("clientInfo")):
            return None
        known = answers.recorded()
        self._speak(asked if asked in known["handshake"] else known["handshake"][-1])
        return self._answers["initialize"]

    def _speak(self, revision: str) -> None:
        self._revision = revision
        self._answers = answers.completed(revision, self._tools, self._version)


def _is_request(message: Mapping[str, Any]) -> bool:
    return (
        message.get("jsonrpc") == "2.0"
        and isinstance(message.get("method"), str)
        and is_id(message.get("id"))
    )


def _is_named(client: Any) -> bool:
    return (
        isinstance(client, dict)
        and isinstance(client.get("name"), str)
        and isinstance(client.get("version"), str)
    )


def is_id(value: Any) -> TypeGuard[str | int]:
    """Return whether something may be the id of a request."""
    return isinstance(value, (str, int)) and not isinstance(value, bool)


def encoded(message: Mapping[str, Any]) -> bytes:
    """Return a message as one line, in ASCII: it says the same, and no terminal obeys it."""
    return json.dumps(message, separators=(",", ":")).encode("ascii").replace(b"\x7f", b"\\u007f")


def opened(opening: Mapping[str, Any], id: str) -> dict[str, Any]:
    """Return the request that tells the SDK how a conversation began, under an id of our own.

    Args:
        opening: the client's own request.
        id: the id by which its answer is told from others.
    """
    if opening["method"] != "initialize":
        return {**opening, "id": id}
    params = opening["params"]
    client = {name: params["clientInfo"][name] for name in ("name", "version")}
    # Without the client's capabilities: no tool uses any, and one that is not well-formed would be refused.
    plain = {"protocolVersion": params["protocolVersion"], "capabilities": {}, "clientInfo": client}
    return {**opening, "id": id, "params": plain}
