"""Making the arguments of one step from the pools and from the memories that are there."""

from __future__ import annotations

import inspect
from array import array
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from hypothesis import strategies as st

from agent_memory.embeddings.dummy import DummyEmbedder
from agent_memory.memories.base import TypeMemory
from agent_memory.records import OWN_FIELDS, MemoryType

from .pools import DIMENSION, DOCUMENTS, FILES, KEPT_BY_THE_LIBRARY, LEFT_OUT, POOLS, SAID
from .verbs import FREE, Verb

REFERENCES = frozenset(["id", "ids", "reference", "references"])
"""Parameters that name a memory."""
ITEMS = frozenset(["items", "objects"])
"""Parameters that hold the arguments of many `add`s, or memories as they are printed."""
PATHS = frozenset(["paths"])
"""Parameters that name files and folders to be read."""
VECTORS = frozenset(["embedding"])
"""Parameters that hold what the embedder makes of the text beside them."""
IN_FOLDER = frozenset(["file", "target", *PATHS])
"""Parameters that name a file, in the folder of the walk."""

Draw = Callable[[st.SearchStrategy[Any]], Any]


@dataclass(frozen=True)
class Ref:
    """A memory by its place among all that were ever seen, and the form in which it is named."""

    back: int
    """0 for the newest."""
    form: str
    """`id`, `prefix` or `key`."""


@dataclass(frozen=True)
class Printed:
    """A memory as it is printed: the object that `to_dict` gives of it."""

    ref: Ref


@dataclass(frozen=True)
class File:
    """A file in the folder of the walk, and what is written to it before the step."""

    name: str
    text: str


class Vector(list[float]):
    """What the embedder makes of a text, made elsewhere."""

    def __init__(self, text: str) -> None:
        super().__init__(array("f", DummyEmbedder(dimension=DIMENSION)._vector(text)))
        self.text = text


def known(name: str) -> bool:
    """Return whether there are values for a parameter of that name, or a reason why there are none."""
    return name in {*POOLS, *REFERENCES, *ITEMS, *PATHS, *VECTORS, *LEFT_OUT, *FREE}


def optional(verb: Verb) -> list[str]:
    """List what may be given to a verb beside what has to be, further names that it passes on included."""
    names = [name for name in verb.parameters if name not in verb.required and name not in FREE]
    if verb.free in ("filters", "changes"):
        names += verb.packed
    elif verb.free is not None:
        names += further(verb.face)
    return [name for name in dict.fromkeys(names) if name in POOLS]


def further(face: str) -> list[str]:
    """List what the `add` of a face takes beside its text, its type's own fields included."""
    own = [MemoryType(face)] if face else list(MemoryType)
    fields = [
        field_.name for kind in own for field_ in OWN_FIELDS[kind] if field_.name not in KEPT_BY_THE_LIBRARY
    ]
    shared = [name for name in inspect.signature(TypeMemory.add).parameters if name != "content"]
    return [*(shared if face else ()), *fields]


def few(chance: Random) -> dict[str, Sequence[Any]]:
    """Narrow the pools for one walk, many to one or two values: then its steps meet the more often.

    Most walks have all texts: what is stored again under a name is to be something else.
    """
    pools: dict[str, Sequence[Any]] = {}
    for name, pool in {**POOLS, "file name": FILES, "document": DOCUMENTS}.items():
        whole = name in SAID and chance.random() < 0.75
        size = len(pool) if whole else min(len(pool), chance.choice([1, 1, 2, len(pool)]))
        pools[name] = chance.sample(list(pool), size)
    return pools


class Hand:
    """Takes arguments for one step.

    Args:
        draw: draws from a strategy.
        pools: what there is to take.
        spoken: the options in play.
    """

    def __init__(self, draw: Draw, pools: Mapping[str, Sequence[Any]], spoken: Sequence[str]) -> None:
        self._draw = draw
        self._pools = pools
        self._spoken = spoken

    def arguments(self, verb: Verb) -> dict[str, Any]:
        """Take arguments for a verb: all that it needs, and some of the options in play."""
        options = [name for name in optional(verb) if name in self._spoken and self._draw(st.integers(0, 2))]
        values = {name: self._value(verb, name) for name in (*verb.required, *options) if name not in VECTORS}
        for name in VECTORS & set(verb.required):
            values[name] = Vector(values["content"])  # another text's would be no vector of this one
        return values

    def _perhaps(self) -> bool:
        return bool(self._draw(st.booleans()))

    def _take(self, name: str) -> Any:
        return self._draw(st.sampled_from(self._pools[name]))

    def _value(self, verb: Verb, name: str) -> Any:
        parameter = verb.parameters.get(name)
        if name in REFERENCES:
            always = "|" not in str(parameter) and name == "ids"
            several = always or ("Sequence" in str(parameter) and self._draw(st.integers(0, 3)) == 3)
            return [self._reference(), self._reference()] if several else self._reference()
        if name in ITEMS:
            printed = name == "objects" and self._perhaps()
            count = self._draw(st.integers(1, 3))
            return [Printed(self._reference()) if printed else self._item(verb.face) for _ in range(count)]
        if name in PATHS:
            files = [File(self._take("file name"), self._take("document"))]
            return [*files, "notes"] if self._perhaps() else files
        if parameter is not None and takes_away(parameter) and self._draw(st.integers(0, 3)) == 3:
            return None
        return self._take(name)

    def _reference(self) -> Ref:
        form = self._draw(st.sampled_from(["id", "id", "id", "prefix", "key"]))
        return Ref(self._draw(st.integers(0, 5)), form)

    def _item(self, face: str) -> dict[str, Any]:
        item: dict[str, Any] = {"content": self._take("content")}
        kind = face or str(self._draw(st.sampled_from(list(MemoryType))))
        if not face:
            item["type"] = kind
        for name in dict.fromkeys(further(kind)):
            if name in self._spoken and name in self._pools and self._perhaps():
                item[name] = self._take(name)
        return item


def takes_away(parameter: inspect.Parameter) -> bool:
    """Return whether None is not the default of a parameter, and yet may be given: then it takes something away."""
    return "None" in str(parameter.annotation) and parameter.default not in (None, parameter.empty)
