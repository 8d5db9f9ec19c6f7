"""Nothing that embeds keeps an identifier of this user, or events to be sent some day."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

_USES = {
    "the default embedder": (
        "import asyncio; from agent_memory.embeddings.registry import create_embedder\n"
        "embedder = create_embedder('local', {})\n"
        "async def main(): await embedder.prepare(); await embedder.embed_documents(['a heron stood there'])\n"
        "asyncio.run(main())"
    ),
    "what fastembed runs on": (
        "from agent_memory.embeddings.downloads import text_embedding\n"
        "text_embedding(); import onnxruntime; onnxruntime.SessionOptions()"
    ),
    "the command line": (
        "import sys; sys.argv = ['agentmem', 'recall', 'where did the heron stand?', '--rerank']\n"
        "from agentmem_cli.entry import main; main()"
    ),
}


@pytest.mark.parametrize("use", _USES)
def test_nothing_is_kept_in_the_home_folder(tmp_path: Path, use: str) -> None:
    home = tmp_path / "home"
    surroundings = {
        **{
            name: value for name, value in os.environ.items() if "TELEMETRY" not in name and "XDG" not in name
        },
        "HOME": str(home),
        "AGENTMEM_HOME": str(tmp_path / "memories"),
        "AGENTMEM_WARM": "0",
    }
    add = [sys.executable, "-m", "agentmem_cli", "add", "a heron stood there"]
    subprocess.run(add, env=surroundings, check=True, capture_output=True)
    subprocess.run([sys.executable, "-c", _USES[use]], env=surroundings, check=True, capture_output=True)
    kept = [path for path in home.rglob("*") if path.is_file() and "agentmem" not in path.parts]
    assert kept == []
