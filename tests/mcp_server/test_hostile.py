"""Whatever comes in by the pipe: the server goes on, and each request gets exactly one answer."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agentmem_mcp.session import refused
from agentmem_mcp.wire import LONGEST, LineSplitter

from .raw import STATELESS, Raw, envelope

_ids = count(1)
TOOLS = ["recall", "search", "add", "update", "forget"]
METHODS = [
    *(
        "initialize",
        "ping",
        "server/discover",
        "tools/list",
        "tools/call",
        "resources/list",
        "resources/read",
    ),
    *("resources/templates/list", "prompts/list", "prompts/get", "completion/complete", "logging/setLevel"),
    *(
        "resources/subscribe",
        "subscriptions/listen",
        "sampling/createMessage",
        "tasks/list",
        "rpc.discover",
        "",
    ),
]
NOTIFICATIONS = [
    "notifications/initialized",
    "notifications/progress",
    "notifications/cancelled",
    "exit",
    "x",
]
scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
names = st.sampled_from(
    ["query", "limit", "content", "type", "key", "tags", "importance", "id", "budget", "add_tags"]
)
arguments = st.dictionaries(names | st.text(max_size=6), values, max_size=4)
calls = st.fixed_dictionaries(
    {"name": st.sampled_from(TOOLS) | values, "arguments": arguments | values}, optional={"_meta": values}
)
parameters = st.one_of(
    st.just(None),
    calls,
    st.fixed_dictionaries({"uri": st.sampled_from(["memory://brief", "file:///etc/passwd"]) | values}),
    st.fixed_dictionaries({"_meta": st.just({"progressToken": 1}) | values}),
    st.dictionaries(st.text(max_size=8), values, max_size=3),
)


def requests(meta: Any) -> st.SearchStrategy[dict[str, Any]]:
    """Requests with an id that no other has, all well-formed but for their parameters."""

    def made(method: str, params: Any, word: bool) -> dict[str, Any]:
        id: Any = f"id-{next(_ids)}" if word else next(_ids)
        message = {"jsonrpc": "2.0", "id": id, "method": method}
        if params is not None:
            message["params"] = {**params, "_meta": meta} if meta and "_meta" not in params else params
        elif meta:
            message["params"] = {"_meta": meta}
        return message

    return st.builds(made, st.sampled_from(METHODS) | st.text(max_size=10), parameters, st.booleans())


notices = st.fixed_dictionaries(
    {"jsonrpc": st.just("2.0"), "method": st.sampled_from(NOTIFICATIONS) | st.text(max_size=10)},
    optional={"params": st.dictionaries(st.text(max_size=8), values, max_size=3)},
)
garbage = st.one_of(
    st.binary(max_size=60).filter(lambda line: b"\n" not in line),
    values.map(lambda value: json.dumps(value).encode()),
    st.lists(requests(None), max_size=3).map(lambda batch: json.dumps(batch).encode()),
    st.sampled_from([b"[" * 5000, b'{"a":' * 5000, b"{", b'{"jsonrpc": "2.0"}', b"null", b'"\\ud800"']),
    st.dictionaries(
        st.sampled_from(["jsonrpc", "id", "method", "params", "result", "error"]), values, max_size=5
    )
    .filter(lambda message: "id" not in message)
    .map(lambda message: json.dumps(message).encode()),
)


def line(message: Any) -> bytes:
    return message if isinstance(message, bytes) else json.dumps(message).encode()


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("hostile")
    return {
        "AGENTMEM_HOME": str(folder / "data"),
        "AGENTMEM_CONFIG": str(folder / "none.toml"),
        "AGENTMEM_EMBEDDING_PROVIDER": "dummy",
    }


@pytest.fixture(scope="module")
def with_handshake(home: dict[str, str]) -> Iterator[Raw]:
    with Raw(environment=home) as server:
        server.begin()
        yield server


@pytest.fixture(scope="module")
def without_handshake(home: dict[str, str]) -> Iterator[Raw]:
    with Raw(environment=home) as server:
        server.ask("server/discover", {"_meta": envelope()}, "opening")
        yield server


def exchange(server: Raw, messages: list[Any]) -> None:
    """Send messages, and wait until all that are requests have been answered, each once."""
    awaited = Counter(message["id"] for message in messages if isinstance(message, dict) and "id" in message)
    last = f"last-{next(_ids)}"
    for message in messages:
        server.write(line(message))
    server.request(last, "tools/list", {"_meta": envelope()} if server.stateless else None)
    awaited[last] += 1
    while +awaited:
        answer = server.hear()
        assert answer is not None, b"".join(server.said[-20:]).decode(errors="replace")
        assert answer["jsonrpc"] == "2.0"
        assert ("result" in answer) != ("error" in answer)
        if answer["id"] is None:
            assert answer["error"]["code"] in (-32700, -32600)
        else:
            assert awaited[answer["id"]] == 1, answer
            awaited[answer["id"]] -= 1


SOME = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@SOME
@given(messages=st.lists(requests(None) | notices | garbage, max_size=8))
def test_every_request_is_answered_once_after_a_handshake(with_handshake: Raw, messages: list[Any]) -> None:
    exchange(with_handshake, messages)


@SOME
@given(messages=st.lists(requests(envelope()) | notices | garbage, max_size=8))
def test_every_request_is_answered_once_without_a_handshake(
    without_handshake: Raw, messages: list[Any]
) -> None:
    without_handshake.stateless = True
    exchange(without_handshake, messages)


@pytest.mark.parametrize("messages", [20], ids=["before the SDK is there"])
@settings(max_examples=4, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_it_survives_anything_from_its_first_line_on(
    home: dict[str, str], messages: int, data: st.DataObject
) -> None:
    sent = data.draw(st.lists(requests(None) | requests(envelope()) | notices | garbage, max_size=messages))
    with Raw(environment=home) as server:
        for message in sent:
            server.write(line(message))
        awaited = {message["id"] for message in sent if isinstance(message, dict) and "id" in message}
        while awaited:
            answer = server.hear()
            assert answer is not None, b"".join(server.said).decode(errors="replace")
            if answer["id"] is not None:
                awaited.remove(answer["id"])
        assert [answer for answer in server.end() if answer["id"] is not None] == []
        assert server.process.returncode == 0


def test_a_huge_line_is_read_whole_and_one_without_end_is_not() -> None:
    with Raw() as server:
        server.begin()
        said = server.ask("tools/call", {"name": "add", "arguments": {"content": "word " * 200_000}})
        assert said["result"]["content"][0]["text"]
        server.write(b"x" * (LONGEST + 100))
        assert server.hear()["error"]["code"] == -32700
        assert server.ask("ping", id=2)["result"] == {}


def test_a_request_that_was_taken_back_is_not_waited_for() -> None:
    with Raw() as server:
        server.begin()
        server.call("recall")
        server.request("slow", "tools/call", {"name": "recall", "arguments": {"query": "x"}})
        server.notify("notifications/cancelled", {"requestId": "slow"})
        server.request("ping", "ping")
        while server.hear()["id"] != "ping":
            pass
        server.end(seconds=30)
        assert server.process.returncode == 0


def test_lines_are_cut_where_they_end_whatever_the_chunks() -> None:
    whole = b'{"a": 1}\r\n\n  \n{"b": "\xc3\xa4"}\n{"c"'
    for size in (1, 2, 3, 7, 100):
        splitter = LineSplitter()
        lines = [item for at in range(0, len(whole), size) for item in splitter.feed(whole[at : at + size])]
        assert [*lines, *splitter.rest()] == [b'{"a": 1}', b'{"b": "\xc3\xa4"}', b'{"c"']


@pytest.mark.parametrize(
    ("content", "id", "code"),
    [
        (b"{", None, -32700),
        (b"[]", None, -32600),
        (b"5", None, -32600),
        (b'{"jsonrpc": "1.0", "id": 1, "method": "ping"}', 1, -32600),
        (b'{"jsonrpc": "2.0", "id": 1.5, "method": "ping"}', None, -32600),
        (b'{"jsonrpc": "2.0", "id": null, "method": "ping"}', None, -32600),
        (b'{"jsonrpc": "2.0", "id": "a", "method": 5}', "a", -32600),
        (b'{"jsonrpc": "2.0", "id": "a", "method": "ping", "params": [1]}', "a", -32600),
        (b'{"jsonrpc": "2.0", "id": "a"}', "a", -32600),
    ],
)
def test_a_line_that_is_no_message_is_refused_with_its_id(content: bytes, id: Any, code: int) -> None:
    answer = refused(content)
    assert answer is not None
    assert (answer["id"], answer["error"]["code"]) == (id, code)


@pytest.mark.parametrize(
    "content", [b'{"jsonrpc": "1.0", "method": "x"}', b'{"result": {}, "id": 5}', b'{"error": 1}']
)
def test_nobody_waits_for_an_answer_to_a_notification_or_an_answer(content: bytes) -> None:
    assert refused(content) is None


def test_a_request_at_a_revision_that_is_not_served_names_those_that_are() -> None:
    with Raw() as server:
        answer = server.ask("tools/list", {"_meta": envelope(protocolVersion="2099-01-01")})
        assert answer["error"]["code"] == -32022
        assert answer["error"]["data"]["supported"] == [STATELESS]
