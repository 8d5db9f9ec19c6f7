"""Reading where there is no file: an empty memory, and a word on what may be meant."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent_memory import MemoryConfig, SyncAgentMemory
from agent_memory.memories.opening import MissingFile, empty, missing_file


@pytest.fixture
def home(tmp_path: Path) -> Path:
    for agent in ("work", "home"):
        config = MemoryConfig(
            backend_config={"path": str(tmp_path / f"{agent}.db")}, embedding_provider="none"
        )
        with SyncAgentMemory(agent, config) as memory:
            memory.long_term.add("a fact")
    return tmp_path


def test_a_file_that_exists_is_not_missing(home: Path) -> None:
    assert missing_file(home / "work.db", "work", home) is None


def test_a_misspelt_agent_is_told_whom_it_may_mean(home: Path) -> None:
    missing = missing_file(home / "wrok.db", "wrok", home)
    assert missing == MissingFile(home / "wrok.db", "wrok", "work", ("home", "work"))
    assert missing.notice == "the agent 'wrok' has no memory yet; did you mean 'work'?"


@pytest.mark.parametrize(
    ("known", "said"),
    [
        ((), "`add()` makes it"),
        (("a", "b"), "known are a, b"),
        (tuple("abcdefg"), "known are a, b, c, d, e and 2 more: `list_agents()`"),
    ],
)
def test_an_agent_that_nobody_knows_is_told_who_is_known(known: tuple[str, ...], said: str) -> None:
    assert MissingFile(Path("x.db"), "x", None, known).notice == f"the agent 'x' has no memory yet; {said}"


def test_a_file_that_was_named_is_told_how_to_make_it(tmp_path: Path) -> None:
    missing = missing_file(tmp_path / "x.db", None)
    assert missing is not None
    assert missing.notice == f"there is no file {tmp_path / 'x.db'}; `add()` makes it"
    missing = missing_file(tmp_path / "a b" / "x.db", None)
    assert missing is not None
    assert missing.notice.endswith(f"nor its folder: make '{tmp_path / 'a b'}'")


def test_an_empty_memory_is_read_and_no_file_made(tmp_path: Path) -> None:
    settings = MemoryConfig(
        backend_config={"path": str(tmp_path / "x.db")}, embedding_provider="none"
    ).settings()
    with SyncAgentMemory("x", empty(settings)) as memory:
        assert memory.list() == []
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_made_is_not_offered(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    for folder in (file, file / "further" / "in"):
        missing = missing_file(folder / "x.db", "x", folder)
        assert missing is not None
        assert missing.notice.endswith(f"; {folder} cannot be written: give another `path`")
    missing = missing_file(tmp_path / "new" / "x.db", "x", tmp_path / "new")
    assert missing is not None
    assert missing.notice.endswith("; `add()` makes it")
