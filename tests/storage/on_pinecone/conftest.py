"""The emulator, started once for all tests of a process."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from servers.pinecone import PineconeServer


@pytest.fixture(scope="session")
def emulator() -> Iterator[PineconeServer]:
    with PineconeServer() as server:
        yield server
