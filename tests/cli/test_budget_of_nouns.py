from __future__ import annotations

import os
import subprocess
import sys

import pytest

HEAVY = (
    "numpy",
    "onnxruntime",
    "tokenizers",
    "fastembed",
    "huggingface_hub",
    "httpx",
    "requests",
    "sqlite_utils",
)
PROGRAM = f"""
import atexit, sys
from agentmem_cli import entry

def tell():
    found = [name for name in {(*HEAVY, "pydantic", "rich")!r} if name in sys.modules]
    print(found, file=sys.stderr, flush=True)

atexit.register(tell)
entry.main()
"""


@pytest.mark.cold
@pytest.mark.parametrize(
    "line",
    [
        "work set a b",
        "work list",
        "fact add one",
        "fact list",
        "pref set a b",
        "pref list",
        "chat add user hello",
        "chat show",
        "chat list",
        "event add something",
        "event recent",
        "skill add s how",
        "skill list",
        "doc list",
        "status",
        "stats",
        "agents list",
        "model list",
        "config show",
        "version --json",
        "completion bash",
    ],
)
def test_nothing_heavy_is_loaded(line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each in a fresh interpreter, with the real default embedder, on a missing file or a present one."""
    monkeypatch.delenv("AGENTMEM_EMBEDDING_PROVIDER")

    def loaded(*words: str) -> str:
        ran = subprocess.run(
            [sys.executable, "-c", PROGRAM, *words, "-q"],
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ},
        )
        assert ran.returncode == 0, ran.stderr
        return ran.stderr.splitlines()[-1]

    if line.startswith("chat show"):
        loaded("chat", "add", "user", "hello")
    assert loaded(*line.split()) == "[]"
    assert loaded(*line.split()) == "[]"
