"""Stores of the first release open, and say the same as before or what the present rules say."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from servers.postgres import PostgresServer
from servers.redis import RedisServer, redis_search, redis_vectorsets, valkey

from agent_memory.settings import Settings
from agent_memory.storage.damage import Damaged
from agent_memory.storage.sqlite import connection as opening
from agent_memory.storage.sqlite import integrity, reading
from agent_memory.storage.sqlite.damage import ReadContext
from agent_memory.sync import SyncAgentMemory

from . import first_version

Opened = tuple[SyncAgentMemory, dict[str, str]]
KINDS = ("sqlite", "postgres", "valkey", "vector-sets", "search")
_REDIS: dict[str, Callable[[], RedisServer]] = {
    "valkey": valkey,
    "vector-sets": redis_vectorsets,
    "search": redis_search,
}


def settings(**given: Any) -> Settings:
    return Settings(embedding_provider="dummy", embedder_named=True, **given)


@pytest.fixture(params=KINDS)
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Opened]:
    """The same memories on each backend that keeps history and words."""
    if request.param == "sqlite":
        ids = first_version.sqlite_file(tmp_path / "old.db")
        with SyncAgentMemory(None, settings(backend_config={"path": str(tmp_path / "old.db")})) as memory:
            yield memory, ids
    elif request.param == "postgres":
        with PostgresServer() as server:
            ids = first_version.postgres_tables(server.url)
            with SyncAgentMemory("old", settings(backend=server.url)) as memory:
                yield memory, ids
    else:
        with _REDIS[request.param]() as server:
            ids = first_version.redis_keys(server.port)
            with SyncAgentMemory("old", settings(backend=server.url)) as memory:
                yield memory, ids


def test_a_store_of_the_first_version_is_whole_and_reads_by_the_present_rules(opened: Opened) -> None:
    memory, ids = opened
    assert memory.check() == []
    outcomes = {
        "deploy": False, "audit": None, "failover": None, "build": None, "import": False, "backup": True,
        "report": True, "suite": None, "retry": False, "said so": True, "action": True,
    }  # fmt: skip
    assert {name: memory.get(ids[name]).success for name in outcomes} == outcomes  # type: ignore[union-attr]
    assert memory.history(ids["audit"])[0].after.success is False  # type: ignore[union-attr]

    # Names in another form are the same names, and both values of one key are in its history.
    assert [record.id for record in memory.list(tags="café")] == [ids["plain"]]
    assert [record.id for record in memory.list(source="résumé.md")] == [ids["plain"]]
    assert [record.id for record in memory.list(metadata={"größe": "schön"})] == [memory.get("café").id]  # type: ignore[union-attr]
    assert memory.long_term.get_preferences("menü")[0].id == ids["pref"]
    assert memory.procedural.get_skill("débloquer").use_count == 1  # type: ignore[union-attr]
    kept = memory.get(unicodedata.normalize("NFD", "café"))
    assert kept is not None
    assert kept.content == "The café opens at nine"
    said = [version.after.content for version in memory.history(kept.id) if version.after is not None]
    assert said == ["The café opens at eight", "The café opens at nine"]
    other = ({ids["nfc"], ids["nfd"]} - {kept.id}).pop()
    assert other in {record.id for record in memory.list(status="superseded")}

    # What the old rule put away stays put away, and can be reached.
    assert (
        len(memory.conversation.get_messages(None, conversation_id="straße"))
        + len(memory.list(None, types="chat", status="archived"))
        >= 24
    )
    assert memory.restore(ids["archived"]).content == "An old address in Porto"
    assert memory.restore(ids["gone"]).content == "A secret that was purged"
    assert memory.short_term.get_working_memory("plan") == ["tests", "docs"]
    assert memory.get(ids["over"]) is None
    assert memory.check() == []


def test_words_of_an_older_analyser_are_found_and_renewed_in_slices(opened: Opened) -> None:
    memory, ids = opened
    assert memory.run(memory.backend.outdated_count) > 0
    found = memory.search("release train", limit=3, mode="keyword")
    assert found[0].memory.id == ids["plain"]
    memory.index()
    assert memory.run(memory.backend.outdated_count) == 0
    assert memory.check() == []
    for query in ("release train", "shipping cost", "heron", "kestrel23"):
        assert memory.search(query, limit=3, mode="keyword"), query
    assert memory.search("shipping cost", limit=1, mode="keyword")[0].memory.id == ids["camel"]
    assert (
        len(memory.search("kestrel2", limit=20, mode="keyword").terms) >= 5
    )  # kestrel20 to kestrel23 as well


def test_what_was_done_before_can_be_taken_back(opened: Opened) -> None:
    memory, ids = opened
    memory.undo()  # the pin
    assert not memory.get(ids["camel"]).pinned  # type: ignore[union-attr]
    memory.undo()  # the fact that waits for its embedding
    assert memory.get(ids["owed"]) is None
    memory.undo()  # the update of a fact with names in another form
    assert memory.get(ids["plain"]).content == "The release train leaves on Thursday"  # type: ignore[union-attr]
    assert memory.get(ids["plain"]).tags == ("café", "plan")  # type: ignore[union-attr]
    assert memory.check() == []


def test_a_file_of_the_first_version_that_cannot_be_written_is_read_from_a_copy(tmp_path: Path) -> None:
    path = tmp_path / "old.db"
    ids = first_version.sqlite_file(path)
    before = path.read_bytes()
    connection = opening._open_for_reading(str(path), 1.0)
    try:
        record = reading.get(connection, ReadContext("old", Damaged()), [ids["audit"]])[ids["audit"]]
        assert (record.outcome, record.success) == ("error-free", None)  # type: ignore[attr-defined]
        assert integrity.check(connection, "old") == []
    finally:
        connection.close()
    assert path.read_bytes() == before
