"""How long a command is tried again while a server fails over to another one."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeVar

from redis import exceptions
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from agent_memory.storage.redis.routing import NobodyAnswersError, WrongUrlError

T = TypeVar("T")

SECONDS: Final = 8.0
"""From the first failure of a command on. With what the last attempt takes, nobody waits for ten seconds."""
_FIRST, _LONGEST = 0.02, 0.5
_FORGOTTEN: Final = 5.0
"""Seconds without a failure after which the next one counts as the first."""
_TRANSIENT: Final = (exceptions.ConnectionError, exceptions.TimeoutError)
_LASTING: Final = (
    exceptions.AuthenticationError,
    exceptions.AuthorizationError,
    exceptions.MaxConnectionsError,
    NobodyAnswersError,
    WrongUrlError,
)


class Patience(Retry):
    """Tries again by time, not by number; of nested uses by one connection the outermost alone tries again."""

    def __init__(self, seconds: float = SECONDS) -> None:
        super().__init__(NoBackoff(), 1, _TRANSIENT)
        self._seconds = seconds
        self._nested = False

    async def call_with_retry(
        self,
        do: Callable[[], Awaitable[T]],
        fail: Callable[..., Any],
        is_retryable: Callable[[Exception], bool] | None = None,
        with_failure_count: bool = False,
    ) -> T:
        """Call `do`, and after each failure `fail`, until it succeeds or the time is over.

        Args:
            do: what is tried.
            fail: what makes the connection ready for the next attempt.
            is_retryable: whether an error is worth another attempt.
            with_failure_count: whether `fail` is also given how often it failed.

        Returns:
            What `do` returns.
        """
        outermost, self._nested = not self._nested, True
        clock = asyncio.get_running_loop().time
        began, ends = clock(), 0.0
        failures = 0
        try:
            while True:
                try:
                    return await do()
                except _TRANSIENT as error:
                    if is_retryable is not None and not is_retryable(error):
                        raise
                    failures += 1
                    await (fail(error, failures) if with_failure_count else fail(error))
                    # A command may take long; waiting in vain for its answer is part of the time.
                    first = began if isinstance(error, exceptions.TimeoutError) else clock()
                    ends = ends or first + self._seconds
                    pause = min(_LONGEST, _FIRST * 2**failures)
                    if not outermost or lasting(error) or clock() + pause > ends:
                        raise
                await asyncio.sleep(pause)
        finally:
            if outermost:
                self._nested = False


def lasting(error: BaseException) -> bool:
    """Return whether an error stays, however often it is tried again."""
    return isinstance(error, _LASTING) or isinstance(error.__cause__, _LASTING)


class Outage:
    """How long writes have been failing by now, over several attempts at them."""

    def __init__(self, seconds: float = SECONDS) -> None:
        self._seconds = seconds
        self._began = self._last = float("-inf")

    def lasts(self) -> bool:
        """Note a failure, and return whether they have gone on for too long."""
        now = asyncio.get_running_loop().time()
        if now - self._last > _FORGOTTEN:
            self._began = now
        self._last = now
        return now - self._began > self._seconds
