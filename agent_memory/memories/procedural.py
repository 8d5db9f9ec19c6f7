"""Procedural memory: skills and workflows, and how well they have worked."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Unpack

from agent_memory import clock
from agent_memory.errors import ConfigurationError, MemoryNotFoundError, ValidationError
from agent_memory.hints import Hint
from agent_memory.memories.base import Listing, TypeMemory
from agent_memory.memories.building import check_text
from agent_memory.memories.calling import instead
from agent_memory.memories.further import SkillFurther, WorkflowFurther
from agent_memory.memories.given import Default
from agent_memory.records import ProceduralRecord, ScoredMemory
from agent_memory.text.analysis import analyse, whole_words
from agent_memory.verbs import Verb

TRIGGER_BOOST = 0.5
"""How far a trigger that the situation names lifts a skill's score towards 1. A trigger was set by somebody who
knew, so it outranks likeness, but the best of several triggered skills is still the likest one."""

WILSON_Z = 1.96
"""Two-sided 95 % confidence."""


@dataclass(frozen=True, slots=True)
class Skill:
    """A skill without the memory around it: what an agent needs to apply it."""

    id: str
    name: str
    pattern: str
    triggers: tuple[str, ...]
    steps: tuple[str, ...]
    category: str | None
    use_count: int
    success_count: int

    @property
    def success_rate(self) -> float | None:
        """Share of uses that went well, or None before the first."""
        return self.success_count / self.use_count if self.use_count else None


SKILL_IMPORTANCE: Final = Default(0.7)


class ProceduralMemory(TypeMemory[ProceduralRecord]):
    """How things are done. A skill's name is its key: recording it again stores a new version."""

    record_class = ProceduralRecord

    def _build(
        self, content: str, *, fields: Mapping[str, Any] | None = None, **common: Any
    ) -> ProceduralRecord:
        values = dict(fields or {})
        if values.get("name") is None:
            values["name"] = common.get("key") or content.strip().splitlines()[0][:80]
        elif common.get("key") is None:
            common["key"] = values["name"]
        record = super()._build(content, fields=values, **common)
        if record.success_count > record.use_count:
            raise ValidationError("success_count is larger than use_count", hint="give both of them")
        return record

    @instead(kind="")
    async def record_skill(
        self,
        /,
        name: str,
        pattern: str,
        triggers: str | Iterable[str] | None = None,
        category: str | None = None,
        importance: float = SKILL_IMPORTANCE,
        **more: Unpack[SkillFurther],
    ) -> str:
        """Store a skill and return its id; one of that name gets a new version and keeps its record of use.

        Args:
            pattern: how it is done, in words.
            triggers: words or phrases of situations that call for it.
            more: further arguments of `add`.
            category: what the skill belongs to.
            importance: how much it matters, from 0 to 1.
            name: the name of the skill.

        Returns:
            The id of the skill.
        """
        return await self._record(
            name, pattern, triggers=triggers, category=category, importance=importance, kind="skill", **more
        )

    @instead(kind="")
    async def record_workflow(
        self,
        /,
        name: str,
        steps: str | Iterable[str],
        triggers: str | Iterable[str] | None = None,
        importance: float = SKILL_IMPORTANCE,
        **more: Unpack[WorkflowFurther],
    ) -> str:
        """Store a workflow, a skill in steps, and return its id."""
        listed = [check_text("step", step) for step in ([steps] if isinstance(steps, str) else steps)]
        text = "\n".join(f"{number}. {step}" for number, step in enumerate(listed, 1))
        return await self._record(
            name, text, steps=listed, triggers=triggers, importance=importance, kind="workflow", **more
        )

    async def _record(self, name: str, content: str, **arguments: Any) -> str:
        return await self.add(content, name=check_text("name", name).strip(), **arguments)

    async def get_skill(self, name: str) -> ProceduralRecord | None:
        """Return the skill of that name, or None."""
        records = await self._select(self._where(fields={"name": check_text("name", name).strip()}), 1)
        return records[0] if records else None

    async def require_skill(self, reference: str) -> ProceduralRecord:
        """Return the skill that a name, an id or a unique prefix of an id means.

        Args:
            reference: the skill's name, which comes first, or its id.

        Returns:
            The skill.

        Raises:
            MemoryNotFoundError: there is none; the hint names a skill that is called nearly so.
            AmbiguousIdError: several ids begin so.
        """
        record = await self.get_skill(reference) or await self.get(reference)
        if record is None:
            raise await self._no_skill(reference, "SHOW_SKILL")
        return record

    async def _no_skill(self, reference: str, act: str) -> MemoryNotFoundError:
        import shlex
        from difflib import get_close_matches

        names = [record.name for record in await self._select(self._where(), None)]
        near = get_close_matches(reference, names, 1, 0.6) or [
            name for name in names if reference and reference in name
        ]
        hint = Hint("{SKILLS} shows those there are")
        if near:
            hint = Hint(f"did you mean {{{act}}}?", name=near[0], typed=shlex.quote(near[0]))
        return MemoryNotFoundError(reference, what="skill", hint=hint)

    async def get_skill_as_object(self, name: str) -> Skill | None:
        """Return the skill of that name as a plain `Skill`, or None."""
        record = await self.get_skill(name)
        return None if record is None else as_skill(record)

    async def get_skills_by_category(self, category: str, limit: int = 50) -> Listing[ProceduralRecord]:
        """Return the skills of a category, newest first."""
        return await self._select(self._where(fields={"category": category}), limit)

    async def find_applicable_skills(
        self, situation: str, limit: int = 5
    ) -> Listing[ScoredMemory[ProceduralRecord]]:
        """Find the skills that a situation calls for: by triggers, words and meaning together, best first."""
        candidates = await self._search(situation, max(limit * 4, 20), count_access=False)
        results = {candidate.memory.id: candidate for candidate in candidates}
        for record in await self._triggered(situation):
            known = results.get(record.id) or ScoredMemory(record, 0.0, 0.0)
            results[record.id] = replace(
                known,
                score=known.score + TRIGGER_BOOST * (1.0 - known.score),
                relevance=known.relevance + TRIGGER_BOOST * (1.0 - known.relevance),
            )
        best = sorted(results.values(), key=lambda item: -item.score)[:limit]
        await self._core.store.touch([item.memory.id for item in best])
        return best

    async def _triggered(self, situation: str) -> Listing[ProceduralRecord]:
        skills = await self._select(self._where(), None)
        # Compounds whole, and taken apart as well: `rateLimit` calls for what the trigger "rate limit" fits.
        said = (whole_words(situation), analyse(situation))
        return [
            record
            for record in skills
            if any(
                _contains(words, trigger)
                for trigger in map(whole_words, record.triggers)
                for words in said
                if trigger
            )
        ]

    async def record_skill_usage(self, id: str, success: bool = True) -> bool:
        """Count one use of a skill, by its id or its name; False if there is none."""
        record = await self._find(id)
        if record is None:
            return False
        await self._use(record, success)
        return True

    async def use_skill(self, reference: str, success: bool = True) -> ProceduralRecord:
        """Count one use of a skill, and return the skill with the new counts.

        Args:
            reference: the skill's name, its id, or a unique prefix of its id.
            success: whether it worked.

        Returns:
            The skill after the use.

        Raises:
            MemoryNotFoundError: there is none; the hint names a skill that is called nearly so.
            AmbiguousIdError: several ids begin so.
        """
        record = await self._find(reference)
        if record is None:
            raise await self._no_skill(reference, "USE_SKILL")
        return await self._use(record, success)

    async def _use(self, record: ProceduralRecord, success: bool) -> ProceduralRecord:
        """Count one use of a skill."""

        def used(skill: ProceduralRecord) -> ProceduralRecord:
            return replace(
                skill,
                use_count=skill.use_count + 1,
                success_count=skill.success_count + bool(success),
                last_used_at=clock.to_text(clock.now()),
            )

        return await self._change(Verb.USE, record.id, used)

    async def get_most_used_skills(self, limit: int = 10) -> Listing[ProceduralRecord]:
        """Return the skills that were used at all, the most used first."""
        used = await self._select(self._where(fields={"use_count": {">": 0}}), None)
        return sorted(used, key=lambda item: (-item.use_count, item.name))[:limit]

    async def get_most_successful_skills(
        self, min_uses: int = 3, limit: int = 10
    ) -> Listing[ProceduralRecord]:
        """Return the skills that have proved themselves, best first.

        They are ranked by the Wilson lower bound of their success rate: 9 of 10 counts for more than 3 of 3.
        """
        used = await self._select(self._where(fields={"use_count": {">=": max(min_uses, 1)}}), None)
        return sorted(
            used, key=lambda item: (-wilson_lower_bound(item.success_count, item.use_count), item.name)
        )[:limit]

    async def add_trigger(self, id: str, trigger: str) -> bool:
        """Add a trigger to a skill, by its id or its name; False if there is none."""
        record = await self._find(id)
        if record is None:
            return False
        new = check_text("trigger", trigger).strip()

        def with_trigger(skill: ProceduralRecord) -> ProceduralRecord:
            return replace(skill, triggers=tuple(dict.fromkeys([*skill.triggers, new])))

        await self._change(Verb.TRIGGER, record.id, with_trigger)
        return True


