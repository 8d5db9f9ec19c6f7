from __future__ import annotations

import pytest

from agent_memory import AgentMemory, MemoryNotFoundError, ValidationError
from agent_memory.memories.procedural import wilson_lower_bound

pytestmark = pytest.mark.anyio


async def test_skills_by_name_category_and_as_objects(memory: AgentMemory) -> None:
    skill = await memory.procedural.record_skill(
        "retry", "When the API returns 429, wait and retry", triggers=["rate limit"], category="errors"
    )
    record = await memory.procedural.get_skill("retry")
    assert record is not None
    assert (record.id, record.category, record.triggers) == (skill, "errors", ("rate limit",))
    plain = await memory.procedural.get_skill_as_object("retry")
    assert plain is not None
    assert (plain.name, plain.pattern, plain.success_rate) == ("retry", record.content, None)
    assert [item.name for item in await memory.procedural.get_skills_by_category("errors")] == ["retry"]
    assert await memory.procedural.get_skill("unknown") is None
    assert await memory.procedural.get_skill_as_object("unknown") is None


async def test_recording_a_skill_again_is_a_new_version_that_keeps_its_use(memory: AgentMemory) -> None:
    skill = await memory.procedural.record_skill("retry", "wait one second")
    assert await memory.procedural.record_skill_usage(skill)
    assert await memory.procedural.record_skill("retry", "wait with backoff") == skill
    record = await memory.procedural.get_skill("retry")
    assert record is not None
    assert (record.content, record.use_count) == ("wait with backoff", 1)
    assert await memory.procedural.count() == 1


async def test_a_workflow_has_steps(memory: AgentMemory) -> None:
    await memory.procedural.record_workflow("release", ["tag", "build", "publish"], triggers=["new version"])
    record = await memory.procedural.get_skill("release")
    assert record is not None
    assert record.kind == "workflow"
    assert record.steps == ("tag", "build", "publish")
    assert record.content == "1. tag\n2. build\n3. publish"


@pytest.mark.parametrize(
    ("trigger", "situation"),
    [
        ("iPhone setup", "another iphone setup"),
        ("iphone setup", "the iPhone setup again"),
        ("rate limit", "rateLimit was hit"),
        ("k8s timeout", "K8S timeout on s3"),
        ("🔥", "the build is on 🔥"),
    ],
)
async def test_a_trigger_fits_however_it_is_written(
    memory: AgentMemory, trigger: str, situation: str
) -> None:
    await memory.procedural.record_skill("other", "do that", triggers=["unrelated"])
    await memory.procedural.record_skill("wanted", "do this", triggers=[trigger])
    found = await memory.procedural.find_applicable_skills(situation)
    assert [result.memory.name for result in found if result.score >= 0.5] == ["wanted"]


async def test_triggers_bring_the_skill_that_fits(memory: AgentMemory) -> None:
    await memory.procedural.record_skill("backoff", "Wait longer each time", triggers=["429", "rate limit"])
    await memory.procedural.record_skill("backup", "Copy the file elsewhere", triggers=["disk full"])
    found = await memory.procedural.find_applicable_skills("the server answered with a rate limit")
    assert found[0].memory.key == "backoff"
    found = await memory.procedural.find_applicable_skills("HTTP 429!")
    assert found[0].memory.key == "backoff"
    assert all(0 <= result.score <= 1 and 0 <= result.relevance <= 1 for result in found)


async def test_usage_ranks_by_count_and_by_proven_success(memory: AgentMemory) -> None:
    proven = await memory.procedural.record_skill("proven", "a")
    lucky = await memory.procedural.record_skill("lucky", "b")
    await memory.procedural.record_skill("unused", "c")
    for number in range(20):
        assert await memory.procedural.record_skill_usage(proven, success=number > 1)
    for _ in range(3):
        assert await memory.procedural.record_skill_usage("lucky")
    assert [most_used_skill.name for most_used_skill in await memory.procedural.get_most_used_skills()] == [
        "proven",
        "lucky",
    ]
    assert [
        most_successful_skill.name
        for most_successful_skill in await memory.procedural.get_most_successful_skills()
    ] == ["proven", "lucky"]
    assert [
        most_successful_skill.name
        for most_successful_skill in await memory.procedural.get_most_successful_skills(min_uses=4)
    ] == ["proven"]
    assert not await memory.procedural.record_skill_usage("nothing-here")
    assert lucky


async def test_add_trigger(memory: AgentMemory) -> None:
    skill = await memory.procedural.record_skill("x", "do x", triggers=["one"])
    assert await memory.procedural.add_trigger(skill, "two")
    assert await memory.procedural.add_trigger("x", "two")
    record = await memory.procedural.get_skill("x")
    assert record is not None
    assert record.triggers == ("one", "two")
    assert not await memory.procedural.add_trigger("nothing-here", "x")


def test_the_wilson_bound_agrees_with_published_values() -> None:
    # Newcombe (1998), Table I, method 3: 81 of 263 gives a lower limit of 0.2553; 15 of 148 gives 0.0624.
    assert wilson_lower_bound(81, 263) == pytest.approx(0.2553, abs=5e-5)
    assert wilson_lower_bound(15, 148) == pytest.approx(0.0624, abs=5e-5)
    assert wilson_lower_bound(0, 20) == pytest.approx(0.0, abs=1e-12)
    assert wilson_lower_bound(0, 0) == 0.0
    assert wilson_lower_bound(9, 10) > wilson_lower_bound(3, 3)


async def test_a_skill_told_better_keeps_its_triggers_and_a_new_name_is_its_key(memory: AgentMemory) -> None:
    id = await memory.procedural.record_skill("deploy", "push", triggers=["ship"], tags=["ops"])
    await memory.procedural.record_skill_usage(id)
    assert await memory.procedural.record_skill("deploy", "push, then watch") == id
    skill = await memory.procedural.get_skill("deploy")
    assert skill is not None
    assert (skill.triggers, skill.tags, skill.use_count) == (("ship",), ("ops",), 1)
    await memory.update(id, name="release")
    renamed = await memory.get("release")
    assert renamed is not None
    assert renamed.id == id
    assert await memory.procedural.get_skill("release") is not None
    assert await memory.get("deploy") is None


async def test_only_the_skills_that_are_given_count_as_used(memory: AgentMemory) -> None:
    ids = [
        await memory.procedural.record_skill(f"build {number}", f"build it, way {number}")
        for number in range(6)
    ]
    given = {
        applicable_skill.memory.id
        for applicable_skill in await memory.procedural.find_applicable_skills("build", limit=2)
    }
    counted = await memory.backend.get(ids)
    assert {memory_id for memory_id in ids if counted[memory_id].access_count} == given


@pytest.mark.parametrize("reference", ["retri", "with"])
async def test_who_names_no_skill_is_told_of_one_that_is_called_nearly_so(
    memory: AgentMemory, reference: str
) -> None:
    await memory.procedural.record_skill("retry with backoff", "wait longer each time")
    await memory.procedural.record_skill("retry", "wait one second")
    near = {"retri": "retry", "with": "retry with backoff"}[reference]
    for use in (memory.procedural.require_skill, memory.procedural.use_skill):
        with pytest.raises(MemoryNotFoundError) as raised:
            await use(reference)
        assert raised.value.hint is not None
        assert near in raised.value.hint


async def test_a_skill_succeeds_no_more_often_than_it_is_used(memory: AgentMemory) -> None:
    with pytest.raises(ValidationError, match="larger than use_count"):
        await memory.procedural.add("wait", name="retry", use_count=1, success_count=2)
