"""The server, started once for all tests of a process."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from servers.chroma import ChromaServer


@pytest.fixture(scope="session")
def chroma_server() -> Iterator[ChromaServer]:
    with ChromaServer() as server:
        yield server
