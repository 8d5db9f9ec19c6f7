"""Documents of files, brought up to date on every store."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent_memory.agent import AgentMemory
from agent_memory.errors import ValidationError
from agent_memory.records import SemanticRecord
from agent_memory.testing.store.support import MemoryTests, ids, texts

GUIDE = [
    " ".join(
        f"Sentence {number}.{item} of the guide tells about matter {number * 31 + item}."
        for item in range(14)
    )
    for number in range(6)
]
"""Paragraphs of about what the tests' embedder reads whole."""


async def _chunks(memory: AgentMemory, path: Path) -> list[SemanticRecord]:
    chunks = await memory.semantic.list(None, fields={"path": str(path.resolve())})
    return sorted(chunks, key=lambda item: item.position or 0)


class DocumentTests(MemoryTests):
    """Documents that are read from files."""

    @pytest.fixture
    def guide(self, tmp_path: Path) -> Path:
        """Return a file of several chunks, in a folder of its own."""
        path = tmp_path / "guides" / "guide.md"
        path.parent.mkdir()
        path.write_text("\n\n".join(GUIDE), encoding="utf-8")
        return path

    async def test_a_file_is_stored_once_and_known_by_its_path(
        self, memory: AgentMemory, guide: Path
    ) -> None:
        (added,), _, _ = await memory.semantic.add_paths(guide, tags=["work"])
        assert added.outcome == "added"
        chunks = await _chunks(memory, guide)
        assert ids(chunks) == added.ids
        assert "".join(texts(chunks)) == guide.read_text(encoding="utf-8")
        assert {(chunk.document_id, chunk.title, chunk.tags) for chunk in chunks} == {
            (added.document_id, "guide.md", ("work",))
        }
        before = await memory.list(None, status=None)
        (again,), _, _ = await memory.semantic.add_paths([guide.parent / ".." / "guides" / "guide.md"])
        assert (again.outcome, again.ids) == ("unchanged", added.ids)
        assert await memory.list(None, status=None) == before

    async def test_a_changed_file_keeps_the_chunks_that_say_the_same(
        self, memory: AgentMemory, guide: Path
    ) -> None:
        (added,), _, _ = await memory.semantic.add_paths(guide, tags=["work"], metadata={"lang": "en"})
        changed = [GUIDE[5], *GUIDE[:2], GUIDE[2].replace("Sentence 2.3", "A new sentence"), *GUIDE[3:5]]
        guide.write_text("\n\n".join(changed), encoding="utf-8")
        (again,), _, _ = await memory.semantic.add_paths(guide)
        assert again.outcome == "changed"
        chunks = await _chunks(memory, guide)
        assert ids(chunks) == again.ids
        assert "".join("".join(texts(chunks)).split()) == "".join(guide.read_text(encoding="utf-8").split())
        assert [chunk.position for chunk in chunks] == list(range(len(chunks)))
        assert {(chunk.tags, chunk.metadata["lang"]) for chunk in chunks} == {(("work",), "en")}, (
            "what is new has what the document had"
        )
        kept = set(again.ids) & set(added.ids)
        assert len(kept) == len(again.ids) - again.added
        # Without an embedder a document is one memory, which changed.
        assert len(kept) >= (2 if memory.has_semantic else 0)
        archived = await memory.list(None, status="archived")
        assert set(ids(archived)) == set(added.ids) - set(again.ids)
        assert "Sentence 2.3" in "".join(texts(archived))

    async def test_what_is_given_later_is_taken_over_by_all_chunks(
        self, memory: AgentMemory, guide: Path
    ) -> None:
        (added,), _, _ = await memory.semantic.add_paths(guide, tags=["one"])
        (again,), _, _ = await memory.semantic.add_paths(
            guide, "The guide", "the office", ["two"], 0.9, metadata={"lang": "en"}
        )
        assert (again.outcome, again.ids, again.added) == ("changed", added.ids, 0)
        for chunk in await _chunks(memory, guide):
            assert (chunk.title, chunk.source, chunk.tags) == ("The guide", "the office", ("one", "two"))
            assert (chunk.importance, chunk.metadata) == (0.9, {"lang": "en"})
        (last,), _, _ = await memory.semantic.add_paths(guide)
        assert last.outcome == "unchanged", "what is not given stays"

    async def test_one_undo_brings_the_version_before_back(self, memory: AgentMemory, guide: Path) -> None:
        (guide.parent / "other.md").write_text("Another file.", encoding="utf-8")
        if not memory.backend.capabilities.journal:
            return
        first = await memory.semantic.add_paths(guide.parent)
        before = {item.id: item.content for item in await memory.list(None)}
        guide.write_text("Something else altogether.", encoding="utf-8")
        (guide.parent / "other.md").unlink()
        second = await memory.semantic.add_paths(guide.parent, prune=True)
        assert [document.outcome for document in first.documents] == ["added", "added"]
        assert sorted(document.outcome for document in second.documents) == ["archived", "changed"]
        await memory.undo()
        assert {item.id: item.content for item in await memory.list(None)} == before

    async def test_only_files_that_are_gone_from_a_folder_are_pruned(
        self, memory: AgentMemory, guide: Path, tmp_path: Path
    ) -> None:
        folder = guide.parent
        for place in (folder / "gone.md", folder / "stays.txt", tmp_path / "guides2.md"):
            place.write_text(f"Text of {place.name}.", encoding="utf-8")
        await memory.semantic.add_paths([folder, tmp_path / "guides2.md"])
        (folder / "gone.md").unlink()
        (tmp_path / "guides2.md").unlink()
        documents, _, _ = await memory.semantic.add_paths(folder, glob="*.md", prune=True)
        assert [document.path for document in documents if document.outcome == "archived"] == [
            str(folder.resolve() / "gone.md")
        ]
        assert {"Text of stays.txt.", "Text of guides2.md."} <= set(texts(await memory.list(None)))
        folder.rename(tmp_path / "elsewhere")
        with pytest.raises(ValidationError, match="no file or folder"):
            await memory.semantic.add_paths(folder, prune=True)
        folder.mkdir()
        count = await memory.count()
        emptied = await memory.semantic.add_paths(folder, prune=True)
        assert await memory.count() == count, "a disk may not be mounted"
        assert "nothing was archived" in emptied.notices[0]
        emptied = await memory.semantic.add_paths(folder, prune=True, prune_empty=True)
        assert {document.outcome for document in emptied.documents} == {"archived"}
        assert texts(await memory.list(None)) == ["Text of guides2.md."]

    async def test_a_new_version_under_a_document_id_keeps_what_moved(self, memory: AgentMemory) -> None:
        first = await memory.semantic.add_chunks(["one", "two", "three"], "guide", tags=["n"])
        second = await memory.semantic.add_chunks(["zero", "three", "one"], "guide")
        assert second[1:] == [first[2], first[0]]
        chunks = await memory.semantic.get_by_document_id("guide")
        assert [(chunk.content, chunk.position) for chunk in chunks] == [
            ("zero", 0),
            ("three", 1),
            ("one", 2),
        ]
        assert {chunk.tags for chunk in chunks} == {("n",)}

    async def test_a_document_with_a_key_is_one_memory(self, memory: AgentMemory, guide: Path) -> None:
        text = guide.read_text(encoding="utf-8")
        (first,) = await memory.semantic.add_document(text, key="guide")
        (second,) = await memory.semantic.add_document(text + " And more.", key="guide")
        assert first == second
        assert texts(await memory.list(None)) == [text + " And more."]
        (stored,), _, _ = await memory.semantic.add_paths(guide, key="guide")
        assert stored.ids == [first]
        guide.write_text("Shorter.", encoding="utf-8")
        (again,), _, _ = await memory.semantic.add_paths(guide)
        assert (again.outcome, again.ids) == ("changed", [first]), "its key stays with it"
        kept = await memory.get("guide")
        assert kept is not None
        assert kept.content == "Shorter."
        with pytest.raises(ValidationError, match="key"):
            await memory.semantic.add_chunks(["one", "two"], key="both")
