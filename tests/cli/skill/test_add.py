from __future__ import annotations

from ..running import done, run


def test_a_skill_with_triggers() -> None:
    id = done(
        "skill", "add", "free-disk", "prune images", "--trigger", "disk full", "--category", "ops"
    ).out.strip()
    stored = done("skill", "show", "free-disk", "--json").json
    assert stored["id"] == id
    assert (stored["content"], stored["triggers"], stored["category"]) == (
        "prune images",
        ["disk full"],
        "ops",
    )
    assert stored["kind"] == "skill"


def test_steps_make_a_workflow() -> None:
    done("skill", "add", "release", "--step", "run the tests", "--step", "tag it", "--category", "ops")
    stored = done("skill", "show", "release", "--json").json
    assert (stored["kind"], stored["steps"], stored["category"]) == (
        "workflow",
        ["run the tests", "tag it"],
        "ops",
    )
    assert done("get", "release", "--json").json["content"] == "1. run the tests\n2. tag it"


def test_adding_it_again_is_a_new_version_that_keeps_its_record() -> None:
    first = done("skill", "add", "s", "one").out
    done("skill", "used", "s")
    assert done("skill", "add", "s", "two").out == first
    stored = done("skill", "show", "s", "--json").json
    assert (stored["content"], stored["use_count"]) == ("two", 1)


def test_a_text_or_steps_are_needed() -> None:
    assert run("skill", "add", "s", "-").code == 2


def test_what_takes_the_place_of_another_skill_says_so() -> None:
    first = done("skill", "add", "free-disk", "prune images")
    assert first.err == ""
    id = first.out.strip()
    assert done("skill", "add", "free-disk", "prune images").err == f"already known: {id[:8]}\n"
    said = f"new version of {id[:8]} (agentmem history {id[:8]})\n"
    assert done("skill", "add", "free-disk", "delete logs").err == said
    assert done("skill", "add", "free-disk", "--step", "look", "--step", "delete").err == said
