from __future__ import annotations

from typing import Any

import pytest
from embeddings.wire import EmbeddingServer, Failure

from .running import done, run

BAD = "the zucchini budget"


@pytest.fixture
def server(embedding_server: EmbeddingServer, monkeypatch: pytest.MonkeyPatch) -> EmbeddingServer:
    """Let the commands embed with a server that refuses one text."""
    options = {"base_url": embedding_server.url, "model": "m", "native_dimension": "32", "max_retries": "0"}
    monkeypatch.setenv("AGENTMEM_EMBEDDING_PROVIDER", "openai")
    for name, value in options.items():
        monkeypatch.setenv(f"AGENTMEM_EMBEDDING_{name.upper()}", value)

    def twist(texts: list[str], data: list[dict[str, Any]]) -> Any:
        return Failure(413, "too large for us") if any(BAD in text for text in texts) else data

    embedding_server.twist = twist
    return embedding_server


def test_what_is_owed_is_embedded() -> None:
    for text in ("one", "two", "three"):
        done("add", text)
    assert done("index", "--limit", "2", "--json").json == {"embedded": 2, "owed": 1}
    assert done("index", "--json").json == {"embedded": 1, "owed": 0}
    assert done("index", "--json").json == {"embedded": 0, "owed": 0}
    assert run("index", "--limit", "0").code == 2


def test_what_cannot_be_embedded_is_named_and_passed(server: EmbeddingServer) -> None:
    ids = [done("add", text).out.strip() for text in ("one", BAD, "two", "three")]
    ran = run("index", "--json")
    assert (ran.code, ran.json) == (1, {"embedded": 3, "owed": 1, "failed": 1})
    assert f"{ids[1][:8]} cannot be embedded: 127.0.0.1" in ran.err
    assert "413: too large for us" in ran.err
    assert {item["id"] for item in done("search", "two", "--mode", "vector", "--json").json} == {
        ids[0],
        *ids[2:],
    }
    found = done("search", "zucchini", "--json")
    assert ids[1] in {item["id"] for item in found.json}
    assert "1 memory is found by words only, as its text cannot be embedded" in found.err
    told = done("status", "--json").json
    assert (told["owed_embeddings"], told["failed_embeddings"]) == (1, 1)
    assert told["failures"][0]["id"] == ids[1]
    assert told["failures"][0]["at"].startswith("20")
    shown = done("status")
    assert "1, 1 of them cannot be embedded" in shown.out
    assert "413: too large for us (agentmem index tries again)" in shown.err
    server.twist = None
    assert done("index", "--json").json == {"embedded": 1, "owed": 0}
    assert "cannot be embedded" not in done("status").out


def test_many_texts_at_once_are_stored_and_the_refused_one_is_told(server: EmbeddingServer) -> None:
    lines = [f"note number {number}" for number in range(20)]
    ran = done("add", "--lines", stdin="\n".join([*lines, BAD]))
    assert len(ran.lines) == 21
    assert "1 text is found by words only: `agentmem status` says why" in ran.err
    assert done("status", "--json").json["failed_embeddings"] == 1


def test_embedding_anew_tells_what_it_could_not(server: EmbeddingServer) -> None:
    for text in ("one", BAD, "two"):
        done("add", text)
    ran = run("reembed", "-y", "--json")
    assert ran.code == 1
    assert (ran.json["embedded"], ran.json["failed"]) == (2, 1)
    assert "1 cannot be embedded: `agentmem status` says why" in ran.err


def test_a_server_that_is_not_there_is_no_fault_of_the_texts(server: EmbeddingServer) -> None:
    server.twist = lambda texts, data: Failure(503, "closed")
    done("add", "one")
    ran = run("index")
    assert ran.code == 1
    assert "503: closed" in ran.err
    assert done("status", "--json").json["failed_embeddings"] == 0
    assert "searched by words only" in done("search", "one").err
    assert run("search", "one", "--mode", "vector").code == 1
