"""What every memory type declares, and what the rest of the program makes of it."""

from __future__ import annotations

import dataclasses

import pytest
from rich.color import Color

from agent_memory.errors import ConfigurationError
from agent_memory.memories.filters import build_where
from agent_memory.records import COLOURS, KIND_ALIASES, OWN_FIELDS, RECORD_CLASSES, TYPE_ALIASES, MemoryType
from agent_memory.records.base import MemoryRecord, TypeDescriptor, own_field
from agent_memory.records.registry import own_fields
from agent_memory.testing import builders


def test_every_type_has_a_record_and_words_of_its_own() -> None:
    assert {*RECORD_CLASSES} == {*MemoryType}
    words = [*TYPE_ALIASES, *KIND_ALIASES]
    assert len(words) == len({*words})
    assert {*words} == {*COLOURS}
    for alias, memory_type in TYPE_ALIASES.items():
        assert MemoryType.parse(alias) is MemoryType.parse(f"{alias}s") is memory_type
        assert MemoryType.parse(memory_type.upper().replace("_", "-")) is memory_type
    with pytest.raises(ConfigurationError, match="did you mean skill"):
        MemoryType.parse("skil")
    for kind, act in (
        ("pref", "store_preference"),
        ("preference", "store_preference"),
        ("work", "set_working"),
    ):
        with pytest.raises(ConfigurationError, match=f"is no memory type, but a kind of .*{act}"):
            MemoryType.parse(kind)


@pytest.mark.parametrize("colour", sorted({*COLOURS.values()}))
def test_every_colour_is_one_of_a_terminal(colour: str) -> None:
    assert Color.parse(colour).name == colour


def test_the_word_of_a_kind_is_what_lists_show_and_filters_take() -> None:
    for record, word in (
        (builders.preference(), "pref"),
        (builders.note(kind="working", key="step"), "work"),
        (builders.note(), "note"),
        (builders.message(), "chat"),
    ):
        assert record.descriptor.named(record) == word
        where = build_where(types=word)
        assert where.types == (record.memory_type,)
        assert where.matches(record, record.created_at)


def test_a_field_that_came_after_its_type_is_told_from_the_first_ones() -> None:
    class Descriptor(TypeDescriptor["Goal"]):
        alias = "goal"
        colour = "red"
        since = 5

    @dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
    class Goal(MemoryRecord):
        descriptor = Descriptor()
        due: str | None = own_field("text", name=True)
        steps: tuple[str, ...] = own_field("json", ())
        mood: str | None = own_field("text", since=6)

    due, steps, mood = own_fields(Goal)
    assert (due.since, due.later, due.is_name, due.is_tuple) == (5, False, True, False)
    assert (steps.since, steps.later, steps.is_name, steps.is_tuple) == (5, False, False, True)
    assert (mood.since, mood.later) == (6, True)
    assert [field.name for field in OWN_FIELDS[MemoryType.SEMANTIC] if field.later] == ["path"]
