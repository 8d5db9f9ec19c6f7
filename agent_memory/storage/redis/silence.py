"""One timer for all answers of a connection: a timer for each of many takes longer than reading them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Final

DOUBTED: Final = 3.0
"""Seconds after which a server that has not answered a command is doubted: it may have been replaced meanwhile."""


class Silence:
    """How long a server has not answered; one answer at a time is waited for."""

    def __init__(self, doubt: Callable[[], Coroutine[Any, Any, None]], end: Callable[[], None]) -> None:
        """Keep what is to be done.

        Args:
            doubt: runs from `DOUBTED` on, as long as there is no answer.
            end: called once the time that `begin` was given is over.
        """
        self._doubt, self._end = doubt, end
        self._since: float | None = None
        self._limit: float | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._doubts: asyncio.Task[None] | None = None
        self.over = False
        """Whether the last answer that was waited for did not come in time."""

    @property
    def doubted(self) -> bool:
        """Whether the answer has kept waiting for so long that the server is doubted."""
        return self._doubts is not None

    def begin(self, limit: float | None) -> None:
        """Begin to wait for an answer, so many seconds at most."""
        loop = asyncio.get_running_loop()
        self._since, self._limit, self.over = loop.time(), limit, False
        if self._timer is None:
            self._timer = loop.call_later(DOUBTED if limit is None else min(DOUBTED, limit), self._look)

    def end(self) -> None:
        """Note that nothing is waited for. The timer goes on to its next look: more is asked soon, most likely."""
        self._since = None
        if self._doubts is not None:
            self._doubts.cancel()
            self._doubts = None

    def stop(self) -> None:
        """End the timer: the connection is closed."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look(self) -> None:
        """See how long there has been no answer, and look again when that begins to matter."""
        self._timer = None
        if self._since is None:
            return
        loop = asyncio.get_running_loop()
        waited = loop.time() - self._since
        limit = float("inf") if self._limit is None else self._limit
        if waited >= limit:
            self.over = True
            self._end()
            return
        if waited >= DOUBTED and self._doubts is None:
            self._doubts = loop.create_task(self._doubt())
        following = limit if self._doubts is not None else min(DOUBTED, limit)
        if following < float("inf"):
            self._timer = loop.call_later(following - waited, self._look)
