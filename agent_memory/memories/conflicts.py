"""Doing anew what somebody else was faster with."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final, TypeVar

from agent_memory.errors import ConflictError

T = TypeVar("T")
ATTEMPTS: Final = 20
"""How often a change is made on what somebody else wrote meanwhile, before ConflictError goes up."""


async def retried(change: Callable[[], Awaitable[T]]) -> T:
    """Read something and change it; anew where somebody else has changed it meanwhile.

    Args:
        change: reads, and writes at once or not at all.

    Returns:
        What `change` returns.

    Raises:
        ConflictError: others were faster twenty times.
    """
    for _ in range(ATTEMPTS - 1):
        with suppress(ConflictError):
            return await change()
    return await change()
