"""Every verb of the public API, with arguments that it can be called with."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

from agent_memory import clock
from agent_memory.records import MemoryType
from agent_memory.storage.in_memory import InMemoryStore

_ARGUMENTS: Mapping[str, Callable[[], Any]] = {
    "items": lambda: [{"content": "text"}],
    "objects": lambda: [{"type": "fact", "content": "text"}],
    "chunks": lambda: ["text"],
    "steps": lambda: ["text"],
    "tags": lambda: ["text"],
    "embedding": lambda: [1.0, 0.0],
    "file": lambda: "export.ndjson",
    "backend": lambda: InMemoryStore("somebody"),
    "embedding_provider": lambda: "dummy",
    "start": clock.now,
    "value": lambda: 1,
    "role": lambda: "user",
}
"""For each parameter without a default what to give; the others take a text."""
_LIFE = {"open", "close", "run", "of"}


def verbs(memory: Any) -> Iterator[tuple[str, Callable[[], Any]]]:
    """Iterate over the methods of a memory and of its types, each with a call of it that needs nothing more.

    Works for both faces: what a call returns is awaitable for the one and a result for the other.

    Yields:
        The name of a method, and a call of it.
    """
    faces = {
        "": memory,
        **{f"{memory_type.value}.": getattr(memory, memory_type.value) for memory_type in MemoryType},
    }
    for prefix, face in faces.items():
        for name, method in inspect.getmembers(type(face), inspect.isfunction):
            if not name.startswith("_") and name not in _LIFE:
                yield prefix + name, partial(getattr(face, name), *_arguments(method))


def _arguments(method: Callable[..., Any]) -> list[Any]:
    named = list(inspect.signature(method).parameters.values())[1:]
    return [
        _ARGUMENTS.get(item.name, lambda: "text")()
        for item in named
        if item.default is item.empty and item.kind in (item.POSITIONAL_ONLY, item.POSITIONAL_OR_KEYWORD)
    ]
