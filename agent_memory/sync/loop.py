"""An event loop in a thread of its own, which other threads call into."""

from __future__ import annotations

import os
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import CancelledError, Future
from concurrent.futures import TimeoutError as NotYet
from contextlib import suppress
from typing import TypeVar

import anyio
from anyio.from_thread import BlockingPortal

T = TypeVar("T")
_PATIENCE = 0.8
"""Seconds that somebody who interrupted a call waits, for the store to close and then for the thread to end."""


class Loop:
    """A loop that runs until it is stopped.

    Its thread is a daemon, so a program that forgets it can exit. anyio's own `start_blocking_portal` joins its
    thread without an end, and somebody who has pressed Ctrl-C does not wait for a text that is being embedded.
    """

    def __init__(self) -> None:
        self._process = os.getpid()
        self._interrupted = False
        started: Future[BlockingPortal] = Future()
        self._thread = threading.Thread(target=_serve, args=(started,), name="agent_memory", daemon=True)
        self._thread.start()
        self._portal = started.result()

    @property
    def owned(self) -> bool:
        """Whether this process started it, rather than one that it was forked from."""
        return self._process == os.getpid()

    def call(self, call: Callable[[], Awaitable[T]]) -> T:
        """Run a coroutine to its end and return what it returns; who stops waiting, by Ctrl-C for one, cancels it."""
        running: Future[T] = self._portal.start_task_soon(call)
        try:
            return running.result()
        except BaseException:
            if not running.done():
                self._interrupted = True
                running.cancel()
            raise

    def finish(self, call: Callable[[], Awaitable[object]]) -> None:
        """Run a last coroutine. After a call that was interrupted, leave it behind where it takes long."""
        if not self._interrupted:
            self.call(call)
            return
        with suppress(NotYet, CancelledError):
            self._portal.start_task_soon(call).result(_PATIENCE)

    def stop(self) -> None:
        """Let the loop end, and wait for its thread; not long after a call that was interrupted."""
        patience = _PATIENCE if self._interrupted else None
        with suppress(RuntimeError, NotYet, CancelledError):  # it may have ended by itself
            self._portal.start_task_soon(self._portal.stop, False).result(patience)
        self._thread.join(patience)


def _serve(started: Future[BlockingPortal]) -> None:
    async def serve() -> None:
        async with BlockingPortal() as portal:
            started.set_result(portal)
            await portal.sleep_until_stopped()

    try:
        anyio.run(serve)
    except BaseException as error:
        if not started.done():
            started.set_exception(error)
