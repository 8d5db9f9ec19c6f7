from __future__ import annotations

from pathlib import Path

import pytest

from ..running import done, run


@pytest.fixture
def project(clean_surroundings: Path) -> Path:
    file = clean_surroundings / ".agentmem.toml"
    file.write_text('agent = "theirs"\ndb = "theirs.db"  # \N{RIGHT-TO-LEFT OVERRIDE} look\n')
    return file


def test_until_it_is_trusted_it_cannot_redirect_memory(project: Path) -> None:
    ran = done("add", "mine")
    assert "ignored db in" in ran.err
    assert "agentmem config trust" in ran.err
    assert not (project.parent / "theirs.db").exists()
    assert done("agents", "list", "-o", "id").lines == ["theirs"]


def test_trust_is_asked_for_given_and_withdrawn(project: Path) -> None:
    ran = run("config", "trust")
    assert ran.code == 2
    assert "with db" in ran.err
    assert "\N{RIGHT-TO-LEFT OVERRIDE}" not in ran.err
    assert 'db = "theirs.db"' in ran.err
    assert done("config", "get", "db").out == ""
    done("config", "trust", "-y")
    assert done("config", "get", "db").out == f"{project.parent / 'theirs.db'}\n"
    assert done("config", "get", "db").err == ""
    assert "needs no trust" in done("config", "trust").err
    done("config", "trust", "--withdraw")
    assert done("config", "get", "db").out == ""


def test_a_change_takes_the_trust_away(project: Path) -> None:
    done("config", "trust", "-y")
    project.write_text('db = "other.db"\n')
    ran = done("config", "get", "db")
    assert ran.out == ""
    assert "ignored db" in ran.err


def test_without_a_project_file_there_is_nothing_to_trust() -> None:
    assert run("config", "trust").code == 3
