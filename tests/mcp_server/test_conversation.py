"""A conversation over stdin and stdout, line by line, in both eras of the protocol."""

from __future__ import annotations

import os
import sqlite3
import sys
from pathlib import Path
from typing import Any

import pytest
from mcp import Client, StdioServerParameters
from mcp_types import TextResourceContents

from tests.cli.running import done

from .raw import LATEST, STATELESS, Raw, envelope

TOOLS = ["recall", "search", "add", "update", "forget"]


@pytest.mark.parametrize("revision", ["2024-11-05", "2025-03-26", "2025-06-18", LATEST])
def test_a_client_with_a_handshake_gets_its_revision_the_tools_and_their_results(revision: str) -> None:
    with Raw() as server:
        assert server.begin(revision)["result"]["protocolVersion"] == revision
        listed = server.ask("tools/list")["result"]["tools"]
        assert [tool["name"] for tool in listed] == TOOLS
        said = server.call("add", content="The staging database runs in Oslo", tags=["ops"])
        id = said.removeprefix("stored ")
        assert "Oslo" in server.call("recall", query="where does the staging database run")
        assert f"{id}; fact; " in server.call("search", query="staging database")
        assert server.call("update", id=id, content="It runs in Bergen") == f"updated {id}"
        assert server.call("forget", id=id).endswith(f"agentmem restore {id}")
        assert server.end() == []
        assert server.process.returncode == 0


def test_a_client_without_handshake_sends_its_revision_with_each_request() -> None:
    with Raw() as server:
        found = server.ask("server/discover", {"_meta": envelope()})["result"]
        assert found["supportedVersions"] == [STATELESS]
        listed = server.ask("tools/list", {"_meta": envelope()})["result"]
        assert [tool["name"] for tool in listed["tools"]] == TOOLS
        assert listed["resultType"] == "complete"
        call = {"name": "add", "arguments": {"content": "tea is hot"}, "_meta": envelope()}
        assert server.ask("tools/call", call)["result"]["content"][0]["text"].startswith("stored ")
        refused = server.ask("initialize", {"protocolVersion": LATEST, "capabilities": {}})
        assert refused["error"]["code"] == -32022


def test_what_a_tool_stores_the_shell_finds_and_the_other_way_round() -> None:
    with Raw() as server:
        server.begin()
        id = server.call("add", content="tea is hot", key="tea").removeprefix("stored ")
        assert "tea is hot" in done("search", "tea").out
        done("add", "coffee is bitter")
        assert "coffee is bitter" in server.call("search", query="coffee")
        done("forget", id)
        assert "tea is hot" not in server.call("search", query="tea")
    assert "agentmem mcp" in done("log", "--json").out


def test_a_locked_file_is_an_error_in_words_and_the_conversation_goes_on() -> None:
    done("add", "the first")
    path = Path(os.environ["AGENTMEM_HOME"]) / "default.db"
    with Raw(environment={"AGENTMEM_BACKEND_CONFIG_BUSY_TIMEOUT": "0"}) as server:
        server.begin()
        with sqlite3.connect(path, isolation_level=None) as lock:
            lock.execute("begin exclusive")
            result = server.ask("tools/call", {"name": "add", "arguments": {"content": "the second"}})[
                "result"
            ]
            lock.execute("rollback")
        lock.close()
        assert result["isError"]
        assert "is locked by another process: try again; nothing was written" in result["content"][0]["text"]
        assert server.call("add", content="the third").startswith("stored ")
    listed = done("list").out
    assert "the third" in listed
    assert "the second" not in listed


@pytest.mark.anyio
@pytest.mark.parametrize("mode", ["auto", "legacy", STATELESS])
async def test_the_sdks_own_client_talks_to_the_program(mode: Any) -> None:
    words = ["-m", "agentmem_cli", "mcp"]
    parameters = StdioServerParameters(command=sys.executable, args=words, env=dict(os.environ))
    async with Client(parameters, mode=mode) as client:
        assert [tool.name for tool in (await client.list_tools()).tools] == TOOLS
        stored = await client.call_tool("add", {"content": "tea is hot"})
        assert not stored.is_error
        brief = (await client.read_resource("memory://brief")).contents[0]
        assert isinstance(brief, TextResourceContents)
        assert "tea is hot" in brief.text
