from __future__ import annotations

from ..running import done


def test_the_default_comes_first_and_is_here() -> None:
    listed = done("model", "list", "--json").json
    assert (listed[0]["name"], listed[0]["provider"], listed[0]["present"]) == (
        "all-MiniLM-L6-v2-int8",
        "local",
        True,
    )
    assert {item["provider"] for item in listed} == {"local", "multilingual", "fastembed"}
    assert not any(item["present"] for item in listed if item["provider"] == "fastembed")
    assert "BAAI/bge-small-en-v1.5" in done("model", "list", "-o", "id").lines
    assert {item["name"]: item["dimension"] for item in listed if item["purpose"] == "rerank"} == {
        "Xenova/ms-marco-MiniLM-L-6-v2": None,
        "BAAI/bge-reranker-base": None,
    }
