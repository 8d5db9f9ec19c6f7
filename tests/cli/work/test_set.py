from __future__ import annotations

import pytest

from ..running import done, run


def test_a_value_is_kept_as_the_text_it_is() -> None:
    done("work", "set", "commit", "12e4")
    assert done("work", "get", "commit").out == "12e4\n"
    assert done("work", "get", "commit", "--json").json == "12e4"


def test_a_value_may_be_json() -> None:
    done("work", "set", "plan", '["a", {"b": 1}]', "--parse")
    assert done("work", "get", "plan", "--json").json == ["a", {"b": 1}]
    ran = run("work", "set", "plan", "[a", "--parse")
    assert (ran.code, ran.out) == (2, "")
    assert "the value is not JSON" in ran.err
    assert "leave --parse out" in ran.err


def test_setting_again_replaces_and_keeps_the_id() -> None:
    first = done("work", "set", "branch", "main").out
    assert done("work", "set", "branch", "-", stdin="feature\n").out == first
    assert done("work", "get", "branch").out == "feature\n"


@pytest.mark.parametrize("ttl", ["nonsense", "-1s"])
def test_a_wrong_time_is_a_usage_error(ttl: str) -> None:
    assert run("work", "set", "a", "b", f"--ttl={ttl}").code == 2


def test_set_between_searches_each_in_a_process_of_its_own() -> None:
    done("work", "set", "step", "one")
    assert "one" in done("search", "step").out
    done("work", "set", "step", "two")
    done("work", "set", "step", "three")
    assert "three" in done("search", "step").out
    assert done("doctor").out.split() == ["faults", "0"]
