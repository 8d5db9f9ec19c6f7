"""The blocking face of `Batch`."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from agent_memory.memories.batch import Batch
from agent_memory.storage.changes import Written
from agent_memory.sync.blocking import Owner


class SyncBatch:
    """Writes of one thread that are collected and committed together."""

    def __init__(self, delegate: Batch, owner: Owner) -> None:
        self._delegate = delegate
        self._owner = owner

    @property
    def written(self) -> list[Written]:
        """What came of the changes, once they are committed."""
        return self._delegate.written

    def __enter__(self) -> Self:
        self._delegate.enter()  # in this thread: each call takes its context along into the loop
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._delegate.leave()
        if kind is None:
            self._owner.run(self._delegate.commit)
