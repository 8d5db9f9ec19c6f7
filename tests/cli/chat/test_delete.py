from __future__ import annotations

from ..running import done, run


def test_it_asks_shows_and_can_be_undone() -> None:
    done("chat", "add", "user", "1", "-c", "gone")
    done("chat", "add", "user", "2", "-c", "gone")
    done("chat", "add", "user", "3", "-c", "stays")
    assert run("chat", "delete", "gone").code == 2
    assert len(done("chat", "delete", "gone", "--dry-run").lines) == 2
    assert len(done("chat", "show", "gone", "-o", "id").lines) == 2
    assert "archived 2" in done("chat", "delete", "gone", "-y").err
    assert run("chat", "show", "gone").code == 3
    assert done("chat", "show").lines == ["user: 3"]
    done("undo")
    assert len(done("chat", "show", "gone", "-o", "id").lines) == 2


def test_an_unknown_one_is_not_found() -> None:
    done("chat", "add", "user", "1", "-c", "stays")
    assert run("chat", "delete", "zzz", "-y").code == 3
    assert done("chat", "show").lines == ["user: 1"]
