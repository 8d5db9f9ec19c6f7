"""What each host is given: read back as the host reads it, it starts this program with this memory."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path

import pytest
from cli.running import done, run

from agentmem_mcp.hosts import Host, entry
from agentmem_mcp.hosts.server import Server, this_server

PROGRAM = "/opt/agent's tools/bin/agentmem"
SERVER = Server(
    PROGRAM,
    ["mcp", "--agent", 'the "one" \\ ü', "--read-only"],
    {"AGENTMEM_HOME": "/srv/what's here"},
)


def in_json(host: str, server: Server, *path: str) -> dict[str, object]:
    value = json.loads(entry(host, server).text)
    for name in path:
        assert list(value) == [name]
        value = value[name]
    return value  # type: ignore[no-any-return]


@pytest.mark.parametrize("host", ["cursor", "windsurf"])
def test_editors_are_given_a_file(host: str) -> None:
    value = in_json(host, SERVER, "mcpServers", "agentmem")
    assert value == {
        "command": PROGRAM,
        "args": list(SERVER.arguments),
        "env": dict(SERVER.variables),
    }


def test_zed_is_given_settings() -> None:
    assert in_json("zed", SERVER, "context_servers", "agentmem")["command"] == PROGRAM


def test_opencode_is_given_one_list_and_its_own_names() -> None:
    assert in_json("opencode", SERVER, "mcp", "agentmem") == {
        "type": "local",
        "command": [PROGRAM, *SERVER.arguments],
        "enabled": True,
        "environment": dict(SERVER.variables),
    }


def test_codex_is_given_a_table_and_waits_for_the_server() -> None:
    value = tomllib.loads(entry("codex", SERVER).text)
    assert value == {
        "mcp_servers": {
            "agentmem": {
                "command": PROGRAM,
                "args": list(SERVER.arguments),
                "env": dict(SERVER.variables),
                "required": True,
            }
        }
    }


def test_claude_is_given_a_command_that_shows_the_tools_at_once() -> None:
    words = shlex.split(entry("claude", SERVER).text)
    assert words[:6] == ["claude", "mcp", "add-json", "-s", "user", "agentmem"]
    assert json.loads(words[6]) == {
        "type": "stdio",
        "alwaysLoad": True,
        "command": PROGRAM,
        "args": list(SERVER.arguments),
        "env": dict(SERVER.variables),
    }


def test_gemini_is_given_a_command_that_trusts_nothing() -> None:
    words = shlex.split(entry("gemini", SERVER).text)
    assert words == [
        *("gemini", "mcp", "add", "-s", "user"),
        *("-e", "AGENTMEM_HOME=/srv/what's here", "agentmem", PROGRAM, *SERVER.arguments),
    ]
    assert any('"trust": true' in note for note in entry("gemini", SERVER).notes)


def test_copilot_is_given_a_command() -> None:
    words = shlex.split(entry("copilot", SERVER).text)
    assert words == [
        *("copilot", "mcp", "add", "agentmem", "--env", "AGENTMEM_HOME=/srv/what's here", "--"),
        *(PROGRAM, *SERVER.arguments),
    ]


@pytest.mark.parametrize("host", Host)
def test_an_empty_environment_leaves_no_trace(host: str) -> None:
    made = entry(host, Server("/x/agentmem", ["mcp"]))
    assert "env" not in made.text
    assert made.where
    assert all(note.strip() == note for note in made.notes)


def words(environment: Mapping[str, str] | None = None, **options: object) -> list[str]:
    return this_server(program="/x/agentmem", environment=environment or {}, **options).words  # type: ignore[arg-type]


def test_the_options_are_passed_on() -> None:
    assert words() == ["/x/agentmem", "mcp"]
    assert words(agent="one", read_only=True) == ["/x/agentmem", "mcp", "--agent", "one", "--read-only"]
    assert words(tools=("recall", "search"), offline=True)[2:] == ["--tools", "recall,search", "--offline"]
    assert words(backend="redis://localhost")[2:] == ["--backend", "redis://localhost"]


def test_a_file_is_meant_from_where_the_user_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert words(db="notes.db")[2:] == ["--db", str(tmp_path / "notes.db")]
    assert words(db="~/notes.db")[2:] == ["--db", str(Path.home() / "notes.db")]
    assert words(db=":memory:")[2:] == ["--db", ":memory:"]


def test_the_variables_that_say_which_memory_it_is_are_repeated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    surroundings = {
        "AGENTMEM_HOME": "store",
        "AGENTMEM_AGENT": "one",
        "XDG_DATA_HOME": "/data",
        "AGENTMEM_SESSION": "s1",
        "PATH": "/bin",
    }
    server = this_server(environment=surroundings, program="/x/agentmem")
    assert server.variables == {
        "AGENTMEM_HOME": str(tmp_path / "store"),
        "AGENTMEM_AGENT": "one",
        "XDG_DATA_HOME": "/data",
    }
    assert not server.left_out
    assert "AGENTMEM_AGENT" not in this_server(agent="two", environment=surroundings).variables


def test_a_variable_that_may_hold_a_password_is_named_and_not_repeated() -> None:
    surroundings = {"AGENTMEM_BACKEND": "postgresql://me:secret@host/db", "AGENTMEM_OUTPUT": "json"}
    server = this_server(environment=surroundings)
    assert server.left_out == ["AGENTMEM_BACKEND"]
    for host in Host:
        assert "secret" not in str(entry(host, server))
    assert not this_server(backend="sqlite", environment=surroundings).left_out


def test_the_program_is_named_so_that_it_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def named(program: str) -> list[str]:
        return list(this_server(program=program, environment={}).words)

    target, link = tmp_path / "venv" / "agentmem", tmp_path / "agentmem"
    target.parent.mkdir()
    target.touch()
    link.symlink_to(target)
    assert named(str(link)) == [str(link), "mcp"], "the link stays where it is"
    assert named("/usr/local/bin/agentmem") == ["agentmem", "mcp"], "every program finds that"
    monkeypatch.chdir(tmp_path)
    assert named("./agentmem") == [str(link), "mcp"]
    (started,) = {tuple(named(name)) for name in ("agentmem", "/y/agentmem_cli/__main__.py")}
    ran = subprocess.run([*started[:-1], "version"], capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    monkeypatch.setattr(sys, "executable", str(tmp_path / "elsewhere" / "python"))
    monkeypatch.setenv("PATH", str(tmp_path / "none"))
    assert named("agentmem") == [sys.executable, "-m", "agentmem_cli", "mcp"]


def test_the_command_prints_what_can_be_redirected_and_tells_where_it_goes() -> None:
    ran = done("-a", "one", "mcp", "--print", "codex", "--read-only")
    value = tomllib.loads(ran.out)["mcp_servers"]["agentmem"]
    assert value["args"][-4:] == ["mcp", "--agent", "one", "--read-only"]
    assert "config.toml" in ran.err
    assert done("mcp", "--print", "codex", "-q").err == ""
    for host in Host:
        assert done("mcp", "--print", host, "--tools", "recall").out


def test_the_command_says_what_the_entry_leaves_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AGENTMEM_BACKEND", "redis://:hush@localhost")
    ran = done("mcp", "--print", "claude")
    assert "hush" not in ran.out + ran.err
    assert "AGENTMEM_BACKEND" in ran.err
    assert "password of --backend" not in ran.err
    assert "password of --backend" in done("--backend", "redis://:hush@h", "mcp", "--print", "zed").err


def test_the_command_knows_the_names_of_hosts_and_tools() -> None:
    ran = run("mcp", "--print", "emacs")
    assert ran.code == 2
    assert "windsurf" in ran.err
    assert run("mcp", "--print", "zed", "--tools", "recal").code == 2
