from __future__ import annotations

from ..running import done, run


def test_everything_about_an_event_can_be_told() -> None:
    id = done(
        "event", "add", "Deploy of version 2", "--type", "deploy", "--outcome", "failed: disk full",
        "--participant", "Ada", "--participant", "Bob", "--location", "Oslo", "--duration", "90s",
        "--at", "2026-05-08T14:00Z", "-t", "ops", "-m", "version=2", "--source", "ci", "--importance", "0.9",
    ).out.strip()  # fmt: skip
    stored = done("get", id, "--json").json
    expected = {
        "type": "episodic", "content": "Deploy of version 2", "event_type": "deploy",
        "outcome": "failed: disk full", "success": False, "participants": ["Ada", "Bob"], "location": "Oslo",
        "duration": 90.0, "occurred_at": "2026-05-08T14:00:00.000000Z", "tags": ["ops"],
        "metadata": {"version": 2}, "source": "ci", "importance": 0.9,
    }  # fmt: skip
    assert {name: stored[name] for name in expected} == expected


def test_whether_it_went_well_may_be_said_instead() -> None:
    for flag, success in (("--success", True), ("--failure", False)):
        id = done("event", "add", f"x {flag}", "--outcome", "so-so", flag).out.strip()
        assert done("get", id, "--json").json["success"] is success


def test_the_same_event_may_happen_twice() -> None:
    assert done("event", "add", "again").out != done("event", "add", "again").out


def test_a_wrong_duration_is_a_usage_error() -> None:
    assert run("event", "add", "x", "--duration", "soon").code == 2
