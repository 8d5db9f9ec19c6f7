"""Where a process may not take the memory that a model needs, it says so and goes on without."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("resource")
SCRIPT = """
import resource, sys
from agent_memory import EmbeddingError, MemoryConfig, SyncAgentMemory
resource.setrlimit(resource.RLIMIT_AS, (int(sys.argv[2]) << 20, resource.RLIM_INFINITY))
with SyncAgentMemory(config=MemoryConfig(backend_config={"path": sys.argv[1]})) as memory:
    memory.long_term.add("User prefers dark mode")
    found = memory.search("dark")
    assert len(found) == 1
    print(*found.notices)
    try:
        memory.search("dark", mode="vector")
    except EmbeddingError as error:
        print(error)
    print(memory.get_status()["owed_embeddings"])
"""


@pytest.mark.skipif(sys.platform != "linux", reason="nobody says how much is taken already")
@pytest.mark.parametrize("megabytes", [220, 300, 450])
def test_too_little_memory_is_said_and_words_still_find(tmp_path: Path, megabytes: int) -> None:
    arguments = [sys.executable, "-c", SCRIPT, str(tmp_path / "a.db"), str(megabytes)]
    result = subprocess.run(arguments, capture_output=True, text=True, timeout=120)
    assert result.returncode == 0, result.stderr
    assert result.stderr.count("\n") <= 1  # the notice, once more as a warning, and nothing of an engine's
    notice, error, pending = result.stdout.splitlines()
    assert "searched by words only: the model takes about" in notice
    assert "ulimit -v" in error
    assert pending == "1"
    # With more room, what is owed is embedded as ever.
    result = subprocess.run([*arguments[:-1], "8000"], capture_output=True, text=True, timeout=120)
    assert result.stdout.splitlines() == ["", "0"]
