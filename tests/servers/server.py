"""What all servers of the tests have in common: they start and stop as context managers."""

from __future__ import annotations

from types import TracebackType
from typing import Self


class Server:
    """A process, or several, that run within `with`; nothing stays where starting failed."""

    def start(self) -> Self:
        """Start it and wait until it answers."""
        raise NotImplementedError

    def stop(self) -> None:
        """Stop it and delete its data. Idempotent."""
        raise NotImplementedError

    def __enter__(self) -> Self:
        try:
            return self.start()
        except BaseException:
            self.stop()
            raise

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
