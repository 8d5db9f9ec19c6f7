"""An event loop in a thread of its own, which other threads call into.

asyncio alone, though anyio's portal does the same: importing and starting that takes a tenth of a short command.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from typing import Generic, TypeVar

T = TypeVar("T")
_PATIENCE = 1.5
"""Seconds that somebody who interrupted a call waits for the memory to be closed. What is left goes on behind."""


class LoopStoppedError(RuntimeError):
    """The loop takes no calls any more."""


class Loop:
    """A loop that runs until it is stopped.

    Its thread is a daemon, so a program that forgets it can exit; and somebody who has pressed Ctrl-C does not wait
    for a text that is being embedded.
    """

    def __init__(self) -> None:
        self._process = os.getpid()
        self._interrupted = False
        self._stopped = False
        self._taking = threading.Lock()
        """Held while a call is handed over, so that none comes behind the last that the loop looks for."""
        self._tasks: set[asyncio.Task[None]] = set()
        """Those of the calls under way; only the loop's thread uses it."""
        started: Future[tuple[asyncio.AbstractEventLoop, asyncio.Future[None]]] = Future()
        self._thread = threading.Thread(
            target=_serve, args=(started, self._tasks), name="agent_memory", daemon=True
        )
        self._thread.start()
        self._loop, self._ended = started.result()

    @property
    def owned(self) -> bool:
        """Whether this process started it, rather than one that it was forked from."""
        return self._process == os.getpid()

    def call(self, call: Callable[[], Awaitable[T]]) -> T:
        """Run a coroutine to its end and return what it returns; who stops waiting, by Ctrl-C for one, cancels it.

        Returns:
            What it returns.

        Raises:
            LoopStoppedError: the loop has been stopped.
        """  # noqa: DOC501
        running = _Call(call, self._loop, self._tasks)
        try:
            self._hand_over(running.start)
            return running.result.result()
        except (KeyboardInterrupt, SystemExit, GeneratorExit):
            self._interrupted = True
            with suppress(LoopStoppedError):
                self._hand_over(running.cancel)
            raise

    def _hand_over(self, function: Callable[[], object], *, last: bool = False) -> None:
        """Have the loop call a function in the context of this thread; with `last`, it takes none afterwards."""
        with self._taking:
            if self._stopped:
                raise LoopStoppedError("the loop is not running")
            self._stopped = last
            try:
                self._loop.call_soon_threadsafe(function)
            except RuntimeError as error:  # something that it ran has ended it
                raise LoopStoppedError(str(error)) from error

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
        """Stop the loop after the calls that it has accepted, and wait for its thread."""
        with suppress(LoopStoppedError):
            self._hand_over(self._end_waiting, last=True)
        self._thread.join(_PATIENCE if self._interrupted else None)

    def _end_waiting(self) -> None:
        if not self._ended.done():
            self._ended.set_result(None)


class _Call(Generic[T]):
    """A call of another thread, from when it is handed over until it is done."""

    def __init__(
        self,
        call: Callable[[], Awaitable[T]],
        loop: asyncio.AbstractEventLoop,
        tasks: set[asyncio.Task[None]],
    ) -> None:
        self._call = call
        self._loop = loop
        self._tasks = tasks
        self._task: asyncio.Task[None] | None = None
        self.result: Future[T] = Future()

    def start(self) -> None:
        """Begin, in the loop's thread."""
        self._task = self._loop.create_task(self._run())
        self._tasks.add(self._task)
        self._task.add_done_callback(self._tasks.discard)

    def cancel(self) -> None:
        """Cancel what has begun, in the loop's thread."""
        if self._task is not None:
            self._task.cancel()

    async def _run(self) -> None:
        with suppress(InvalidStateError):  # nobody waits any more
            try:
                result = await self._call()
            except asyncio.CancelledError:
                self.result.cancel()
                raise
            except BaseException as error:
                self.result.set_exception(error)
                if not isinstance(error, Exception):
                    raise
            else:
                self.result.set_result(result)


def _serve(
    started: Future[tuple[asyncio.AbstractEventLoop, asyncio.Future[None]]], tasks: set[asyncio.Task[None]]
) -> None:
    async def serve() -> None:
        loop = asyncio.get_running_loop()
        ended = loop.create_future()
        started.set_result((loop, ended))
        await ended
        while tasks:
            await asyncio.wait(tuple(tasks))

    try:
        asyncio.run(serve())
    except BaseException as error:
        if not started.done():
            started.set_exception(error)
