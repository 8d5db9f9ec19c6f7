"""What there is to do: every public method of a memory and of its six types, read from the classes."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from agent_memory import SyncAgentMemory
from agent_memory.memories.changes import Changes
from agent_memory.memories.filters import Filters, MoreFilters, TypeCountFilters, TypeFilters
from agent_memory.settings import Settings
from agent_memory.sync.blocking import SyncTypeMemory

LEFT_OUT: Mapping[str, str] = {
    "open": "the walk opens the store itself, before a step",
    "close": "and closes it",
    "of": "names a type's memory, and stores nothing",
    "run": "is what every other method goes through",
    "batch": "is a context, and no step by itself",
    "plan_forget": "changes nothing; its plan holds functions and goes to no other process",
    "plan_clear": "the same",
}
"""Public methods that are no step, and why."""

FREE = ("fields", "more", "filters", "changes")
"""Parameters that stand for further ones by name."""

_ANSWERS_WITH_IDS = ("str", "Listing[str]", "Listing[Written]", "Added", "StoredPaths")
_ANSWERS_WITH_SCORES = ("Found", "Recall", "Listing[ScoredMemory[")
_PACKED = {
    f"Unpack[{packed.__name__}]": packed
    for packed in (Changes, Filters, MoreFilters, TypeCountFilters, TypeFilters)
}
"""By annotation of a `**`, what says which names stand behind it."""


@dataclass(frozen=True, eq=False, repr=False)
class Verb:
    """One method."""

    face: str
    """The type's memory that has it, such as `long_term`; empty for the whole memory."""
    name: str
    parameters: Mapping[str, inspect.Parameter]
    returns: str
    """As the signature says it."""

    def __str__(self) -> str:
        return f"{self.face}.{self.name}" if self.face else self.name

    __repr__ = __str__

    @cached_property
    def required(self) -> list[str]:
        """What has to be given."""
        return [
            parameter.name
            for parameter in self.parameters.values()
            if parameter.default is parameter.empty and parameter.kind is not parameter.VAR_KEYWORD
        ]

    @cached_property
    def free(self) -> str | None:
        """The name of the parameter that stands for further ones, if it has one."""
        found = [
            parameter.name
            for parameter in self.parameters.values()
            if parameter.kind is parameter.VAR_KEYWORD
        ]
        return found[0] if found else None

    @property
    def may_add(self) -> bool:
        """Whether it looks as if it stored something new: it takes something, and answers with ids."""
        return self.returns in _ANSWERS_WITH_IDS and bool(self.required) and "id" not in self.parameters

    @property
    def lists(self) -> bool:
        """Whether it looks as if it only told what is there."""
        return (
            self.returns.startswith(("Listing[", "R |"))
            and not self.may_add
            and not {"dry_run", "ids"} & self.parameters.keys()
        )

    @property
    def finds(self) -> bool:
        """Whether it answers with what it found and how well that fits."""
        return self.returns.startswith(_ANSWERS_WITH_SCORES)

    @property
    def packed(self) -> list[str]:
        """The further names that a filter or a change may have."""
        packed = _PACKED.get(str(self.parameters[self.free].annotation)) if self.free else None
        return [*packed.__annotations__] if packed else []


def faces() -> dict[str, SyncAgentMemory | SyncTypeMemory]:
    """Return the whole memory under an empty name and each type's memory under its own, unopened."""
    memory = SyncAgentMemory("walk", Settings(backend="memory"))
    names = [name for name, value in vars(SyncAgentMemory).items() if isinstance(value, cached_property)]
    return {"": memory, **{name: getattr(memory, name) for name in names}}


def public_methods() -> list[Verb]:
    """List every public method of every face, those that are left out too."""
    found = []
    for face, thing in faces().items():
        for name, method in inspect.getmembers(type(thing), inspect.isfunction):
            if name.startswith("_"):
                continue
            signature = inspect.signature(method)
            parameters = dict(list(signature.parameters.items())[1:])  # without self
            found.append(Verb(face, name, parameters, str(signature.return_annotation)))
    return found


def all_verbs() -> list[Verb]:
    """List what the walk draws from."""
    return [verb for verb in public_methods() if verb.name not in LEFT_OUT]
