"""What hypothesis makes memories and filters of. The pools are small, so that filters find something."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from agent_memory.records import OWN_FIELDS, RECORD_CLASSES, TUPLE_FIELDS, MemoryRecord, MemoryType, Status
from agent_memory.storage.changes import new_id
from agent_memory.storage.where import FILTER_FIELDS, Condition, Period, Where
from agent_memory.text.names import with_normal_names

NOW = datetime(2026, 5, 8, 12, 0, tzinfo=UTC)
"""The present moment of these memories: hold the clock at it."""
VOCABULARY = ("apple", "apples", "river", "running", "code", "Übung", "記憶", "기억", "two words")
_TAGS = ("red", "green", "größe", "a b", "100%", "under_score", "it's", "\u200bq", "x\x1fy")
_NAMES = ("lang", "stars", "deep.name", 'quo"te', "it's", "$", "a[0]", "名前", " ", "\\", "type")
_WORDS = ("en", "EN", "é", "e\u0301", "", " ", "9", "10", "true", "null", "%", "日本", "😀")
_NUMBERS = (0, 1, -1, 9, 10, 0.5, 1.0, -0.0, 1e-9, 2**53, 2**53 + 1, 2**63 - 1, -(2**63), 1e300)

moments = st.sampled_from([NOW + timedelta(microseconds=step) for step in (-1, 0, 1)]) | st.integers(
    -40, 40
).map(lambda days: NOW + timedelta(days=days))
texts = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), min_size=1, max_size=40
).filter(str.strip)
"""Text as the library lets it through: not blank, no NUL, no lone surrogates."""
contents = st.lists(st.sampled_from(VOCABULARY), min_size=1, max_size=6).map(" ".join)
scalars: st.SearchStrategy[Any] = st.sampled_from([*_WORDS, *_NUMBERS, True, False])
json_values: st.SearchStrategy[Any] = st.recursive(
    scalars | st.none(), lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3)
)
metadata = st.dictionaries(st.sampled_from(_NAMES), json_values, max_size=4)
_short = st.sampled_from(["one", "two", "Two", "três", "it's"])
_own_values: dict[str, st.SearchStrategy[Any]] = {
    "text": _short,
    "integer": st.integers(0, 3),
    "real": st.sampled_from([0.0, 0.5, 1.0, 90.0]),
    "boolean": st.booleans(),
    "json": json_values,
}


def records(
    *types: MemoryType, content: st.SearchStrategy[str] = contents
) -> st.SearchStrategy[MemoryRecord]:
    """Make memories of these types, else of all."""
    return st.one_of([_records(item, content) for item in types or MemoryType])


def _records(memory_type: MemoryType, content: st.SearchStrategy[str]) -> st.SearchStrategy[MemoryRecord]:
    optional: dict[str, st.SearchStrategy[Any]] = {
        "importance": st.sampled_from([0.0, 0.1, 0.5, 0.7, 1.0]),
        "occurred_at": moments,
        "expires_at": moments,
        "metadata": metadata,
        "tags": st.sets(st.sampled_from(_TAGS), max_size=3).map(lambda tags: tuple(sorted(tags))),
        "key": _short,
        "source": _short,
        "session": _short,
        "status": st.sampled_from(Status),
        "pinned": st.booleans(),
        "utc_offset": st.sampled_from([None, -12_600, 32_400]),
        "session_given": st.booleans(),
        "ttl_given": st.booleans(),
    }
    for own in OWN_FIELDS[memory_type]:
        if own.name in TUPLE_FIELDS:
            optional[own.name] = st.lists(_short, max_size=3).map(tuple)
        elif own.name in ("kind", "position"):
            continue  # the kind decides what else there may be, and the store gives the position
        else:
            optional[own.name] = _own_values[own.kind]
    required: dict[str, st.SearchStrategy[Any]] = {
        "content": content,
        "created_at": moments,
        "updated_at": moments,
        "id": st.builds(new_id),
    }
    kind: Any = RECORD_CLASSES[memory_type]
    made = st.fixed_dictionaries(required, optional=optional).map(lambda values: kind(**values))
    return made.map(with_normal_names)  # as the library hands them to a store


def conditions(names: st.SearchStrategy[str], values: st.SearchStrategy[Any]) -> st.SearchStrategy[Condition]:
    """Make comparisons of these names with these scalars."""
    ordered = values.filter(lambda value: not isinstance(value, bool))
    return st.one_of(
        st.builds(Condition, names, st.sampled_from(["=", "!="]), values),
        st.builds(Condition, names, st.sampled_from(["<", "<=", ">", ">="]), ordered),
        st.builds(Condition, names, st.just("in"), st.lists(values, max_size=3).map(tuple)),
        st.builds(Condition, names, st.just("exists"), st.booleans()),
    )


def _some(values: Any) -> st.SearchStrategy[Any]:
    return st.lists(st.sampled_from(values), min_size=1, max_size=2, unique=True).map(tuple)


_periods = st.builds(Period, st.none() | moments, st.none() | moments)
_own_conditions = st.one_of(
    conditions(st.sampled_from(sorted(FILTER_FIELDS)), _short | st.sampled_from([0, 1, 0.5, 2, True, False])),
    conditions(
        st.sampled_from(["role", "category", "position", "success"]), st.sampled_from(["one", 1, True])
    ),
)
FILTERS: dict[str, st.SearchStrategy[Any]] = {
    "types": _some(list(MemoryType)),
    "tags_any": _some(_TAGS),
    "tags_all": _some(_TAGS),
    "keys": _some(["one", "two", "Two", "it's"]),
    "sources": _some(["one", "três"]),
    "sessions": _some(["one", "it's"]),
    "statuses": st.lists(st.sampled_from(Status), max_size=2, unique=True).map(tuple),
    "pinned": st.booleans(),
    "min_importance": st.sampled_from([0.0, 0.1, 0.5, 0.7, 1.0]),
    "created": _periods,
    "updated": _periods,
    "occurred": _periods,
    "metadata": st.lists(conditions(st.sampled_from(_NAMES), scalars), min_size=1, max_size=2).map(tuple),
    "fields": st.lists(_own_conditions, min_size=1, max_size=2).map(tuple),
    "expired": st.sampled_from([True, None]),
}
"""By part of `Where` what it may hold; ids stand for memories that there are, and tests name those."""


@st.composite
def wheres(draw: st.DrawFn) -> Where:
    """Make filters of up to four parts."""
    names = draw(st.lists(st.sampled_from(sorted(FILTERS)), max_size=4, unique=True))
    return Where(**{name: draw(FILTERS[name]) for name in names})
