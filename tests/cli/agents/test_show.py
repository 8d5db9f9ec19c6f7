from __future__ import annotations

from agent_memory import paths

from ..running import done, run


def test_one_agents_file() -> None:
    done("add", "one", "-a", "alice", "--type", "event")
    shown = done("agents", "show", "alice", "--json").json
    assert (shown["agent_id"], shown["memories"], shown["path"]) == (
        "alice",
        {"episodic": 1},
        str(paths.database("alice")),
    )
    assert done("agents", "show", "-a", "alice").lines[0].split() == ["agent", "alice"]


def test_an_unknown_one_suggests_the_nearest() -> None:
    done("add", "one", "-a", "release-bot")
    ran = run("agents", "show", "relase-bot")
    assert ran.code == 3
    assert "did you mean 'release-bot'?" in ran.err
