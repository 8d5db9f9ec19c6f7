"""One thread per connection, and a whole unit of work at a time.

A coroutine hands over a plain function of the connection and waits. A cancelled wait does not stop a function that
has begun: it runs to its end before the next one begins, so two never meet in one connection.
"""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Callable
from contextlib import suppress
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    import asyncio

    from agent_memory.storage.sqlite.driver import Connection

T = TypeVar("T")
_PATIENCE = 2.0  # seconds that the interpreter's exit waits for a write that has begun
_Queue = SimpleQueue["Callable[[list[Connection]], None] | None"]


class Worker:
    """A daemon thread that owns a connection and runs functions of it in the order they were handed over.

    A forgotten `close` neither keeps the interpreter from exiting nor leaves the connection open.
    """

    def __init__(self, name: str) -> None:
        self._queue: _Queue = SimpleQueue()
        self._thread = threading.Thread(target=_work, args=(self._queue,), name=name, daemon=True)
        self._thread.start()
        self._end = weakref.finalize(self, _end, self._queue, self._thread, os.getpid())

    async def open(self, connect: Callable[[], tuple[Connection, T]]) -> T:
        """Connect in the thread and return what `connect` returned beside the connection."""

        def opening(connections: list[Connection]) -> T:
            connection, beside = connect()
            connections.append(connection)
            return beside

        return await self._hand_over(opening)

    async def run(self, function: Callable[[Connection], T]) -> T:
        """Run a function of the connection in the thread and return what it returns."""
        return await self._hand_over(lambda connections: function(connections[0]))

    async def _hand_over(self, function: Callable[[list[Connection]], T]) -> T:
        import asyncio

        loop = asyncio.get_running_loop()
        waiting: asyncio.Future[T] = loop.create_future()

        def deliver(result: T | None, error: BaseException | None) -> None:
            if waiting.done():
                return
            if error is not None:
                waiting.set_exception(error)
            else:
                waiting.set_result(result)  # type: ignore[arg-type]

        def task(connections: list[Connection]) -> None:
            if waiting.cancelled():
                return  # nobody waits for it any more, and it has not begun
            result, failure = None, None
            try:
                result = function(connections)
            except BaseException as error:
                failure = error
            with suppress(RuntimeError):  # the loop was closed meanwhile
                loop.call_soon_threadsafe(deliver, result, failure)

        self._queue.put(task)
        return await waiting

    async def close(self, last: Callable[[Connection], T] | None = None) -> T | None:
        """Close the connection behind everything that was handed over, and let the thread end.

        Args:
            last: a function of the connection, called right before.

        Returns:
            What that function returned; None without one, and where the connection is closed already.
        """
        if not self._end.alive:
            return None  # the interpreter is exiting, and the thread has closed the connection already

        def closing(connections: list[Connection]) -> T | None:
            try:
                return last(connections[0]) if last is not None and connections else None
            finally:
                while connections:
                    connections.pop().close()

        try:
            return await self._hand_over(closing)
        finally:
            if self._end.detach() is not None:
                self._queue.put(None)


def _work(queue: _Queue) -> None:
    connections: list[Any] = []
    while (task := queue.get()) is not None:
        task(connections)
        del task  # or the last one's results would live until the next
    while connections:
        connections.pop().close()


def _end(queue: _Queue, thread: threading.Thread, process: int) -> None:
    if os.getpid() != process:
        return  # in a forked child there is no such thread, and the connection is the parent's
    queue.put(None)
    if thread is not threading.current_thread():
        thread.join(_PATIENCE)
