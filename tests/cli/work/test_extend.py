from __future__ import annotations

from datetime import datetime, timedelta

from ..running import done, run


def test_the_time_is_added_to_what_is_left() -> None:
    done("work", "set", "a", "1", "--ttl", "1h")
    before = datetime.fromisoformat(done("work", "list", "--json").json[0]["expires_at"])
    ran = done("work", "extend", "a", "2h")
    assert ran.err == "it ends in 2h\n"
    after = done("get", ran.out.strip(), "--json").json["expires_at"]
    assert datetime.fromisoformat(after) - before == timedelta(hours=2)


def test_an_unknown_one_is_not_found() -> None:
    assert run("work", "extend", "nothing").code == 3