def as_skill(record: ProceduralRecord) -> Skill:
    """Return the skill that a memory holds."""
    return Skill(
        id=record.id,
        name=record.name,
        pattern=record.content,
        triggers=record.triggers,
        steps=record.steps,
        category=record.category,
        use_count=record.use_count,
        success_count=record.success_count,
    )


def wilson_lower_bound(successes: int, trials: int, z: float = WILSON_Z) -> float:
    """Return the lower end of Wilson's interval for a success rate, in [0, 1]; 0 without trials.

    E. B. Wilson, "Probable inference, the law of succession, and statistical inference", JASA 22 (1927).

    Raises:
        ConfigurationError: there are more successes than trials.
    """
    if not 0 <= successes <= trials:
        raise ConfigurationError(f"{successes} successes of {trials} uses", hint="count each use once")
    if trials == 0:
        return 0.0
    share, square = successes / trials, z * z
    middle = share + square / (2 * trials)
    spread = z * math.sqrt(share * (1 - share) / trials + square / (4 * trials * trials))
    return max(0.0, (middle - spread) / (1 + square / trials))


def _contains(words: Sequence[str], phrase: Sequence[str]) -> bool:
    size = len(phrase)
    return any(list(words[start : start + size]) == list(phrase) for start in range(len(words) - size + 1))
