"""One thread per connection, and a whole unit of work at a time.

A coroutine hands over a plain function of the connection and waits. A cancelled wait does not stop the function:
it runs to its end before the next one begins, so two never meet in one connection.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from queue import SimpleQueue
from typing import Any, TypeVar

T = TypeVar("T")


class Worker:
    """A daemon thread that runs functions in the order in which they were handed over."""

    def __init__(self, name: str) -> None:
        self._queue: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        # A daemon, so that a forgotten close does not keep the interpreter from exiting. SQLite rolls back what
        # was not committed, as after a kill.
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)
        self._thread.start()

    def _work(self) -> None:
        while (task := self._queue.get()) is not None:
            task()
            del task  # or the last one's results would live until the next

    async def run(self, function: Callable[[], T]) -> T:
        """Run a function in the thread and return what it returns."""
        loop = asyncio.get_running_loop()
        waiting: asyncio.Future[T] = loop.create_future()

        def deliver(method: Callable[[Any], None], value: Any) -> None:
            if not waiting.done():
                method(value)

        def task() -> None:
            try:
                method, value = waiting.set_result, function()
            except BaseException as error:
                method, value = waiting.set_exception, error  # type: ignore[assignment]
            with suppress(RuntimeError):  # the loop was closed meanwhile: nobody waits any more
                loop.call_soon_threadsafe(deliver, method, value)

        self._queue.put(task)
        return await waiting

    def stop(self) -> None:
        """Let the thread end after what was handed over."""
        self._queue.put(None)
