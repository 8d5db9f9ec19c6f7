from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
from contextlib import closing
from pathlib import Path

import pytest

from agent_memory import (
    AgentMemory,
    BackendError,
    ConfigurationError,
    MemoryConfig,
    MemoryNotFoundError,
    PolicyError,
    StoreBusyError,
    ValidationError,
    clock,
    paths,
)
from agent_memory.memories.agents import get_agent, list_agents, nearest, remove_agent, rename_agent, to_dict
from agent_memory.storage.sqlite import driver, ownership, peek

pytestmark = pytest.mark.anyio
CONFIG = MemoryConfig(embedding_provider="dummy")


async def fill(agent: str) -> str:
    async with AgentMemory(agent, CONFIG) as memory:
        await memory.short_term.add("soon over", ttl=0.001)
        await memory.episodic.add("something happened")
        return await memory.long_term.add(f"a fact of {agent}", tags=["x"])


async def test_agents_are_listed_with_what_their_files_say() -> None:
    assert list_agents() == []
    before = clock.to_text(clock.now())
    for agent in ("bob", "Alice B"):
        await fill(agent)
    (paths.home() / "broken.db").write_bytes(b"not a database, but long enough to be looked at" * 100)
    alice, bob, broken = list_agents()
    assert [alice.agent_id, bob.agent_id, broken.agent_id] == ["Alice B", "bob", None]
    assert alice.memories == {"episodic": 1, "long_term": 1}
    assert (alice.total, alice.path) == (2, paths.database("Alice B"))
    assert alice.last_write is not None
    assert alice.last_write > before
    assert alice.embedded_with is not None
    assert "dummy" in alice.embedded_with
    assert alice.bytes == paths.database("Alice B").stat().st_size
    assert broken.problem is not None
    assert get_agent("bob") == bob
    assert to_dict(bob)["path"] == str(bob.path)


async def test_looking_leaves_nothing_behind_and_changes_nothing() -> None:
    await fill("bob")
    path = paths.database("bob")
    before = (sorted(path.parent.iterdir()), path.read_bytes())
    list_agents()
    peek.values(path, "ids")
    assert (sorted(path.parent.iterdir()), path.read_bytes()) == before


@pytest.mark.parametrize("refused", [("mode=rw",), ("mode=rw", "mode=ro&")])
async def test_a_file_that_may_only_be_read_is_listed(
    monkeypatch: pytest.MonkeyPatch, refused: tuple[str, ...]
) -> None:
    await fill("bob")
    connect, tried = driver.connect, []

    def careful(path: str, **options: object) -> driver.Connection:
        tried.append(path)
        if any(f"?{mode}" in f"{path}&" and "immutable" not in path for mode in refused):
            raise driver.module.OperationalError("unable to open database file")
        return connect(path, **options)

    monkeypatch.setattr(driver, "connect", careful)
    assert [agent.total for agent in list_agents()] == [2]
    assert len(tried) == len(refused) + 1


async def test_an_unknown_agent_suggests_the_nearest_name() -> None:
    await fill("release-bot")
    assert nearest("relase-bot") == "release-bot"
    assert nearest("Release-Bot") == "release-bot"
    assert nearest("zzz") is None
    with pytest.raises(MemoryNotFoundError, match=r"no agent 'relase-bot': did you mean 'release-bot'\?"):
        get_agent("relase-bot")
    assert not paths.database("relase-bot").exists()


async def test_a_renamed_agent_has_everything_under_its_new_name_only() -> None:
    stored = await fill("old bot")
    target = rename_agent("old bot", "New Bot")
    assert target == paths.database("New Bot")
    assert [agent.agent_id for agent in list_agents()] == ["New Bot"]
    assert sorted(target.parent.iterdir()) == [target]
    assert target.stat().st_mode & 0o777 == 0o600
    async with AgentMemory("New Bot", CONFIG) as memory:
        record = await memory.get(stored)
        assert record is not None
        assert record.agent_id == "New Bot"
        assert await memory.check() == []
    async with AgentMemory("old bot", CONFIG) as memory:
        assert await memory.count() == 0


async def test_a_taken_name_is_refused_and_nothing_changes() -> None:
    await fill("one")
    await fill("two")
    with pytest.raises(ValidationError, match="the agent 'two' exists already"):
        rename_agent("one", "two")
    assert [(agent.agent_id, agent.total) for agent in list_agents()] == [("one", 2), ("two", 2)]
    with pytest.raises(ValidationError, match="control characters"):
        rename_agent("one", "a\nb")
    assert rename_agent("one", "one") == paths.database("one")


async def test_a_renaming_that_is_killed_anywhere_loses_nothing_and_can_be_done_again(tmp_path: Path) -> None:
    async with AgentMemory("old", MemoryConfig(embedding_provider="none")) as memory:
        await memory.long_term.add("one fact")
        await memory.long_term.add("another fact")
    program = Path(__file__).with_name("killed_renaming.py")
    ran = subprocess.run(
        [sys.executable, str(program), str(paths.home()), str(tmp_path)], capture_output=True, text=True
    )
    assert ran.returncode == 0, ran.stderr
    lines, states = map(int, ran.stdout.split())
    assert lines > 30
    assert states >= 4


