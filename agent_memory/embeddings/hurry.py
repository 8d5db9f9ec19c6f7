"""Whether somebody waits for an embedder: then a server that fails is not asked again and again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_hurried: ContextVar[bool] = ContextVar("agent_memory.hurried", default=False)


@contextmanager
def hurried(wanted: bool = True) -> Iterator[None]:
    """Let the embedders called within fail at once instead of waiting for a server to get better."""
    token = _hurried.set(wanted)
    try:
        yield
    finally:
        _hurried.reset(token)


def in_a_hurry() -> bool:
    """Say whether this task may not wait."""
    return _hurried.get()
