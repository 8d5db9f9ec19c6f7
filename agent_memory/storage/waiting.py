"""Whether what is written now is only by the way: then it does not wait for others who write."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_by_the_way: ContextVar[bool] = ContextVar("agent_memory.by_the_way", default=False)


@contextmanager
def by_the_way() -> Iterator[None]:
    """Let the writes of this task give up at once, with StoreBusyError, where another process holds the store.

    For what a read writes beside its answer, such as the vectors of texts that are pending: it can be done later.
    """
    token = _by_the_way.set(True)
    try:
        yield
    finally:
        _by_the_way.reset(token)


def may_wait() -> bool:
    """Return whether a write of this task waits for others."""
    return not _by_the_way.get()
