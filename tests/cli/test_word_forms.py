"""Words, codes and symbols as people type them."""

from __future__ import annotations

import pytest

from tests.cli.running import done


def stored(text: str) -> str:
    return done("add", text).out.strip()


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("retryWithBackoff swallows the error", "retry backoff"),
        ("the order total is rounded twice", "orderTotal"),
        ("JSONDecoder is slow", "json decoder"),
        ("image built from 4be1a7c09d22f5", "4be1a7c"),
        ("container 0f3c9ad1e77b was killed", "0F3C9AD1E7"),
        ("shipped 🚀 on time", "🚀"),
        ("pays in ₹ only", "₹"),
        ("tabs → spaces", "→"),
    ],
)
def test_what_was_stored_is_found_as_it_is_asked_for(text: str, query: str) -> None:
    wanted = stored(text)
    for other in ("shipped 🎉 on time", "container 1f3c9ad1e77b runs", "pays in ₽ only", "tabs ← spaces"):
        stored(other)
    assert done("search", query, "--mode", "keyword", "-o", "id").lines[0] == wanted


def test_explain_says_that_the_embedder_does_not_read_a_query(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AGENTMEM_EMBEDDING_PROVIDER", "local")
    stored("deployed 4be1a7c09d22f5")
    note = "the embedder does not read this query: scored by words alone"
    assert note in done("search", "4be1a7c09d22f5", "--explain").out
    assert note not in done("search", "p95 of checkout", "--explain").out
