"""`--rerank`: what was found is ordered anew; where a cross-encoder is named and missing, it says how to get it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.running import done, run

QUERY = "which red boat sank in the harbour"


@pytest.fixture(autouse=True)
def memories() -> None:
    for text in ("One boat, another boat", "A red boat sank in the harbour"):
        done("add", text)


def test_it_orders_anew_and_explains(reranker_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AGENTMEM_RERANK_PATH", str(reranker_folder))
    found = done("search", QUERY, "--mode", "keyword", "--rerank", "--explain", "--json").json
    assert found[0]["content"] == "A red boat sank in the harbour"
    assert found[0]["explanation"]["rerank"]["model"] == "Xenova/ms-marco-MiniLM-L-6-v2"
    assert "A red boat sank" in done("recall", QUERY, "--mode", "keyword", "--rerank").out.splitlines()[1]


def test_without_a_named_model_the_default_one_orders() -> None:
    found = done("search", QUERY, "--mode", "keyword", "--rerank", "--explain", "--json").json
    assert found[0]["content"] == "A red boat sank in the harbour"
    assert found[0]["explanation"]["rerank"]["model"] == "all-MiniLM-L6-v2 tokens"


def test_without_the_named_model_it_exits_with_7_and_names_the_command(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AGENTMEM_RERANK_MODEL", "Xenova/ms-marco-MiniLM-L-6-v2")
    ran = run("search", QUERY, "--mode", "keyword", "--rerank")
    assert ran.code == 7
    assert "agentmem model pull Xenova/ms-marco-MiniLM-L-6-v2" in ran.err
    assert len(ran.err.splitlines()) <= 2
