"""What a process remembers of a file that it has closed never shows, and is gone where somebody has written."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from agent_memory import SyncAgentMemory, clock
from agent_memory.errors import AgentMemoryError
from agent_memory.settings import Settings
from agent_memory.storage.sqlite import SqliteStore, parked
from tests.storage.sqlite.support import raw

WORDS = ("apple", "river", "running", "deploy", "theme", "ticket", "Oslo")
NOW = datetime(2040, 5, 8, tzinfo=UTC)
CONTENTS = st.lists(st.sampled_from(WORDS), min_size=1, max_size=5).map(" ".join)


def opened(path: Path) -> SyncAgentMemory:
    return SyncAgentMemory(None, Settings(backend_config={"path": str(path)}, embedding_provider="dummy"))


@contextmanager
def parking() -> Iterator[None]:
    parked.keep(2)
    try:
        yield
    finally:
        parked.keep(0)


@pytest.fixture
def path(tmp_path: Path) -> Iterator[Path]:
    file = tmp_path / "a.db"
    with opened(file) as memory:
        memory.add_many([{"content": f"the {word} of the harbour", "type": "fact"} for word in WORDS])
    with parking():
        yield file


def answers(memory: SyncAgentMemory, query: str, *, count: bool = False) -> list[Any]:
    found = memory.search(query, 20, explain=True, count_access=count)
    return [(item.memory, item.score, item.relevance, item.explanation) for item in found]


def searched(path: Path, query: str = "river", *, count: bool = False) -> list[Any]:
    with clock.fixed(NOW), opened(path) as memory:  # what a memory counts for depends on the moment
        return answers(memory, query, count=count)


def anew(path: Path, query: str = "river") -> list[Any]:
    """Search as a process does that has never seen the file."""
    before = dict(parked._parked)
    parked.keep(0)
    try:
        return searched(path, query)
    finally:
        parked.keep(2)
        parked._parked.update(before)


def is_taken_up(path: Path) -> bool:
    """Return whether a search uses what is parked, and not what it reads."""
    before = parked._parked[str(path)].kept
    with opened(path) as memory:
        answers(memory, "river")
        assert isinstance(memory.backend, SqliteStore)
        return memory.backend._kept is before


def test_nothing_is_parked_unless_that_is_asked_for(path: Path) -> None:
    parked.keep(0)
    searched(path)
    assert parked.paths() == []


def test_the_next_search_uses_what_the_last_one_read(path: Path) -> None:
    first = searched(path)
    assert parked.paths() == [str(path)]
    assert is_taken_up(path)
    assert searched(path) == first == anew(path)


def test_so_it_does_behind_one_that_counted_accesses(path: Path) -> None:
    searched(path, count=True)
    assert is_taken_up(path)
    assert searched(path) == anew(path)
    assert searched(path)[0][0].access_count == 1


def add(path: Path) -> None:
    parked_before = dict(parked._parked)
    with opened(path) as memory:
        memory.add("a river that was not there", "fact")
    parked._parked.update(parked_before)  # as in a process that did not write it itself


def change_behind_its_back(path: Path) -> None:
    with raw(path) as connection:
        connection.execute("update usage set access_count = 40")
        connection.execute("update memory set importance = 0.9 where content like '%river%'")
        connection.commit()


def replace_by_a_copy(path: Path) -> None:
    copy = path.with_name("copy.db")
    shutil.copy(path, copy)
    copy.replace(path)


def overwrite_by_a_copy(path: Path) -> None:
    copy = path.with_name("copy.db")
    shutil.copy(path, copy)
    with copy.open("rb") as source, path.open("r+b") as target:
        shutil.copyfileobj(source, target)


@pytest.mark.parametrize(
    "happens", [add, change_behind_its_back, replace_by_a_copy, overwrite_by_a_copy], ids=lambda f: f.__name__
)
def test_what_anybody_did_to_the_file_is_seen(happens: Callable[[Path], None], path: Path) -> None:
    searched(path, count=True)
    happens(path)
    assert not is_taken_up(path)
    assert searched(path) == anew(path)


def test_nothing_is_parked_while_somebody_has_written_and_not_closed(path: Path) -> None:
    with opened(path) as other:
        other.add("a river that was not there", "fact")
        searched(path)
        assert parked.paths() == []


def test_what_another_wrote_into_its_log_is_seen(path: Path) -> None:
    searched(path)
    with raw(path) as connection:
        connection.execute("update memory set importance = 0.9")
        connection.commit()
        assert not is_taken_up(path)


def test_a_write_of_this_process_drops_it_all(path: Path) -> None:
    searched(path)
    with opened(path) as memory:
        memory.forget(answers(memory, "river")[0][0].id, shred=True)
        assert parked.paths() == []
    assert parked.paths() == []


def test_it_is_of_so_many_files_and_for_a_while(path: Path) -> None:
    others = [path.with_name(f"{number}.db") for number in range(2)]
    for file in others:
        shutil.copy(path, file)
    for file in (path, *others):
        searched(file)
    assert parked.paths() == [str(file) for file in others]
    parked.forget_old(2)
    assert len(parked.paths()) == 2
    parked.forget_old(2, 0.0)
    assert parked.paths() == []


def test_of_a_file_with_damage_nothing_is_parked(path: Path) -> None:
    with raw(path) as connection:
        connection.execute("update memory set content = x'ff' where content like '%river%'")
        connection.commit()
    for _ in range(2):
        with opened(path) as memory:
            answers(memory, "harbour river")
            assert isinstance(memory.backend, SqliteStore)
            assert memory.backend.damaged, "and it is said each time"
    assert parked.paths() == []


class Parked(RuleBasedStateMachine):
    """Each step opens the file and closes it; each search is compared with one of a process that knows nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name) / "a.db"
        self.ids: list[str] = []

    @initialize()
    def begin(self) -> None:
        parked.keep(2)
        with opened(self.path) as memory:
            self.ids = [memory.add(f"{word} and {word}", "fact") for word in WORDS]
        self.copy = self.path.with_name("copy")
        shutil.copy(self.path, self.copy)

    def teardown(self) -> None:
        parked.keep(0)
        self.folder.cleanup()

    @rule(
        content=CONTENTS, number=st.integers(0, 6), verb=st.sampled_from(["add", "update", "forget", "pin"])
    )
    def write(self, content: str, number: int, verb: str) -> None:
        with opened(self.path) as memory, suppress(AgentMemoryError):
            match verb:
                case "add":
                    memory.add(content, "fact")
                case "update":
                    memory.update(self.ids[number], content=content)
                case "forget":
                    memory.forget(self.ids[number], shred=True)
                case _:
                    memory.pin(self.ids[number])

    @rule()
    def put_the_copy_back(self) -> None:
        shutil.copy(self.copy, self.path)

    @rule(query=CONTENTS, count=st.booleans())
    def compare(self, query: str, count: bool) -> None:
        expected = anew(self.path, query)
        assert searched(self.path, query, count=count) == expected


TestParked = Parked.TestCase
TestParked.settings = settings(
    max_examples=10, stateful_step_count=15, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
