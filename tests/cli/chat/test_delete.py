from __future__ import annotations

from pathlib import Path

from ..running import done, run


def test_it_asks_shows_and_can_be_undone() -> None:
    done("chat", "add", "user", "1", "-c", "gone")
    done("chat", "add", "user", "2", "-c", "gone")
    done("chat", "add", "user", "3", "-c", "stays")
    assert run("chat", "delete").code == 2
    assert run("chat", "delete", "gone", "--purge").code == 2
    assert len(done("chat", "delete", "gone", "--dry-run").lines) == 2
    assert len(done("chat", "show", "gone", "-o", "id").lines) == 2
    assert "archived 2" in done("chat", "delete", "gone").err
    assert run("chat", "show", "gone").code == 3
    assert done("chat", "show").lines == ["user: 3"]
    done("undo")
    assert len(done("chat", "show", "gone", "-o", "id").lines) == 2


def test_an_unknown_one_is_not_found() -> None:
    done("chat", "add", "user", "1", "-c", "stays")
    assert run("chat", "delete", "zzz", "-y").code == 3
    assert done("chat", "show").lines == ["user: 1"]


def test_shredded_it_is_nowhere_in_the_file(private_home: Path) -> None:
    done("chat", "add", "user", "the password is hunter2", "-c", "gone")
    done("chat", "add", "user", "hello", "-c", "stays")
    assert "shredded 1" in done("chat", "delete", "gone", "--shred", "-y").err
    for path in private_home.rglob("*.db*"):
        assert b"hunter2" not in path.read_bytes()


def test_without_any_conversation_it_says_how_to_begin_one() -> None:
    ran = run("chat", "delete", "-y")
    assert ran.code == 3
    assert "there is no conversation with messages yet: `agentmem chat add" in ran.err


def test_a_conversation_may_be_named_by_an_option_as_in_the_other_verbs() -> None:
    done("chat", "add", "user", "1", "-c", "one")
    done("chat", "add", "user", "2", "-c", "two")
    assert done("chat", "show", "-c", "one").lines == ["user: 1"]
    assert "1" in done("chat", "summarize", "-c", "one").out
    assert "archived" in done("chat", "delete", "-c", "one").err


def test_shredded_not_even_its_name_is_left(private_home: Path) -> None:
    done("chat", "new", "unspeakable-name")
    done("chat", "add", "user", "hi", "--tag", "unspeakable-tag")
    done("chat", "add", "user", "hello", "-c", "stays")
    done("chat", "summarize", "-c", "unspeakable-name")
    done("chat", "delete", "unspeakable-name", "--shred", "-y")
    assert "unspeakable" not in done("export", "-", "--history").out
    for path in private_home.rglob("*.db*"):
        assert b"unspeakable" not in path.read_bytes()