async def test_what_an_earlier_version_left_of_a_renaming_is_finished() -> None:
    # It took the name with an empty file first, then wrote the new id into the file of the old name.
    stored = await fill("old")
    ownership.rename(paths.database("old"), paths.database("new"), "new")
    paths.database("new").rename(paths.database("old"))
    paths.database("new").touch()
    assert rename_agent("old", "new") == paths.database("new")
    async with AgentMemory("new", CONFIG) as memory:
        assert await memory.get(stored) is not None
    assert [agent.agent_id for agent in list_agents()] == ["new"]


async def test_the_log_of_a_file_that_is_gone_is_not_taken_for_anothers() -> None:
    await fill("gone")
    path, log = paths.database("gone"), paths.database("gone").with_name("gone.db-wal")
    with closing(driver.connect(str(path))) as connection:
        connection.execute("begin immediate")
        connection.execute("insert into setting (name, value) values ('a', 'b')")
        connection.execute("commit")
        left = log.read_bytes()
    assert left
    remove_agent("gone")
    log.write_bytes(left)
    stored = await fill("stays")
    rename_agent("stays", "gone")
    async with AgentMemory("gone", CONFIG) as memory:
        assert await memory.get(stored) is not None
        assert await memory.check() == []
    assert list(paths.home().iterdir()) == [path]


