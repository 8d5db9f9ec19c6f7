"""What every test shares: the asyncio backend, and folders that are nobody's real memory."""

from __future__ import annotations

import gc
import os
import re
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from embeddings.wire import EmbeddingServer


# The tests start hundreds of interpreters, and each would compile all of the library again.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

IN_MEMORY = "/dev/shm"
"""Where Linux has a file system in memory."""


def _write_into_memory() -> None:
    """Make the temporary files of the tests in memory if it has 4 GB to spare: on a disk they would wait for it.

    All is removed at the end. Whoever sets TMPDIR decides.
    """
    if "TMPDIR" in os.environ or not os.access(IN_MEMORY, os.W_OK | os.X_OK):
        return
    there = os.statvfs(IN_MEMORY)
    if there.f_bavail * there.f_frsize >= 4 * 1024**3 and not there.f_flag & os.ST_NOEXEC:
        os.environ["TMPDIR"] = IN_MEMORY
        tempfile.tempdir = None  # is looked up anew


_write_into_memory()

TESTS = Path(__file__).parent
_numbers = count()
SERVERS = (
    *("storage/on_postgres", "storage/on_redis", "storage/on_chroma", "storage/on_pinecone"),
    *("storage/test_first_version.py", "cli/test_backends.py", "transfer/test_every_backend.py"),
)
"""What starts a database server."""
SLOW = (
    *("session", "hostile", "walk", "transfer", "cli/transfer", "cli/process", "cli/completion", "cli/warm"),
    "mcp_server",
    *("cli/test_budget_of_nouns.py", "cli/test_pipes.py", "cli/test_same_as_python.py", "cli/test_sql.py"),
    *("storage/test_documents.py", "storage/sqlite/test_conformance.py", "storage/sqlite/damage"),
    *("storage/sqlite/test_concurrency.py", "storage/sqlite/test_durability.py"),
    *("storage/sqlite/test_driver.py", "storage/sqlite/test_integrity.py", "storage/sqlite/test_schema.py"),
    *("storage/sqlite/test_migrations.py", "storage/sqlite/test_unwritable.py"),
    *("storage/sqlite/test_kept.py", "storage/sqlite/test_permissions.py"),
    *("embeddings/test_downloads.py", "embeddings/test_fastembed.py", "embeddings/test_local.py"),
    *("embeddings/test_multilingual.py", "embeddings/test_sharing.py", "embeddings/test_telemetry.py"),
    "embeddings/test_room.py",
    "memories/test_agents.py",
    *("recall/test_finding.py", "recall/test_frames.py", "recall/test_pending.py"),
    *("test_docs.py", "test_examples.py", "test_imports.py", "test_sqlite_utils_plugin.py"),
    *("test_sync.py", "test_wheel.py", "typing"),
)
"""What takes long: many processes, models, or the suite of a whole backend (the one in memory is quick)."""


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Import nothing of what `-m "not slow and not server"` leaves out anyway."""
    without = {word.removeprefix("not ") for word in config.option.markexpr.split(" and ") if "not " in word}
    return True if without & set(_markers(collection_path)) else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark tests by the folder or file that they stand in, so that `make check` can leave them out."""
    markers: dict[Path, list[str]] = {}
    for item in items:
        if item.path not in markers:
            markers[item.path] = _markers(item.path)
        for marker in markers[item.path]:
            item.add_marker(marker)


def pytest_collection_finish() -> None:
    """Take the thousands of tests out of what the garbage collector goes through again and again."""
    gc.collect()
    gc.freeze()


def _markers(path: Path) -> list[str]:
    where = path.relative_to(TESTS) if path.is_relative_to(TESTS) else path
    return [
        marker
        for marker, places in (("server", SERVERS), ("slow", SLOW))
        if any(where.is_relative_to(place) for place in places)
    ]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def in_zone(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """Put this process into another time zone."""

    def go(name: str) -> None:
        monkeypatch.setenv("TZ", name)
        time.tzset()

    yield go
    monkeypatch.undo()
    time.tzset()


def _folder(name: str, factory: pytest.TempPathFactory) -> Path:
    """Make a new folder; `mktemp` goes through all that there are, again for each of thousands of tests."""
    folder = factory.getbasetemp() / f"{name}{next(_numbers)}"
    folder.mkdir(mode=0o700)
    return folder


@pytest.fixture
def tmp_path(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return an empty folder that is named after the test, as pytest's own fixture does."""
    return _folder(re.sub(r"\W", "_", request.node.name)[:30], tmp_path_factory)


@pytest.fixture(autouse=True)
def private_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give each test a home of its own, so that no test can see or touch a person's memories."""
    home = _folder("home", tmp_path_factory)
    monkeypatch.setenv("AGENTMEM_HOME", str(home / "data"))
    monkeypatch.setenv("AGENTMEM_CACHE", str(home / "cache"))
    for name in ("AGENTMEM_AGENT", "AGENTMEM_DB", "AGENTMEM_SESSION", "AGENTMEM_BACKEND", "AGENTMEM_CONFIG"):
        monkeypatch.delenv(name, raising=False)
    return home


@pytest.fixture(scope="session")
def reranker_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the files of a cross-encoder that counts shared tokens."""
    from tiny_reranker import write_reranker_folder

    return write_reranker_folder(tmp_path_factory.mktemp("reranker"))


@pytest.fixture
def embedding_server() -> Iterator[EmbeddingServer]:
    """A server that speaks OpenAI's embeddings API, on this machine."""
    from embeddings.wire import EmbeddingServer

    with EmbeddingServer() as running:
        thread = threading.Thread(target=running.serve_forever, args=(0.01,))
        thread.start()
        yield running
        running.shutdown()
        thread.join()
