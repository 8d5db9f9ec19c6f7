"""What a killed export leaves behind is swept by the next one, and nothing else is."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from agent_memory import MemoryConfig, SyncAgentMemory

CONFIG = MemoryConfig(backend="memory", embedding_provider="none")
_EXPORT = """
import sys, time
from agent_memory import MemoryConfig, SyncAgentMemory

with SyncAgentMemory("t", MemoryConfig(backend="memory", embedding_provider="none")) as memory:
    memory.long_term.add_many([f"fact {n} " + "x" * 900 for n in range(2000)])
    def report(done, total):
        print("under way", flush=True)
        time.sleep(60)
    memory.export_to(sys.argv[1], progress=report)
"""


def _begun(target: Path) -> subprocess.Popen[str]:
    child = subprocess.Popen([sys.executable, "-c", _EXPORT, str(target)], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    assert child.stdout.readline() == "under way\n"
    return child


@pytest.mark.skipif(sys.platform == "win32", reason="has no such signal")
def test_drafts_of_killed_exports_are_swept_and_others_stay(tmp_path: Path) -> None:
    child, other = _begun(tmp_path / "a.ndjson"), _begun(tmp_path / "b.ndjson")
    try:
        child.send_signal(signal.SIGKILL)
        child.wait()
        foreign = tmp_path / ".video.mp4.abcd1234.part"
        foreign.write_bytes(b"somebody else's download")
        new, old = tmp_path / ".c.ndjson.aaaa1111.part", tmp_path / ".c.ndjson.bbbb2222.part"
        for item in (new, old):
            item.touch()
        os.utime(old, (time.time() - 3600,) * 2)
        partial_files = set(tmp_path.glob(".?.ndjson.*.part"))
        assert len(partial_files) == 4
        with SyncAgentMemory("t", CONFIG) as memory:
            memory.export_to(tmp_path / "c.ndjson")
        assert other.poll() is None
        left = {path.name for path in tmp_path.iterdir()}
        assert {entry[:10] for entry in left} == {".b.ndjson.", ".c.ndjson.", ".video.mp4", "c.ndjson"}
        assert new.exists()
        assert not old.exists()
    finally:
        for each_child in (child, other):
            each_child.kill()
            each_child.wait()
            assert each_child.stdout is not None
            each_child.stdout.close()
