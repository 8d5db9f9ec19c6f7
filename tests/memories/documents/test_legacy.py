"""Documents that were stored from files before their paths were noted."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent_memory import AgentMemory

pytestmark = pytest.mark.anyio
TEXT = "\n".join(f"Line {number} of the guide." for number in range(10))
EDITED = TEXT.replace("Line 3", "Another line")


@pytest.fixture
def guide(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "guide.md"
    path.write_text(EDITED)
    return path


@pytest.mark.parametrize("typed", ["guide.md", "./guide.md", "absolute"])
async def test_an_old_document_of_the_file_is_brought_up_to_date(
    memory: AgentMemory, guide: Path, typed: str
) -> None:
    source = str(guide) if typed == "absolute" else typed
    await memory.semantic.add_document(TEXT, "guide.md", source, ["old"])
    (stored,), _, notices = await memory.semantic.add_paths(source)
    assert (stored.outcome, notices) == ("changed", [])
    (found,) = await memory.semantic.list(None)
    assert (found.content, found.path, found.tags) == (EDITED, str(guide.resolve()), ("old",))


async def test_both_copies_that_editing_left_become_one(memory: AgentMemory, guide: Path) -> None:
    await memory.semantic.add_document(TEXT, "guide.md", "guide.md")
    (newer,) = await memory.semantic.add_document(EDITED, "guide.md", "guide.md")
    (stored,), _, _ = await memory.semantic.add_paths("guide.md")
    assert stored.ids == [newer]
    assert [item.id for item in await memory.semantic.list(None)] == [newer]


async def test_a_short_text_stored_by_itself_is_recognised(memory: AgentMemory, guide: Path) -> None:
    old = await memory.semantic.add(EDITED, title="guide.md", source="guide.md")
    (stored,), _, _ = await memory.semantic.add_paths("guide.md")
    assert stored.ids == [old]
    found = await memory.semantic.get(old)
    assert found is not None
    assert (found.document_id, found.position) == (stored.document_id, 0)


async def test_a_file_of_the_same_name_elsewhere_is_left_alone(memory: AgentMemory, guide: Path) -> None:
    (old,) = await memory.semantic.add_document("About another project.", "guide.md", "guide.md")
    (stored,), _, notices = await memory.semantic.add_paths("guide.md")
    assert stored.outcome == "added"
    assert await memory.semantic.get(old) is not None
    assert "older document from guide.md" in notices[0]


@pytest.mark.parametrize(
    ("title", "source"),
    [("Notes", "guide.md"), ("guide.md", "elsewhere"), ("guide.md", None), (None, "guide.md")],
)
async def test_a_text_that_came_from_no_file_is_no_old_version(
    memory: AgentMemory, guide: Path, title: str | None, source: str | None
) -> None:
    (old,) = await memory.semantic.add_document(TEXT, title, source)
    (stored,), _, _ = await memory.semantic.add_paths("guide.md")
    assert stored.outcome == "added"
    assert await memory.semantic.get(old) is not None
