from __future__ import annotations

from agent_memory import paths

from ..running import done, run


def test_it_asks_and_deletes_the_file() -> None:
    done("add", "one", "-a", "gone")
    done("add", "two", "-a", "stays")
    ran = run("agents", "rm", "gone")
    assert ran.code == 2
    assert "with 1 memory, for good" in ran.err
    assert "would delete" in done("agents", "rm", "gone", "--dry-run").err
    assert paths.database("gone").exists()
    done("agents", "rm", "gone", "-y")
    assert [file.name for file in paths.home().iterdir()] == ["stays.db"]
    assert run("agents", "rm", "gone", "-y").code == 3


def test_a_folder_of_agents_may_be_set(monkeypatch: object) -> None:
    done("add", "one", "-a", "elsewhere")
    home = paths.home()
    done("config", "set", "home", str(home))
    import os

    kept = os.environ.pop("AGENTMEM_HOME")
    try:
        assert done("agents", "list", "-o", "id").lines == ["elsewhere"]
        assert len(done("list", "-a", "elsewhere", "-o", "id").lines) == 1
        done("agents", "rm", "elsewhere", "-y")
    finally:
        os.environ["AGENTMEM_HOME"] = kept
    assert list(home.iterdir()) == []


def test_only_the_file_of_that_agent_is_deleted() -> None:
    done("add", "one", "-a", "alice")
    for name, content in (("other", b"x" * 4000), ("one", b"x"), ("notes", b"# Notes\n")):
        paths.database(name).write_bytes(content)
        ran = run("agents", "rm", name, "-y")
        assert ran.code == 6
        assert "is not the memory of an agent: if it may go, delete it yourself" in ran.err
        assert paths.database(name).read_bytes() == content
    paths.database("copy").write_bytes(paths.database("alice").read_bytes())
    ran = run("agents", "rm", "copy", "-y")
    assert ran.code == 6
    assert "holds the agent 'alice', not 'copy'" in ran.err
