from __future__ import annotations

import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from agent_memory.errors import ConfigurationError
from agent_memory.memories.agents import list_agents
from agentmem_cli.settings import SETTINGS, resolve
from agentmem_cli.settings.names import known
from agentmem_cli.settings.project import ProjectFile, distrust, trust, trust_list


@pytest.fixture
def user_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in [name for name in os.environ if name.startswith("AGENTMEM_")]:
        monkeypatch.delenv(name)
    file = tmp_path / "config" / "config.toml"
    file.parent.mkdir()
    monkeypatch.setenv("AGENTMEM_CONFIG", str(file))
    return file


@pytest.fixture
def repository(tmp_path: Path, user_file: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = tmp_path / "repository"
    (root / ".git").mkdir(parents=True)
    (root / "deep" / "deeper").mkdir(parents=True)
    monkeypatch.chdir(root / "deep" / "deeper")
    return root


def test_nothing_said_means_the_defaults(user_file: Path) -> None:
    resolved = resolve({})
    assert {name: resolved.get(name) for name in SETTINGS} == {
        "agent": "default",
        "db": None,
        "backend": "sqlite",
        "home": None,
        "output": None,
        "limit": 10,
        "budget": 2000,
        "tags": (),
        "mcp_idle": timedelta(days=3),
        "warm": False,
        "session": None,
        "offline": False,
        "short_term_ttl": timedelta(hours=1),
        "conversation_max_messages": 100,
        "enable_scoring": True,
        "enable_decay": True,
        "decay_half_life": timedelta(days=7),
        "standing_share": 0.15,
        "standing_rule": True,
        "embedding.provider": "local",
    }
    assert {resolved.origin(name).source for name in SETTINGS} == {"default"}
    assert resolved.notices == ()


def test_each_place_beats_the_ones_below_it(
    user_file: Path, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Each of five settings is said by one place more than the one before, and the highest has to win.
    names = ("output", "budget", "limit", "agent")
    user_file.write_text('output = "id"\nbudget = 1\nlimit = 1\nagent = "user"\n')
    (repository / ".agentmem.toml").write_text('budget = 2\nlimit = 2\nagent = "project"\n')
    monkeypatch.setenv("AGENTMEM_LIMIT", "3")
    monkeypatch.setenv("AGENTMEM_AGENT", "environment")
    resolved = resolve({"agent": "flag", "output": None})
    assert [resolved.get(name) for name in names] == ["id", 2, 3, "flag"]
    assert [resolved.origin(name).source for name in names] == ["user", "project", "environment", "flag"]
    assert str(resolved.origin("budget")) == f"project ({repository / '.agentmem.toml'})"
    assert str(resolved.origin("limit")) == "environment (AGENTMEM_LIMIT)"
    assert str(resolved.origin("agent")) == "flag (--agent)"


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("tags", " a, b,,a ", ("a", "b")),
        ("offline", "Yes", True),
        ("enable_decay", "off", False),
        ("short_term_ttl", "90m", timedelta(minutes=90)),
        ("decay_half_life", "2w", timedelta(weeks=2)),
        ("conversation_max_messages", "0", 0),
        ("standing_share", "0.3", 0.3),
        ("embedding.provider", "dummy", "dummy"),
        ("embedding.model", "BAAI/bge-small-en-v1.5", "BAAI/bge-small-en-v1.5"),
        ("embedding.dimensions", "256", 256),
        ("backend_config.synchronous", "normal", "normal"),
    ],
)
def test_values_are_read_from_the_environment(
    user_file: Path, monkeypatch: pytest.MonkeyPatch, name: str, text: str, value: object
) -> None:
    monkeypatch.setenv("AGENTMEM_" + name.replace(".", "_").upper(), text)
    assert resolve({}).get(name) == value


def test_options_of_the_embedder_come_together(user_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    user_file.write_text('[embedding]\nprovider = "openai"\nbase_url = "http://here"\ndimensions = 8\n')
    monkeypatch.setenv("AGENTMEM_EMBEDDING_DIMENSIONS", "16")
    resolved = resolve({})
    assert resolved.get("embedding.provider") == "openai"
    assert resolved.options("embedding") == {"base_url": "http://here", "dimensions": 16}
    assert resolved.options("backend_config") == {}
    assert "embedding.base_url" in resolved.names()


def test_relative_paths_start_from_where_they_are_written(
    user_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    user_file.write_text('home = "stores"\n[embedding]\npath = "model"\n')
    monkeypatch.chdir(tmp_path)
    resolved = resolve({"db": "x.db"})
    assert resolved.get("home") == user_file.parent / "stores"
    assert resolved.options("embedding") == {"path": str(user_file.parent / "model")}
    assert resolved.get("db") == tmp_path / "x.db"
    assert resolve({"db": "~/x.db"}).get("db") == Path.home() / "x.db"


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ({"limit": "many"}, "the setting limit cannot be 'many' (--limit): give a whole number such as 10"),
        ({"limit": "0"}, "the setting limit cannot be '0' (--limit): give a whole number from 1, such as 10"),
        ({"output": "xml"}, "unknown output 'xml' (--output): use one of table, text, json, ndjson, csv, id"),
        (
            {"short_term_ttl": "-1"},
            "the setting short_term_ttl cannot be '-1' (--short-term-ttl): give 90s, 10m, 2h or 7d",
        ),
        ({"agent": " "}, "the setting agent is empty (--agent): give a value, or leave it out"),
        ({"agnet": "x"}, f"unknown setting 'agnet': use one of {', '.join(known())}"),
        ({"offline": "maybe"}, "the setting offline cannot be 'maybe' (--offline): give true or false"),
    ],
)
def test_a_wrong_value_says_where_it_stands_and_what_is_right(
    user_file: Path, flags: dict[str, str], message: str
) -> None:
    with pytest.raises(ConfigurationError) as error:
        resolve(flags)
    assert str(error.value) == message


