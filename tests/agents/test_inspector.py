"""The protocol's own inspector reads the tools, calls them and reads the resource."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import pytest

from .conftest import FOLDER

PACKAGE: Final = "@modelcontextprotocol/inspector"
VERSION: Final = "0.15.0"
"""The last one that runs on Node 20."""


@pytest.fixture(scope="session")
def inspector() -> Path:
    """The program, installed by npm where the agents are."""
    folder = FOLDER.resolve() / "inspector"
    about = folder / "node_modules" / PACKAGE / "package.json"
    if not about.is_file() or json.loads(about.read_text())["version"] != VERSION:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        npm = ["npm", "install", "--no-audit", "--no-fund", "--loglevel=error", "--ignore-scripts"]
        subprocess.run([*npm, "--prefix", str(folder), f"{PACKAGE}@{VERSION}"], check=True)
    return folder / "node_modules" / ".bin" / "mcp-inspector"


def test_the_inspector_finds_nothing_wrong(inspector: Path, private_home: Path) -> None:
    def asked(method: str, *more: str) -> Any:
        server = [str(Path(sys.executable).parent / "agentmem"), "mcp"]
        done = subprocess.run(
            [inspector, "--cli", *server, "--method", method, *more],
            env={**os.environ, "AGENTMEM_EMBEDDING_PROVIDER": "none"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def called(tool: str, **arguments: str) -> str:
        given = [word for name, value in arguments.items() for word in ("--tool-arg", f"{name}={value}")]
        result = asked("tools/call", "--tool-name", tool, *given)
        assert not result["isError"]
        return str(result["content"][0]["text"])

    tools = asked("tools/list")["tools"]
    assert [tool["name"] for tool in tools] == ["recall", "search", "add", "update", "forget"]
    assert all(tool["inputSchema"]["type"] == "object" for tool in tools)
    id = called("add", content="tea is hot", importance="0.9").removeprefix("stored ")
    assert "tea is hot" in called("search", query="tea", limit="2")
    assert "tea is hot" in called("recall", query="tea")
    (resource,) = asked("resources/list")["resources"]
    assert "tea is hot" in asked("resources/read", "--uri", resource["uri"])["contents"][0]["text"]
    assert called("forget", id=id).startswith("archived 1 memory")
