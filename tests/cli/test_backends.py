"""The command line on backends that are servers: the same commands, and what is said when one is not there."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from servers.pinecone import PineconeServer
from servers.ports import free_port
from servers.postgres import PostgresServer
from servers.redis import RedisServer, valkey

from agent_memory import paths

from .running import done, run

pytestmark = [
    # What Chroma's client itself warns of.
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]


@pytest.fixture(scope="module")
def postgres() -> Iterator[PostgresServer]:
    with PostgresServer(password="right-one") as server:
        yield server


@pytest.fixture(scope="module")
def redis() -> Iterator[RedisServer]:
    with valkey(password="right-one") as server:
        yield server


@pytest.fixture(params=["postgres", "redis", "chroma", "pinecone"])
def url(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    if request.param == "chroma":
        yield f"chroma://{tmp_path}"
    elif request.param == "pinecone":
        with PineconeServer() as server:
            monkeypatch.setenv("PINECONE_API_KEY", server.api_key)
            monkeypatch.setenv("PINECONE_CONTROLLER_HOST", server.host)
            yield "pinecone://memories"
    else:
        yield request.getfixturevalue(request.param).url


def test_every_day(url: str) -> None:
    agent = f"agent-{free_port()}"
    on = ("-a", agent, "--backend", url)
    one = done(*on, "add", "Ada prefers tea", "--tag", "drink").out.strip()
    done(*on, "event", "add", "The kettle broke")
    assert done(*on, "list", "-o", "id").lines[-1] == one
    found = done(*on, "search", "Ada prefers tea", "--limit", "1", "--json").json
    assert [result["id"] for result in found] == [one]
    assert done(*on, "status", "--json").json["memories"] == 2
    told = done(*on, "doctor", "--isolation", "--json").json
    assert (told["faults"], told["leaks"]) == ([], [])
    done(*on, "forget", one)
    assert done(*on, "list", "-o", "id").lines != []
    assert done(*on, "restore", one).code == 0
    assert "right-one" not in done(*on, "status").out + done(*on, "config", "show").out
    listed = run(*on, "agents", "list", "-o", "id")
    if "pinecone" in url:
        assert (listed.code, "the pinecone backend has no list of agents" in listed.err) == (2, True)
    else:
        assert agent in listed.lines


def test_an_agent_is_moved_to_a_server_and_back(postgres: PostgresServer, redis: RedisServer) -> None:
    done("-a", "mover", "add", "one")
    assert done("-a", "mover", "migrate", "--to", redis.url, "--switch", "--json").json["verified"] == 1
    refused = run("-a", "mover", "add", "two")
    assert refused.code == 1
    assert "was moved to redis://" in refused.err
    assert "right-one" not in refused.err
    on = ("--from", redis.url, "--agents", "mov*")
    (moved,) = done("migrate", *on, "--to", postgres.url, "--switch", "--json").json
    assert (moved["agent"], moved["added"], moved["problem"]) == ("mover", 1, None)
    assert "was moved to postgresql://" in run("-a", "mover", "--backend", redis.url, "add", "two").err
    done("-a", "mover", "--backend", postgres.url, "add", "two")
    done("-a", "mover", "migrate", "--reopen")
    back = ("migrate", "--from", postgres.url, "--to", f"sqlite://{paths.database('mover')}", "--switch")
    assert done("-a", "mover", *back, "--json").json["added"] == 1
    assert len(done("-a", "mover", "list", "-o", "id").lines) == 2


def test_what_a_backend_lacks_is_refused_by_name(tmp_path: Path) -> None:
    on = ("--backend", f"chroma://{tmp_path}")
    done(*on, "add", "Ada prefers tea")
    for command in (("search", "tea", "--mode", "keyword"), ("log",), ("undo",)):
        ran = run(*on, *command)
        assert ran.code == 2
        assert "the chroma backend has no" in ran.err
    assert "no words, this backend has no full text" in done(*on, "status").out
    assert "chroma has no full text: scored by meaning alone" in done(*on, "search", "tea", "--explain").out


def test_a_command_reads_from_replicas_only_if_it_names_them(
    postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"{postgres.url}?read_url={quote(postgres.url, safe='')}"
    monkeypatch.setenv("AGENTMEM_BACKEND", url)
    assert done("status", "--json").json["reads_from"] is None
    told = done("--backend", url, "status", "--json")
    assert told.json["reads_from"].startswith("postgresql://postgres:***@127.0.0.1")
    assert "right-one" not in told.out + told.err
    assert "right-one" not in done("config", "show").out


def test_doctor_says_what_a_write_survives_on_a_server(postgres: PostgresServer) -> None:
    on = ("--backend", postgres.url)
    told = done(*on, "doctor", "--json").json["durability"]
    assert told["settings"]["fsync"] == "off"
    assert any("fsync = on" in risk for risk in told["risks"])


@pytest.mark.parametrize(
    "scheme", ["postgresql://u:hush@127.0.0.1:{}/x", "redis://:hush@127.0.0.1:{}", "http://127.0.0.1:{}"]
)
def test_a_server_that_is_down_is_exit_code_4(scheme: str) -> None:
    ran = run("--backend", scheme.format(free_port()), "list")
    assert (ran.code, ran.out) == (4, "")
    assert len(ran.err.splitlines()) == 1
    assert "does not answer" in ran.err
    assert "hush" not in ran.err


@pytest.mark.parametrize("kind", ["postgres", "redis"])
def test_a_refused_password_is_exit_code_1(kind: str, request: pytest.FixtureRequest) -> None:
    server = request.getfixturevalue(kind)
    ran = run("--backend", server.url.replace("right-one", "wrong-one"), "list")
    assert (ran.code, len(ran.err.splitlines())) == (1, 1)
    assert "-one" not in ran.err


def test_a_missing_package_is_exit_code_7() -> None:
    program = (
        "import sys; sys.modules['redis'] = None; sys.argv = ['agentmem', '--backend', 'redis://h', 'list']\n"
        "from agentmem_cli import entry; entry.main()"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert ran.returncode == 7
    assert "pip install" in ran.stderr
    assert "[redis]" in ran.stderr


def test_asking_for_help_imports_no_client() -> None:
    program = (
        "import atexit, sys; sys.argv = ['agentmem', '--help']\n"
        "clients = {'redis', 'psycopg', 'chromadb', 'pinecone', 'httpx', 'numpy'}\n"
        "atexit.register(lambda: print(sorted(clients & set(sys.modules)), flush=True))\n"
        "from agentmem_cli import entry; entry.main()"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ran.stdout.splitlines()[-1] == "[]"


def test_a_file_named_by_the_backend_is_the_one_that_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    named = ("--backend", f"sqlite://{tmp_path / 'url.db'}")
    assert str(tmp_path / "url.db") in done(*named, "list").err
    assert not (tmp_path / "url.db").exists()
    done(*named, "add", "one")
    assert "one" in done(*named, "list").out
    assert done(*named, "status", "--json").json["location"] == str(tmp_path / "url.db")
    assert done(*named, "sql", "select count(*) from memory").out.strip() == "1"
    monkeypatch.setenv("AGENTMEM_BACKEND_CONFIG_PATH", str(tmp_path / "option.db"))
    assert str(tmp_path / "option.db") in done("list").err
    done("--db", "flag.db", "add", "two")
    assert not (tmp_path / "option.db").exists()
    done("add", "three")
    assert [done("list", "--db", "flag.db").out.split()[-1], done("list").out.split()[-1]] == ["two", "three"]


def test_a_file_beats_a_server_that_is_named_no_closer(
    redis: RedisServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = f"redis://127.0.0.1:{redis.port}/0"
    monkeypatch.setenv("AGENTMEM_BACKEND", server)
    monkeypatch.setenv("AGENTMEM_BACKEND_CONFIG_PASSWORD", "right-one")
    agent = ("-a", "placed")
    done(*agent, "add", "on the server")
    file = str(tmp_path / "flag.db")
    done("--db", file, "add", "in the file")
    assert done("--db", file, "sql", "select content from memory").out.strip() == "in the file"
    assert done("--db", file, "config", "get", "backend").out.strip() == "sqlite"
    assert "on the server" in done(*agent, "list").out
    monkeypatch.setenv("AGENTMEM_DB", file)
    assert "in the file" in done("list").out
    assert "on the server" in done(*agent, "--backend", server, "list").out


@pytest.mark.parametrize("kind", ["postgres", "redis"])
def test_agents_of_a_server_are_shown_and_removed_there(kind: str, request: pytest.FixtureRequest) -> None:
    on = ("--backend", request.getfixturevalue(kind).url)
    for place in (("-a", "it's {x}%"), ("-a", "it's {x}%", *on), ("-a", "other", *on)):
        done(*place, "add", "mine")
    shown = done(*on, "agents", "show", "it's {x}%", "--json").json
    assert (shown["agent_id"], shown["memories"]) == ("it's {x}%", {"long_term": 1})
    assert "right-one" not in str(shown)
    assert "did you mean 'other'" in run(*on, "agents", "show", "Others").err
    assert run(*on, "agents", "rm", "it's {x}%").code == 2
    assert "1 memory" in done(*on, "agents", "rm", "it's {x}%", "--dry-run").err
    assert "right-one" not in done(*on, "-y", "agents", "rm", "it's {x}%").err
    assert "it's {x}%" not in done(*on, "agents", "list", "-o", "id").lines
    assert "other" in done(*on, "agents", "list", "-o", "id").lines
    assert run(*on, "-y", "agents", "rm", "it's {x}%").code == 3
    refused = run(*on, "agents", "rename", "other", "new")
    assert (refused.code, "only agents in files" in refused.err) == (2, True)
    assert "mine" in done("-a", "it's {x}%", "list").out  # the file of that name here is another matter