def test_an_unknown_name_in_the_users_own_config_is_an_error(user_file: Path) -> None:
    user_file.write_text('agnet = "me"\n')
    with pytest.raises(
        ConfigurationError, match=r"unknown setting 'agnet' in .*config.toml: use one of agent, db"
    ):
        resolve({})


def test_a_config_that_is_not_toml_names_the_line(user_file: Path) -> None:
    user_file.write_text("agent = me\n")
    with pytest.raises(ConfigurationError, match=r"config.toml is not TOML: .*line 1"):
        resolve({})


def test_a_misspelt_variable_is_mentioned_and_a_foreign_one_is_not(
    user_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AGENTMEM_AGNET", "x")
    monkeypatch.setenv("AGENTMEM_SOMETHING_ELSE_ENTIRELY", "x")
    assert resolve({}).notices == ("ignored AGENTMEM_AGNET: did you mean AGENTMEM_AGENT?",)


# --- the project file ----------------------------------------------------------------------------------------


def test_the_nearest_project_file_up_to_the_repositorys_root_counts(repository: Path) -> None:
    (repository.parent / ".agentmem.toml").write_text('agent = "outside"\n')
    assert resolve({}).get("agent") == "default"
    (repository / ".agentmem.toml").write_text('agent = "root"\nlimit = 3\n')
    assert resolve({}).get("agent") == "root"
    (repository / "deep" / ".agentmem.toml").write_text('agent = "nearer"\n')
    assert (resolve({}).get("agent"), resolve({}).get("limit")) == ("nearer", 10)


def test_outside_a_repository_only_the_current_folder_counts(
    user_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a").mkdir()
    monkeypatch.chdir(tmp_path / "a")
    (tmp_path / ".agentmem.toml").write_text('agent = "parent"\n')
    assert resolve({}).get("agent") == "default"
    (tmp_path / "a" / ".agentmem.toml").write_text('agent = "here"\n')
    assert resolve({}).get("agent") == "here"


def test_a_project_may_set_what_is_harmless_without_being_asked(repository: Path) -> None:
    (repository / ".agentmem.toml").write_text(
        'agent = "a"\noutput = "json"\nlimit = 5\nbudget = 500\ntags = ["x", "y"]\n'
    )
    resolved = resolve({})
    assert [resolved.get(name) for name in ("agent", "output", "limit", "budget", "tags")] == [
        "a", "json", 5, 500, ("x", "y"),
    ]  # fmt: skip
    assert resolved.notices == ()


SENSITIVE = (
    'db = "elsewhere.db"\nbackend = "redis://evil/0"\nhome = "/tmp/evil"\noffline = false\n'
    '[embedding]\nprovider = "openai"\nbase_url = "http://evil"\n[backend_config]\npath = "evil.db"\n'
)


def test_what_decides_where_text_goes_waits_for_trust_with_one_warning(repository: Path) -> None:
    file = repository / ".agentmem.toml"
    file.write_text('agent = "a"\n' + SENSITIVE)
    resolved = resolve({})
    names = (
        "db",
        "backend",
        "home",
        "offline",
        "embedding.provider",
        "embedding.base_url",
        "backend_config.path",
    )
    assert {resolved.origin(name).source for name in names} == {"default"}
    assert resolved.options("embedding") == {}
    assert resolved.get("agent") == "a"
    assert resolved.notices == (
        f"ignored {', '.join(names)} in {file}: look at it, then run `agentmem config trust`",
    )
    assert resolved.ignored == names


def test_trust_holds_for_one_content_at_one_path(repository: Path, user_file: Path) -> None:
    file = repository / ".agentmem.toml"
    file.write_text(SENSITIVE)
    found = resolve({}).project_file
    assert found is not None
    trust(found, user_file)
    resolved = resolve({})
    assert resolved.notices == ()
    assert resolved.get("db") == repository / "elsewhere.db"
    assert resolved.options("embedding") == {"base_url": "http://evil"}
    assert trust_list(user_file).stat().st_mode & 0o777 == 0o600

    file.write_text(SENSITIVE + "# one more line\n")
    assert resolve({}).get("db") is None

    file.write_text(SENSITIVE)
    (repository / "deep" / ".agentmem.toml").write_text(SENSITIVE)
    assert resolve({}).get("db") is None, "the same content at another path is another file"


def test_trust_is_recorded_once_per_path_and_can_be_withdrawn(repository: Path, user_file: Path) -> None:
    first, odd = ProjectFile(repository / "a", b"1"), ProjectFile(repository / "b\nc", b"2")
    for item in (first, odd, ProjectFile(repository / "a", b"3"), odd):
        trust(item, user_file)
    assert len(trust_list(user_file).read_text().splitlines()) == 2
    assert distrust(first.path, user_file)
    assert not distrust(first.path, user_file)
    assert len(trust_list(user_file).read_text().splitlines()) == 1


def test_an_unknown_name_in_a_project_file_is_a_warning(repository: Path) -> None:
    (repository / ".agentmem.toml").write_text('agent = "a"\nfuture = 1\n')
    resolved = resolve({})
    assert resolved.get("agent") == "a"
    assert resolved.notices == (
        f"ignored unknown setting 'future' in {repository / '.agentmem.toml'}; known are {', '.join(known())}",
    )


@pytest.mark.parametrize("scope", ["file", "link", "folder"])
def test_a_project_file_of_somebody_else_is_not_read(
    repository: Path, monkeypatch: pytest.MonkeyPatch, scope: str
) -> None:
    file = repository / ".agentmem.toml"
    file.write_text('agent = "theirs"\n')
    stat, lstat, fstat = Path.stat, Path.lstat, os.fstat

    def of_a_stranger(about: os.stat_result) -> os.stat_result:
        return os.stat_result((*about[:4], os.getuid() + 4242, *about[5:]))

    if scope == "folder":

        def patched(path: Path, **more: bool) -> os.stat_result:
            return of_a_stranger(stat(path)) if path == repository else stat(path, **more)

        monkeypatch.setattr(Path, "stat", patched)
    elif scope == "link":
        monkeypatch.setattr(Path, "lstat", lambda path: of_a_stranger(lstat(path)))
    else:
        monkeypatch.setattr(os, "fstat", lambda handle: of_a_stranger(fstat(handle)))
    resolved = resolve({})
    assert resolved.get("agent") == "default"
    folder = "its folder" if scope == "folder" else "it"
    assert resolved.notices == (f"ignored {file}: {folder} belongs to another user",)


def test_a_pipe_in_the_place_of_the_project_file_does_not_hang(repository: Path) -> None:
    os.mkfifo(repository / ".agentmem.toml")
    assert resolve({}).notices == (f"ignored {repository / '.agentmem.toml'}: it is not a file",)


def test_a_removed_current_folder_is_no_error(repository: Path) -> None:
    (repository / "deep" / "deeper").rmdir()
    assert resolve({}).get("agent") == "default"


def test_who_has_no_home_has_no_config(
    user_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for beside in (Path(os.devnull), tmp_path / "file"):
        (tmp_path / "file").write_text("")
        monkeypatch.setenv("AGENTMEM_CONFIG", str(beside / ".config" / "config.toml"))
        assert resolve({}).get("limit") == 10
        assert not resolve({}).notices
        assert list_agents(beside / ".local") == []
        assert not distrust(tmp_path, beside / ".config" / "config.toml")


def test_without_files_neither_tomllib_nor_hashlib_is_imported(user_file: Path, tmp_path: Path) -> None:
    program = (
        "import sys; from agentmem_cli.settings import resolve; resolve({'agent': 'x'});"
        "print([name for name in ('tomllib', 'hashlib', 'pydantic', 'typer', 'rich', 'json') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]", done.stderr


@pytest.mark.parametrize(
    "content", [b"x = " + b"[" * 5000 + b"]" * 5000, b"a." * 5000 + b"b = 1", b"= 1", b"\xff"]
)
def test_a_project_file_that_cannot_be_read_is_one_warning(repository: Path, content: bytes) -> None:
    path = repository / ".agentmem.toml"
    path.write_bytes(content)
    (notice,) = resolve({}).notices
    assert notice.startswith(f"ignored {path}: ")
    assert "\n" not in notice


def test_a_folder_in_the_place_of_the_project_file_is_one_warning(repository: Path) -> None:
    (repository / ".agentmem.toml").mkdir()
    assert resolve({}).notices == (f"ignored {repository / '.agentmem.toml'}: it is not a file",)


def test_the_users_own_file_that_is_nested_too_deeply_is_an_error(user_file: Path) -> None:
    user_file.write_bytes(b"x = " + b"[" * 5000 + b"]" * 5000)
    with pytest.raises(ConfigurationError, match="brackets within each other"):
        resolve({})
