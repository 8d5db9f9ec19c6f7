"""Whether somebody waits for an embedder: then a server that fails is not asked again and again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_fail_fast: ContextVar[bool] = ContextVar("agent_memory.hurried", default=False)


@contextmanager
def fail_fast(wanted: bool = True) -> Iterator[None]:
    """Let the embedders called within fail at once instead of waiting for a server to get better."""
    token = _fail_fast.set(wanted)
    try:
        yield
    finally:
        _fail_fast.reset(token)


def fails_fast() -> bool:
    """Return whether this task may not wait."""
    return _fail_fast.get()
