"""The emulator, started once for all tests of a process."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from servers.pinecone import PineconeServer
from servers.tls import Authority


@pytest.fixture(scope="session")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PineconeServer]:
    # The SDK reads the list of all authorities twice for each store, which takes longer than most tests. The
    # emulator is reached without TLS, so a list of one does.
    authority = Authority(tmp_path_factory.mktemp("pinecone") / "authority")
    with pytest.MonkeyPatch.context() as environment, PineconeServer() as server:
        environment.setenv("SSL_CERT_FILE", str(authority.file))
        yield server
