"""What is answered before the SDK is imported is what the SDK itself would answer."""

from __future__ import annotations

import json
from typing import Any

import pytest
from mcp_types.version import HANDSHAKE_PROTOCOL_VERSIONS, MODERN_PROTOCOL_VERSIONS

from agent_memory.version import __version__
from agentmem_mcp import answers, cost, front, recording
from agentmem_mcp.front import Front
from agentmem_mcp.tools import TOOLS

from .raw import LATEST, STATELESS, envelope

pytestmark = pytest.mark.anyio
REVISIONS = (*HANDSHAKE_PROTOCOL_VERSIONS, *MODERN_PROTOCOL_VERSIONS)
ALL = tuple(tool.name for tool in TOOLS)


async def test_the_recorded_answers_are_those_of_the_sdk_that_is_installed() -> None:
    recorded = await recording.record_all()
    assert answers.recorded() == recorded, "run: python -m docs.build answers"


@pytest.mark.parametrize("tools", [ALL, ("recall", "search"), ("add",)], ids=len)
@pytest.mark.parametrize("revision", REVISIONS)
async def test_the_front_and_the_sdk_answer_the_same(revision: str, tools: tuple[str, ...]) -> None:
    sdk = await recording.record(revision, tools)
    early = Front(tools, __version__)
    opening = recording.opening(revision)
    for method in (opening["method"], *recording.METHODS):
        request = opening if method == opening["method"] else {"jsonrpc": "2.0", "method": method}
        if revision in MODERN_PROTOCOL_VERSIONS:
            request = {**request, "params": {"_meta": recording.envelope(revision)}}
        assert ask(early, {**request, "id": 7}) == {"jsonrpc": "2.0", "id": 7, **sdk[method]}


def ask(early: Front, message: Any) -> Any:
    answer = early.answer(json.dumps(message).encode())
    return None if answer is None else json.loads(answer)


def request(method: str, params: Any = None, **more: Any) -> dict[str, Any]:
    message = {"jsonrpc": "2.0", "id": 1, "method": method, **more}
    return message if params is None else {**message, "params": params}


HELLO = {"protocolVersion": LATEST, "capabilities": {}, "clientInfo": {"name": "c", "version": "1"}}


def test_a_revision_that_nobody_knows_gets_the_latest_one_with_a_handshake() -> None:
    early = Front(ALL, "1")
    answer = ask(early, request("initialize", {**HELLO, "protocolVersion": "2099-01-01"}))
    assert answer["result"]["protocolVersion"] == LATEST


@pytest.mark.parametrize(
    "message",
    [
        request("tools/list"),
        request("ping"),
        request("initialize"),
        request("initialize", {**HELLO, "capabilities": None}),
        request("initialize", {**HELLO, "clientInfo": {"name": "c"}}),
        request("initialize", {**HELLO, "protocolVersion": 3}),
        request("initialize", HELLO, id=1.5),
        request("initialize", HELLO, id=True),
        request("initialize", HELLO, jsonrpc="1.0"),
        request("tools/list", {"_meta": envelope(protocolVersion="2099-01-01")}),
        request("tools/list", {"_meta": envelope(clientCapabilities=None)}),
        request("tools/list", {"_meta": envelope(clientInfo="me")}),
        request("tools/list", {"_meta": envelope(clientInfo={"name": 1, "version": "1"})}),
        request("tools/list", {"_meta": envelope(logLevel="loud")}),
        request("tools/list", {"_meta": envelope(), "cursor": "x"}),
        request("tools/list", {"_meta": [1]}),
        request("tools/call", {"_meta": envelope(), "name": "recall"}),
        [request("initialize", HELLO)],
        "initialize",
        None,
    ],
    ids=lambda message: json.dumps(message)[:60],
)
def test_what_is_not_asked_as_usual_is_left_to_the_sdk(message: Any) -> None:
    early = Front(ALL, "1")
    assert ask(early, message) is None
    assert early.opening is None


def test_after_a_request_that_the_sdk_has_to_answer_first_everything_is() -> None:
    early = Front(ALL, "1")
    assert ask(early, request("tools/call", {"name": "recall"})) is None
    assert ask(early, request("initialize", HELLO)) is None


def test_a_notification_before_the_first_request_decides_nothing() -> None:
    early = Front(ALL, "1")
    assert ask(early, {"jsonrpc": "2.0", "method": "notifications/initialized"}) is None
    assert ask(early, request("initialize", HELLO)) is not None


def test_a_conversation_does_not_change_its_era() -> None:
    early = Front(ALL, "1")
    assert ask(early, request("initialize", HELLO)) is not None
    assert ask(early, request("tools/list", {"_meta": envelope()})) is None
    later = Front(ALL, "1")
    assert ask(later, request("server/discover", {"_meta": envelope()})) is not None
    assert ask(later, request("initialize", HELLO)) is None
    assert ask(later, request("tools/list")) is None


@pytest.mark.parametrize("line", [b"", b"{", b"\xff", b"[" * 100_000, b'{"a": NaN}'])
def test_what_is_no_json_is_left_to_the_session(line: bytes) -> None:
    assert Front(ALL, "1").answer(line) is None


def test_the_sdk_is_told_of_the_opening_without_what_it_might_refuse() -> None:
    told = front.opened(request("initialize", {**HELLO, "capabilities": {"roots": 5}, "x": 1}), "own")
    assert told == request("initialize", HELLO, id="own")
    stateless = request("server/discover", {"_meta": envelope()})
    assert front.opened(stateless, "own") == {**stateless, "id": "own"}


def test_an_answer_is_one_line_that_no_terminal_obeys() -> None:
    line = front.encoded({"a": "\x1b[2J\x7f\x9b\u202e\nü"})
    assert all(0x20 <= byte < 0x7F for byte in line)
    assert json.loads(line) == {"a": "\x1b[2J\x7f\x9b\u202e\nü"}


def test_every_hint_on_what_a_tool_may_do_is_given_and_true() -> None:
    listed = answers.completed(STATELESS, ALL, "1")["tools/list"]["result"]["tools"]
    hints = {
        tool["name"]: {name: value for name, value in tool["annotations"].items() if value} for tool in listed
    }
    assert all(len(tool["annotations"]) == 4 for tool in listed)
    assert hints == {
        "recall": {"readOnlyHint": True, "idempotentHint": True},
        "search": {"readOnlyHint": True, "idempotentHint": True},
        "add": {},
        "update": {"idempotentHint": True},
        "forget": {"destructiveHint": True, "idempotentHint": True},
    }
    assert [tool["name"] for tool in listed if tool["annotations"]["readOnlyHint"]] == list(answers.READING)
    assert [tool["name"] for tool in listed if tool.get("_meta")] == ["recall", "add"]
    assert not any("outputSchema" in tool or "title" in json.dumps(tool) for tool in listed)


def test_the_definitions_take_no_more_of_a_prompt_than_they_did() -> None:
    assert {row["tool"]: row["bytes"] for row in cost.rows(ALL)} == {
        "recall": 237,
        "search": 230,
        "add": 466,
        "update": 278,
        "forget": 182,
        "instructions": 153,
        "total": 1546,
    }


def test_the_instructions_are_two_sentences_and_name_only_tools_that_are_offered() -> None:
    assert answers.instructions(ALL).count(".") == 2
    assert " add " not in answers.instructions(answers.READING).lower()
