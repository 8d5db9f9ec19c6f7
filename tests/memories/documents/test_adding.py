"""Files that become documents, by several hands at once, and with all that can be given."""

from __future__ import annotations

import asyncio
import os
import unicodedata
from datetime import timedelta
from pathlib import Path

import pytest

from agent_memory import AgentMemory, MemoryConfig, SyncAgentMemory, ValidationError, clock
from agent_memory.memories.documents import adding

pytestmark = pytest.mark.anyio


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


async def test_two_at_once_store_each_chunk_once(tmp_path: Path, here: Path) -> None:
    config = MemoryConfig(embedding_provider="dummy", backend_config={"path": str(tmp_path / "both.db")})
    files = [here / f"{number}.md" for number in range(6)]
    async with AgentMemory("t", config) as one, AgentMemory("t", config) as other:
        for version in range(3):
            for file in files:
                file.write_text(f"Version {version} of {file.name}.")
            await asyncio.gather(one.semantic.add_paths(here), other.semantic.add_paths(here))
            found = await one.semantic.list(None)
            assert sorted(result.content for result in found) == sorted(file.read_text() for file in files)


async def test_what_somebody_changes_meanwhile_is_looked_at_again(
    memory: AgentMemory, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (here / "a.md").write_text("one")
    (first,), _, _ = await memory.semantic.add_paths("a.md")
    (here / "a.md").write_text("two")
    look = adding.chunks_of_files
    tries = []

    async def slowly(*given: object) -> object:
        found = await look(*given)  # type: ignore[arg-type]
        if not tries:
            await memory.update(first.ids[0], add_tags=["tagged meanwhile"])
        tries.append(found)
        return found

    monkeypatch.setattr(adding, "chunks_of_files", slowly)
    (second,), _, _ = await memory.semantic.add_paths("a.md")
    assert len(tries) == 2
    found = await memory.semantic.get(second.ids[0])
    assert found is not None
    assert (found.content, found.tags) == ("two", ("tagged meanwhile",))


async def test_all_that_add_takes_is_taken(memory: AgentMemory, here: Path) -> None:
    (here / "a.md").write_text("one")
    moment = clock.now() - timedelta(days=9)
    await memory.semantic.add_paths(
        "a.md", "T", "s", "t", 0.9, metadata={"n": 1}, ttl="7d", session="x", occurred_at=moment, pinned=True
    )
    (found,) = await memory.semantic.list()
    assert (found.title, found.source, found.tags, found.importance) == ("T", "s", ("t",), 0.9)
    assert (found.metadata, found.session, found.occurred_at, found.pinned) == ({"n": 1}, "x", moment, True)
    assert found.expires_at is not None
    (here / "a.md").write_text("two")
    await memory.semantic.add_paths("a.md")
    (new,) = await memory.semantic.list()
    assert new.content == "two"
    for name in (
        "title",
        "source",
        "tags",
        "importance",
        "metadata",
        "session",
        "occurred_at",
        "pinned",
        "expires_at",
    ):
        assert getattr(new, name) == getattr(found, name), name


@pytest.mark.parametrize(
    "name", ["with space.md", "naïve.md", unicodedata.normalize("NFD", "é.md"), " .md", "'\".md"]
)
async def test_a_file_of_any_name_is_known_again(memory: AgentMemory, here: Path, name: str) -> None:
    (here / name).write_text("one")
    (first,), _, _ = await memory.semantic.add_paths(here / name)
    assert first.path == os.path.realpath(here / name)
    (again,), _, _ = await memory.semantic.add_paths(here)
    assert (again.outcome, again.ids) == ("unchanged", first.ids)


async def test_a_renamed_file_is_another_document_until_the_old_one_is_pruned(
    memory: AgentMemory, here: Path
) -> None:
    (here / "a.md").write_text("one")
    await memory.semantic.add_paths(here)
    (here / "a.md").rename(here / "b.md")
    await memory.semantic.add_paths(here)
    assert await memory.semantic.count() == 2
    documents, _, _ = await memory.semantic.add_paths(here, prune=True)
    assert [(Path(document.path).name, document.outcome) for document in documents] == [
        ("b.md", "unchanged"),
        ("a.md", "archived"),
    ]
    (found,) = await memory.semantic.list()
    assert found.path == os.path.realpath(here / "b.md")


async def test_an_emptied_file_leaves_its_document_as_it_was(memory: AgentMemory, here: Path) -> None:
    for name in ("a.md", "b.md"):
        (here / name).write_text(name)
    await memory.semantic.add_paths(here)
    (here / "a.md").write_text("")
    documents, skipped, _ = await memory.semantic.add_paths(here, prune=True)
    assert [document.outcome for document in documents] == ["unchanged"]
    assert [item.reason for item in skipped] == ["is empty"]
    assert await memory.semantic.count() == 2


async def test_a_trial_run_says_what_would_be_and_stores_nothing(memory: AgentMemory, here: Path) -> None:
    (here / "a.md").write_text("one")
    (would,), _, _ = await memory.semantic.add_paths("a.md", dry_run=True)
    assert (would.outcome, len(would.ids)) == ("added", 1)
    assert await memory.count(status=None) == 0


def test_progress_and_the_blocking_face(here: Path) -> None:
    for number in range(3):
        (here / f"{number}.md").write_text(f"text {number}")
    seen: list[tuple[int, int]] = []
    with SyncAgentMemory("t", MemoryConfig(backend="memory", embedding_provider="none")) as memory:
        documents, _, _ = memory.semantic.add_paths(
            here, progress=lambda done, total: seen.append((done, total))
        )
        assert [document.outcome for document in documents] == ["added"] * 3
        assert seen == [(1, 3), (2, 3), (3, 3)]
        with pytest.raises(ValidationError, match="nothing"):
            memory.semantic.add_paths("nothing.md")
