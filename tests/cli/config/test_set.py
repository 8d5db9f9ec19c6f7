from __future__ import annotations

from pathlib import Path

import pytest

from ..running import done, run


def file() -> Path:
    return Path(done("config", "path").out.strip())


def test_a_setting_is_written_privately_and_counts_at_once() -> None:
    done("config", "set", "agent", "work")
    assert done("config", "get", "agent").out == "work\n"
    assert file().stat().st_mode & 0o777 == 0o600
    assert file().parent.stat().st_mode & 0o777 == 0o700
    done("config", "set", "tags", "a, b")
    done("config", "set", "decay_half_life", "14d")
    assert file().read_text() == 'agent = "work"\ntags = ["a", "b"]\ndecay_half_life = "14d"\n'


def test_comments_stay_and_a_setting_may_be_taken_out() -> None:
    file().parent.mkdir(parents=True)
    file().write_text("# mine\nlimit = 5  # few\n")
    done("config", "set", "limit", "7")
    assert file().read_text() == "# mine\nlimit = 7  # few\n"
    done("config", "set", "limit", "--unset")
    assert file().read_text() == "# mine\n"
    assert done("config", "get", "limit").out == "10\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["limit", "many"], "give a whole number"),
        (["agnet", "x"], "unknown setting"),
        (["limit"], "either a value or --unset"),
        (["limit", "3", "--unset"], "either a value or --unset"),
        (["embedding.api_key", "sk-1"], "AGENTMEM_EMBEDDING_API_KEY"),
    ],
)
def test_what_cannot_be_set_is_said_and_nothing_is_written(arguments: list[str], said: str) -> None:
    ran = run("config", "set", *arguments)
    assert ran.code == 2
    assert said in ran.err
    assert not file().exists()


def test_what_counts_for_more_is_mentioned(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AGENTMEM_AGENT", "env")
    assert "agent still comes from the environment" in done("config", "set", "agent", "mine").err


def test_a_broken_file_is_not_touched() -> None:
    file().parent.mkdir(parents=True)
    file().write_text("agent = me\n")
    ran = run("config", "set", "agent", "x")
    assert ran.code == 2
    assert "is not TOML" in ran.err
    assert file.__name__ == "file"


def test_a_file_that_cannot_be_written_is_no_fault_of_how_it_was_called() -> None:
    path = file()
    path.parent.parent.mkdir(parents=True, exist_ok=True)
    path.parent.symlink_to("/proc/self")
    ran = run("config", "set", "limit", "3")
    assert (ran.code, ran.err.splitlines()) == (1, [f"error: {path}: no such file or directory"])
