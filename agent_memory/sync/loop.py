"""An event loop in a thread of its own, which other threads call into."""

from __future__ import annotations

import os
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from contextlib import suppress
from typing import TypeVar

import anyio
from anyio.from_thread import BlockingPortal

T = TypeVar("T")
_PATIENCE = 1.5
"""Seconds that somebody who interrupted a call waits for the memory to be closed. What is left goes on behind."""


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
        running: Future[T] | None = None
        try:
            running = self._portal.start_task_soon(call)
            return running.result()
        except (KeyboardInterrupt, SystemExit, GeneratorExit):
            self._interrupted = True
            if running is not None:
                running.cancel()
            raise

    def end(self, last: Callable[[], Awaitable[object]]) -> None:
        """Run a last coroutine, and wait for the thread to end; not long after a call that was interrupted."""
        if not self._interrupted:
            self._end(last)
            return

        def ending() -> None:
            with suppress(Exception):  # nobody is there to hear of it
                self._end(last)

        behind = threading.Thread(target=ending, name="agent_memory ending", daemon=True)
        behind.start()
        behind.join(_PATIENCE)

    def _end(self, last: Callable[[], Awaitable[object]]) -> None:
        try:
            self.call(last)
        finally:
            self.stop()

    def stop(self) -> None:
        """Let the loop end, and wait for its thread."""
        with suppress(RuntimeError):  # it may have ended by itself
            self._portal.call(self._portal.stop, False)
        self._thread.join(_PATIENCE if self._interrupted else None)


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
