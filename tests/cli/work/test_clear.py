from __future__ import annotations

import time

import pytest

from ..running import done, run


@pytest.fixture
def stored() -> None:
    done("work", "set", "a", "1")
    done("work", "set", "b", "2")
    done("add", "a note", "--type", "note")


def keys() -> list[str]:
    return [item["key"] for item in done("work", "list", "--json").json]


@pytest.mark.usefixtures("stored")
def test_without_yes_and_without_a_terminal_nothing_happens() -> None:
    ran = run("work", "clear")
    assert ran.code == 2
    assert "put away 2 short-term memories" in ran.err
    assert "-y" in ran.err
    assert keys() == ["b", "a"]


@pytest.mark.usefixtures("stored")
def test_a_dry_run_only_says_what_it_would_do() -> None:
    ran = done("work", "clear", "--dry-run")
    assert len(ran.lines) == 2
    assert ran.err == "would archive 2\n"
    assert keys() == ["b", "a"]


@pytest.mark.usefixtures("stored")
def test_values_are_put_away_by_key_and_undo_brings_them_back() -> None:
    done("work", "clear", "a", "-y")
    assert keys() == ["b"]
    done("undo")
    assert keys() == ["b", "a"]


@pytest.mark.usefixtures("stored")
def test_all_means_notes_too() -> None:
    done("work", "clear", "-y")
    assert len(done("list", "--type", "note", "-o", "id").lines) == 1
    done("work", "clear", "--all", "-y")
    assert done("list", "--type", "note", "-o", "id").lines == []


@pytest.mark.usefixtures("stored")
def test_a_key_that_is_not_there_stops_it() -> None:
    ran = run("work", "clear", "a", "zzz", "-y")
    assert ran.code == 3
    assert "'zzz'" in ran.err
    assert keys() == ["b", "a"]


@pytest.mark.usefixtures("stored")
def test_what_has_expired_is_taken_out() -> None:
    done("work", "set", "short", "x", "--ttl", "0.05s")
    time.sleep(0.1)
    assert done("work", "clear", "--expired", "--dry-run").err == "would take out 1 expired\n"
    assert done("work", "clear", "--expired").err == "took out 1 expired\n"
    assert done("work", "clear", "--expired").err == "took out 0 expired\n"
