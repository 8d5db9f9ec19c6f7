"""What stands in the place of a client once its store is closed."""

from __future__ import annotations

from typing import Any

from agent_memory.errors import ClosedError


class ClosedClient:
    """Refuses whatever is asked of it, also in the middle of a call that began before the store was closed."""

    def __init__(self, store: str) -> None:
        self._store = store

    def __getattr__(self, name: str) -> Any:
        raise ClosedError(f"the {self._store} store")
