"""A process that may open no more files: what it says names the limit, and no folder or permission."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

_OPEN = """
import asyncio, os, resource, sys
from agent_memory import AgentMemory, BackendError, MemoryConfig

config = MemoryConfig(backend_config=dict(path=sys.argv[1]), embedding_provider="none")

async def store(fact):
    async with AgentMemory(None, config) as memory:
        await memory.long_term.store_fact(fact)

async def main():
    await store("imports what is needed, and makes the file")
    first = os.open(os.devnull, os.O_RDONLY)
    os.close(first)
    usual, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    for spare in range(8):
        resource.setrlimit(resource.RLIMIT_NOFILE, (first + spare, hard))
        try:
            await store(f"fact {spare}")
        except BackendError as error:
            print(error)
        except OSError as error:
            assert error.strerror == "Too many open files", error
    resource.setrlimit(resource.RLIMIT_NOFILE, (usual, hard))
    await store("one more")

asyncio.run(main())
"""


def test_says_that_too_many_files_are_open(tmp_path: Path) -> None:
    path = tmp_path / "memory.db"
    ran = subprocess.run(
        [sys.executable, "-c", _OPEN, str(path)], capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    assert set(ran.stdout.splitlines()) == {
        f"cannot open {path}: too many open files: close what is not needed, "
        "or raise the limit of open files: ulimit -n"
    }
