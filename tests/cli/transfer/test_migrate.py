from __future__ import annotations

from pathlib import Path

from tests.cli.running import done, run

ALL = ("--history", "--usage", "--with-vectors")


def test_from_the_memory_in_use_to_a_file_and_again() -> None:
    done("add", "one 記憶", "--tag", "x")
    done("add", "two", "--type", "event")
    done("index")
    text = done("export", *ALL).out
    ran = done("migrate", "--to", "new.db", "--dry-run")
    assert "would write 2 memories" in ran.err
    assert not Path("new.db").exists()
    ran = done("migrate", "--to", "new.db", "--json")
    assert ran.json == {"added": 2, "updated": 0, "gone": 0, "same": 0, "verified": 2}
    assert "agentmem config set db new.db" in ran.err
    assert done("--db", "new.db", "export", *ALL).out == text
    assert done("export", *ALL).out == text
    assert "everything was there already" in done("migrate", "--to", "new.db").err


def test_from_one_place_to_another_by_path_and_by_url() -> None:
    done("-a", "alice", "--db", "a.db", "add", "one")
    done("migrate", "--from", "a.db", "--to", f"sqlite://{Path('b.db').resolve()}")
    assert done("--db", "b.db", "export", *ALL).out == done("--db", "a.db", "export", *ALL).out
    assert done("--db", "b.db", "status", "--json").json["agent_id"] == "alice"
    ran = done("migrate", "--from", f"sqlite://{Path('b.db').resolve()}", "--to", "a copy.db")
    assert ran.err.endswith("agentmem config set db 'a copy.db'\n")


def test_nothing_is_moved_to_where_it_would_end_with_the_command() -> None:
    done("add", "one")
    for line in ("memory://", "memory", "memory:// --switch", "memory:// --all"):
        ran = run("migrate", "--to", *line.split())
        assert ran.code == 2
        assert "give a file, or the URL of a server" in ran.err, line
        assert "config set" not in ran.err
    assert "would write 1 memory" in done("migrate", "--to", "memory", "--dry-run").err
    done("add", "two")


def test_what_cannot_be_meant_makes_nothing() -> None:
    for line, code, said in (
        ("migrate --to new.db", 3, "nothing was written"),
        ("migrate --from nothing.db --to new.db", 3, "nothing.db"),
        ("migrate", 2, "--to"),
        ("migrate --to oracle://x", 2, "oracle"),
    ):
        if "oracle" in line:
            done("add", "one")
        ran = run(*line.split())
        assert (ran.code, said in ran.err) == (code, True), ran.err
    ran = run("migrate", "--to", "nowhere/new.db")
    assert ran.code == 2
    assert "no folder" in ran.err
    assert [path.name for path in Path.cwd().iterdir()] == []


def test_an_agents_file_takes_no_other_agents_memories() -> None:
    done("-a", "alice", "--db", "a.db", "add", "one")
    done("-a", "bob", "--db", "b.db", "add", "two")
    ran = run("migrate", "--from", "a.db", "--to", "b.db")
    assert ran.code == 2
    assert "belongs to the agent 'bob'" in ran.err


def test_a_target_without_a_file_is_refused() -> None:
    done("add", "one")
    ran = run("migrate", "--to", "sqlite")
    assert ran.code == 2
    assert "sqlite names no file" in ran.err


def test_a_file_below_an_unknown_user_is_refused_in_one_line() -> None:
    done("add", "one")
    for words in (
        ["export", "~nosuchuser/x"],
        ["migrate", "--to", "~nosuchuser/x.db"],
        ["--db", "~nosuchuser/x.db", "add", "x"],
    ):
        ran = run(*words)
        assert ran.code in (1, 2), ran
        assert "report" not in ran.err
        assert len(ran.err.splitlines()) == 1


def test_an_agent_in_use_is_moved_and_moved_back() -> None:
    done("add", "one")
    ran = done("migrate", "--to", "new.db", "--switch", "--json")
    assert (ran.json["added"], ran.json["verified"]) == (1, 1)
    assert 0 < ran.json["refused_seconds"] < 2
    assert "writes are refused here now" in ran.err
    refused = run("add", "two")
    assert refused.code == 1
    assert f"was moved to {Path('new.db').resolve()}" in refused.err
    assert "`agentmem migrate --reopen`" in refused.err
    assert "one" in done("search", "one", "--mode", "keyword").out
    state = done("status", "--json")
    assert state.json["moved_to"] == str(Path("new.db").resolve())
    assert "was moved to" in done("status").err
    assert "moved_to" not in done("--db", "new.db", "status", "--json").json
    done("--db", "new.db", "add", "two")
    assert "moved there already" in done("migrate", "--to", "new.db", "--switch").err
    assert "takes writes again" in done("migrate", "--reopen").err
    assert "was not moved" in done("migrate", "--reopen").err
    done("add", "three")
    ran = done("migrate", "--from", "new.db", "--to", "third.db", "--switch")
    assert "takes writes again" in done("migrate", "--from", "new.db", "--reopen").err


def test_many_agents_are_moved_at_once() -> None:
    for name in ("alice", "bob", "carl"):
        done("-a", name, "add", f"of {name}")
    Path("there").mkdir()
    ran = done("migrate", "--all", "--to", "there", "--dry-run", "--json")
    assert [row["added"] for row in ran.json] == [1, 1, 1]
    assert list(Path("there").iterdir()) == []
    ran = done("migrate", "--agents", "[ab]*", "--to", "there", "--switch", "-j", "2", "--json")
    assert [(row["agent"], row["added"], row["problem"]) for row in ran.json] == [
        ("alice", 1, None),
        ("bob", 1, None),
    ]
    assert "bob: done" in ran.err
    assert "2 of 2" in ran.err
    assert sorted(path.name for path in Path("there").iterdir()) == ["alice.db", "bob.db"]
    assert run("-a", "bob", "add", "late").code == 1
    assert done("migrate", "--all", "--reopen", "-o", "id").out.split() == ["alice", "bob"]
    done("-a", "bob", "add", "late")
    Path("there/carl.db").write_text("no database")
    ran = run("migrate", "--all", "--to", "there")
    assert ran.code == 5
    assert "carl" in ran.err
    assert "1 of 3 agents failed: run it again" in ran.err
    Path("back").mkdir()
    assert done("migrate", "--from", "there", "--agents", "bob", "--to", "back", "-o", "id").out == "bob\n"


def test_many_agents_are_not_meant_by_a_file_or_twice() -> None:
    done("--db", "a.db", "add", "one")
    for line, code, said in (
        ("--db a.db migrate --all --to there", 2, "holds one agent"),
        ("migrate --from a.db --all --to there", 2, "no folder"),
        ("migrate --all --agents x --to there", 2, "exclude each other"),
        ("migrate --reopen --to there", 2, "leave --to"),
        ("migrate --agents nobody* --to .", 3, "nobody*"),
        ("migrate --all --to . -j 0", 2, "-j"),
    ):
        ran = run(*line.split())
        assert (ran.code, said in ran.err) == (code, True), ran.err
