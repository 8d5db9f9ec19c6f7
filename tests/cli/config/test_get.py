from __future__ import annotations

from ..running import done, run


def test_one_value() -> None:
    assert done("config", "get", "agent").out == "default\n"
    assert done("config", "get", "short_term_ttl").out == "1h\n"
    assert done("config", "get", "enable_decay").out == "true\n"
    assert done("config", "get", "db").out == ""
    assert done("config", "get", "limit", "--json").json == 10


def test_an_unknown_name_lists_the_known_ones() -> None:
    ran = run("config", "get", "agnet")
    assert ran.code == 2
    assert "unknown setting 'agnet': use one of agent, db" in ran.err
