from __future__ import annotations

import pytest

from .running import done, run


def test_it_says_what_it_costs_asks_and_switches(monkeypatch: object) -> None:
    done("add", "one")
    done("add", "two")
    done("index")
    ran = run("reembed", "dummy", "--json")
    assert ran.code == 0, "nothing is left to embed, so there is nothing to ask"
    assert ran.json["embedded"] == 0


def test_another_embedder_takes_over(monkeypatch: object) -> None:
    import os

    for number in range(3):
        done("add", f"fact {number}")
    done("index")
    os.environ.pop("AGENTMEM_EMBEDDING_PROVIDER")
    ran = run("reembed", "local")
    assert ran.code == 2
    assert "embed 3 texts with local (all-MiniLM-L6-v2-int8, 384 dimensions)" in ran.err
    assert "would embed 3 texts" in done("reembed", "local", "--dry-run").err
    assert "dummy" in done("status", "--json").json["embedded_with"]
    assert done("reembed", "local", "-y", "--json").json == {
        "embedded": 3,
        "embedded_with": "local (all-MiniLM-L6-v2-int8, 384 dimensions)",
    }
    assert done("status", "--json").json["embedding_provider"] == "local"
    assert (
        done("search", "fact 2", "--mode", "vector", "--limit", "1", "--json").json[0]["content"] == "fact 2"
    )


def test_an_unknown_embedder_is_a_usage_error() -> None:
    done("add", "one")
    ran = run("reembed", "bert")
    assert ran.code == 2
    assert "local" in ran.err
    assert run("reembed", "fastembed", "--model", "BAAI/bge-small-en-v1.5").code == 7


def test_what_is_chosen_before_the_first_memory_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AGENTMEM_EMBEDDING_PROVIDER")
    done("reembed", "dummy", "--dry-run")
    assert "no memory yet" in run("list").err
    done("reembed", "dummy", "-y")
    done("add", "one")
    assert done("status", "--json").json["embedding_provider"] == "dummy"
