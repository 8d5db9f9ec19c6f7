"""The shipped suite: what every store must do."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from agent_memory.storage.base import Store
from agent_memory.storage.registry import create_store
from agent_memory.testing.store import StoreSuite


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class TestJsonFolderStore(StoreSuite):
    @pytest.fixture
    def store_factory(self, tmp_path: Path) -> Callable[[str], Store]:
        # By its name, as users get it: through the entry point.
        return lambda agent_id: create_store("json-folder", agent_id, {"path": str(tmp_path)})