@pytest.mark.parametrize("verb", ["rename", "remove"])
async def test_a_file_that_somebody_has_open_is_left_alone(
    verb: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agent_memory.storage.sqlite.ownership._PATIENCE", 0.1)
    await fill("busy")
    program = (
        "import sys; from agent_memory import SyncAgentMemory\n"
        "with SyncAgentMemory('busy') as memory: print(memory.count(), flush=True); sys.stdin.readline()"
    )
    other = subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert other.stdout is not None
    assert other.stdout.readline() == "2\n"
    with pytest.raises(StoreBusyError):
        rename_agent("busy", "free") if verb == "rename" else remove_agent("busy")
    other.communicate("\n", timeout=30)
    assert other.returncode == 0
    assert [(agent.agent_id, agent.total) for agent in list_agents()] == [("busy", 2)]
    assert len(list(paths.home().iterdir())) == 1


async def test_a_removed_agent_leaves_no_file() -> None:
    await fill("gone")
    await fill("stays")
    assert remove_agent("gone").total == 2
    assert list(paths.home().iterdir()) == [paths.database("stays")]
    with pytest.raises(MemoryNotFoundError):
        remove_agent("gone")


@pytest.mark.parametrize("damage", ["cut off", "zeros behind the first page"])
async def test_a_damaged_file_can_be_removed_but_not_renamed(damage: str) -> None:
    await fill("broken")
    path = paths.database("broken")
    whole = path.read_bytes()
    path.write_bytes(whole[:8192] + (b"" if damage == "cut off" else bytes(len(whole) - 8192)))
    with pytest.raises(BackendError, match="cannot be read"):
        rename_agent("broken", "whole")
    assert remove_agent("broken").problem is not None
    assert list(paths.home().iterdir()) == []


@pytest.mark.parametrize("content", [b"x" * 5000, b"x", b"SQLite format 3\0", b"{}\n" * 300])
async def test_a_file_that_is_none_of_ours_is_neither_removed_nor_renamed(content: bytes) -> None:
    paths.private_folder(paths.home())
    other = paths.database("other")
    other.write_bytes(content)
    with pytest.raises(
        PolicyError, match=r"other\.db is not the memory of an agent: if it may go, delete it"
    ):
        remove_agent("other")
    with pytest.raises(BackendError, match="cannot be read"):
        rename_agent("other", "mine")
    assert other.read_bytes() == content
    (listed,) = list_agents()
    assert (listed.agent_id, listed.path) == (None, other)
    assert listed.problem is not None


async def test_another_programs_database_is_neither_removed_nor_renamed() -> None:
    paths.private_folder(paths.home())
    other = paths.database("other")
    with closing(driver.connect(str(other))) as connection:
        connection.execute("create table theirs (x)")
    before = other.read_bytes()
    with pytest.raises(PolicyError):
        remove_agent("other")
    with pytest.raises(BackendError):
        rename_agent("other", "mine")
    assert other.read_bytes() == before


async def test_the_file_of_another_agent_is_not_removed_by_its_name() -> None:
    await fill("alice")
    copy = paths.database("copy")
    copy.write_bytes(paths.database("alice").read_bytes())
    with pytest.raises(PolicyError, match=r"copy\.db holds the agent 'alice', not 'copy'"):
        remove_agent("copy")
    assert rename_agent("copy", "copy") == copy, "it may be made one's own"
    async with AgentMemory("copy", CONFIG) as memory:
        assert await memory.count() == 2
    assert remove_agent("copy").total == 2


async def test_an_empty_file_is_listed_and_may_go() -> None:
    paths.private_folder(paths.home())
    paths.database("blank").touch()
    (listed,) = list_agents()
    assert listed.problem is not None
    assert "is empty" in listed.problem
    assert remove_agent("blank").bytes == 0
    assert list_agents() == []


STRANGE = ("fifo", "socket", "folder", "loop", "nowhere", "pipe beside")


def put(kind: str, path: Path) -> None:
    """Put something that is no file where a file is expected."""
    match kind:
        case "fifo":
            os.mkfifo(path)
        case "pipe beside":
            path.touch()
            os.mkfifo(path.with_name(f"{path.name}-wal"))
        case "socket":
            with socket.socket(socket.AF_UNIX) as held:
                # Its path may not be long.
                short = tempfile.mktemp()
                held.bind(short)
                Path(short).rename(path)
        case "folder":
            path.mkdir()
        case "loop":
            path.symlink_to(path.name)
        case "nowhere":
            path.symlink_to("there-is-no-such-file")


@pytest.mark.timeout(30)
@pytest.mark.parametrize("kind", STRANGE)
async def test_what_is_no_file_is_listed_and_left_alone(kind: str) -> None:
    await fill("whole")
    strange = paths.database("strange")
    put(kind, strange)
    whole, listed = list_agents()
    assert (whole.agent_id, whole.total) == ("whole", 2)
    assert listed.path == strange
    assert listed.problem is not None
    for act in (
        remove_agent,
        lambda agent: rename_agent(agent, "other"),
        lambda agent: rename_agent("whole", agent),
    ):
        with pytest.raises((BackendError, MemoryNotFoundError, PolicyError, ValidationError)):
            act("strange")
    assert os.path.lexists(strange)
    assert get_agent("whole").total == 2


async def test_a_link_goes_with_what_it_leads_to(tmp_path: Path) -> None:
    stored = await fill("linked")
    real = tmp_path / "real.db"
    paths.database("linked").rename(real)
    paths.database("linked").symlink_to(real)
    rename_agent("linked", "moved")
    async with AgentMemory("moved", CONFIG) as memory:
        assert await memory.get(stored) is not None
    remove_agent("moved")
    assert not real.exists()
    assert list(paths.home().iterdir()) == []


@pytest.mark.parametrize("link", ["symbolic", "hard"])
async def test_a_link_to_the_file_of_another_agent_does_not_rename_that_agent(link: str) -> None:
    stored = await fill("alice")
    other = paths.database("other")
    if link == "hard":
        other.hardlink_to(paths.database("alice"))
    else:
        other.symlink_to(paths.database("alice"))
    with pytest.raises(PolicyError, match="another name of the file of the agent 'alice': rename 'alice'"):
        rename_agent("other", "new")
    async with AgentMemory("alice", CONFIG) as memory:
        assert await memory.get(stored) is not None


async def test_values_to_complete_with() -> None:
    async with AgentMemory("bob", CONFIG) as memory:
        first = await memory.long_term.add("first", tags=["a_b", "axb"], key="color")
        second = await memory.long_term.add("second", tags=["a_b"])
        await memory.forget(await memory.long_term.add("forgotten"))
        await memory.conversation.add_message("user", "hello", conversation_id="talk")
        await memory.procedural.record_skill("free-disk", "prune")
        chunks = await memory.semantic.add_chunks(["one", "two"], document_id="doc1", title="Manual")
    path = paths.database("bob")
    assert {value for value, _ in peek.values(path, "ids")} >= {first, second, *chunks}
    assert peek.values(path, "ids", first[:6]) == [(first, "first")]
    assert peek.values(path, "tags", "a_") == [("a_b", "2 memories")], "an underscore is no wildcard"
    assert [tag for tag, _ in peek.values(path, "tags", "a")] == ["a_b", "axb"]
    assert peek.values(path, "keys", "col") == [("color", "first")]
    assert peek.values(path, "sessions") == [("talk", "1 message")]
    assert peek.values(path, "skills", "free") == [("free-disk", "prune")]
    assert peek.values(path, "documents") == [("doc1", "Manual")]
    assert len(peek.values(path, "ids", limit=2)) == 2
    known = {"ids", "keys", "working", "categories", "tags", "sessions", "skills", "documents"}
    assert set(peek.KINDS) == known


async def test_another_programs_database_is_not_looked_into(tmp_path: Path) -> None:
    program = "import sqlite3, sys; sqlite3.connect(sys.argv[1]).execute('create table a (b)')"
    subprocess.run([sys.executable, "-c", program, str(tmp_path / "other.db")], check=True)
    (found,) = list_agents(tmp_path)
    assert found.problem is not None
    assert "not a memory" in found.problem


async def test_a_renamed_agents_old_id_is_not_taken_for_the_new_one(tmp_path: Path) -> None:
    await fill("one")
    copy = tmp_path / "copy.db"
    copy.write_bytes(paths.database("one").read_bytes())
    rename_agent("one", "two")
    with pytest.raises(ConfigurationError, match="belongs to the agent 'one'"):
        async with AgentMemory("two", MemoryConfig(backend_config={"path": str(copy)})):
            pass
