"""`agentmem update` keeps, sets and takes away; `add` says what a known memory took over."""

from __future__ import annotations

import pytest

from .running import done, run


def test_an_update_takes_away_what_it_is_told_to_and_keeps_the_rest() -> None:
    options = (
        "--key",
        "city",
        "--source",
        "chat",
        "--ttl",
        "30d",
        "--at",
        "2026-01-02",
        "--importance",
        "0.9",
    )
    id = done("add", "Lisbon", *options).out.strip()
    done("update", "city", "--tag", "home")
    stored = done("get", id, "--json").json
    assert (stored["key"], stored["source"], stored["importance"]) == ("city", "chat", 0.9)
    done("update", id, "--no-key", "--no-source", "--no-ttl", "--no-at")
    stored = done("get", id, "--json").json
    assert [stored[name] for name in ("key", "source", "expires_at", "occurred_at")] == [None] * 4
    assert (stored["content"], stored["tags"]) == ("Lisbon", ["home"])


@pytest.mark.parametrize("option", ["key", "source", "ttl"])
def test_what_is_both_set_and_taken_away_is_refused(option: str) -> None:
    id = done("add", "Lisbon").out.strip()
    ran = run("update", id, f"--{option}", "7d", f"--no-{option}")
    assert ran.code == 2
    assert "leave one out" in ran.err


def test_storing_what_is_known_says_what_was_taken_over() -> None:
    first = done("add", "Builds take ten minutes", "--meta", "env=dev").out
    again = done("add", "Builds take ten minutes", "--meta", "env=prod", "--at", "2026-01-02", "--tag", "ci")
    assert again.out == first
    said = again.err.strip()
    assert said.startswith("already known: ")
    assert "metadata" in said
    assert "occurred at" in said
    assert "tags" in said
    assert done("get", first.strip(), "--json").json["metadata"] == {"env": "prod"}
    true_repetition = done("add", "Builds take ten minutes")
    assert true_repetition.err == f"already known: {first[:8]}\n"


def test_a_fact_of_a_named_session_is_its_own() -> None:
    ids = [done("add", "Likes tea", *more).out for more in ((), ("--session", "ann"), ("--session", "bob"))]
    assert len(set(ids)) == 3
    assert done("list", "--session", "bob", "-o", "id").out == ids[2]
    assert done("add", "Likes tea").out == ids[0]


def test_a_session_in_use_makes_no_memory_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    first = done("add", "Likes tea").out
    monkeypatch.setenv("AGENTMEM_SESSION", "ann")
    assert done("add", "Likes tea").out == first


@pytest.mark.parametrize(
    ("option", "where"), [("--failed", "failed"), ("--succeeded", "succeeded"), ("--failure", "failed")]
)
def test_how_an_event_ended_can_be_said_outright(option: str, where: str) -> None:
    id = done("event", "add", "The deploy", "--outcome", "passed with warnings", option).out
    assert done("event", where, "-o", "id").out == id
    done("event", "add", "Another", "--outcome", "error-free")
    assert done("event", where, "-o", "id").out == id
