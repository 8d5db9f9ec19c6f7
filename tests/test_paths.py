"""Where files live, and what a path that somebody typed means."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent_memory import paths

_SOURCES = [*Path(paths.__file__).parent.rglob("*.py")]


def test_a_leading_tilde_is_the_users_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/somewhere")
    assert paths.expanded("~/notes.db") == Path("/somewhere/notes.db")


@pytest.mark.parametrize("path", ["~nosuchuser/x", "~nosuchuser", "~ /x", "a/~/b"])
def test_what_names_no_user_stays_as_it_is(path: str) -> None:
    assert paths.expanded(path) == Path(path)


def test_no_path_is_resolved_elsewhere() -> None:
    """`Path.expanduser` ends in a RuntimeError for a user that does not exist."""
    import agentmem_cli

    program = Path(agentmem_cli.__path__[0])
    files = [*_SOURCES, *program.rglob("*.py")]
    assert len(files) > 200
    assert [file.name for file in files if ".expanduser()" in file.read_text()] == []
