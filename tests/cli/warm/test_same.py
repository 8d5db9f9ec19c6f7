"""What is answered warm is what is answered cold: the same bytes on both streams, and the same exit code."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path
from shlex import quote

import pytest

from tests.cli.process.programs import PROGRAM, on_a_terminal, surroundings
from tests.cli.running import done, prepared
from tests.cli.warm.processes import Warm, agentmem, cold

READS = """
list
list --json
list --ndjson
list -o csv
list -o table
list --all -o id
list --type fact --tag ui
list --nonsense
search theme
search theme --json
search "dark mode" --explain
search theme --mode keyword -o table
search zzzqqq --fail-empty
search zzzqqq --mode keyword --fail-empty
search theme --mode nonsense
recall theme --budget 200
recall theme --format xml --explain
recall -o json
recall
get a-key
get a-key --json
get nothing
get nothing --json
history a-key
log
stats
stats --json
status --json
doctor
doctor --json
work list
work get branch
pref list
chat show
chat last
chat list --json
event recent
event timeline --json
event failed
doc list
doc show nothing
skill list
skill find "disk full"
skill show nothing
agents list -o id
agents show --json
agents show nobody
config show
config get agent
config path
model list
sql "select count(*) as n from memory"
sql "delete from memory"
export -
forget --before now --dry-run
forget --before now
undo --dry-run
help search
help --json
search --help
--help
--version
version --json
completion bash
nonsense
serach x
event list
-a nobody list
--db /no/such/folder/x.db add x
--json get nothing
-o nonsense list
""".strip().splitlines()
WRITES = """
add "one more" --key one
add "one more" --key one
add "  "
add --dry-run two
update one "another text"
pin one
unpin one
forget one
restore one
work set x y
pref set editor vim
chat add user hello
event add "deploy failed" --outcome failed
skill add free-disk "delete old images"
fact add "something known"
undo
add --lines --no-embed -
""".strip().splitlines()
FILL = """
add "User prefers dark mode" --type fact --tag ui --key a-key
add "The staging database runs in Oslo" --type fact --tag ops
work set branch main
pref set editor vim
chat add user "why are the tests slow?"
chat add assistant "they wait for the store"
event add "the deploy failed" --outcome failed
skill add bisect "run pytest --durations=10" --trigger "slow tests"
add "Checkout keeps its sessions in Redis." --type doc
index
""".strip().splitlines()
STDIN = "a line\nanother line\n"


def plain(text: str) -> str:
    """Return a text without what differs from run to run: ids, moments, ages, and what is counted at each read."""
    text = re.sub(r"\b[a-z0-9]{20}\b", "ID", text)
    text = re.sub(r"\b[0-9a-z]{8}\b(?=  |\)|,|\b)", "SHORT", text)
    text = re.sub(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?Z?)?", "MOMENT", text)
    text = re.sub(r'"access_count": \d+', '"access_count": N', text)
    text = re.sub(r" *(?:(?<=\x1b\[2m)|(?<![\w\[;]))(\d+[smh]|now)\b *", " AGE ", text)
    return re.sub(r"[-+]?\b\d+(\.\d+)?(e-\d+)?\b", "N", text)  # each use of a memory moves its scores


def seen(ran: subprocess.CompletedProcess[str]) -> tuple[int, str, str]:
    return ran.returncode, plain(ran.stdout), plain(ran.stderr)


@pytest.fixture
def filled(clean_surroundings: Path, runtime_folder: Path) -> Path:
    prepared(_fill)
    return Path(os.environ["AGENTMEM_HOME"])


def _fill() -> None:
    for line in FILL:
        done(*shlex.split(line))


def test_what_reads(filled: Path, warm: Warm) -> None:
    for line in READS:
        assert seen(agentmem(*shlex.split(line))) == seen(cold(*shlex.split(line))), line
    quick = sum(line in ("--version",) for line in READS)
    assert warm.requests == len(READS) - quick
    assert warm.cold == {}


def test_what_writes(filled: Path, warm: Warm, monkeypatch: pytest.MonkeyPatch) -> None:
    before = filled.with_name("before")
    shutil.copytree(filled, before)
    answered = [seen(agentmem(*shlex.split(line), stdin=STDIN)) for line in WRITES]
    listed = seen(cold("list", "--all", "--json"))
    shutil.rmtree(filled)
    before.rename(filled)
    for line, warmly in zip(WRITES, answered, strict=True):
        assert seen(cold(*shlex.split(line), stdin=STDIN)) == warmly, line
    assert seen(cold("list", "--all", "--json")) == listed


@pytest.mark.parametrize("variables", [{}, {"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_on_a_terminal(variables: dict[str, str], filled: Path, warm: Warm) -> None:
    for words in (
        ["search", "theme"],
        ["recall", "theme"],
        ["get", "nothing"],
        ["log", "-o", "id"],
        ["--help"],
    ):
        warmly = on_a_terminal(words, env={"TERM": "xterm-256color", **variables})
        coldly = on_a_terminal(words, env={"TERM": "xterm-256color", **variables, "AGENTMEM_WARM": "0"})
        assert (warmly[0], plain(warmly[1].decode())) == (coldly[0], plain(coldly[1].decode())), words
    assert warm.requests == 5


def test_a_question_on_a_terminal(filled: Path, warm: Warm) -> None:
    code, shown = on_a_terminal(["forget", "a-key", "--purge"], typed=b"n\n")
    assert (
        code,
        on_a_terminal(["forget", "a-key", "--purge"], typed=b"n\n", env={"AGENTMEM_WARM": "0"})[0],
    ) == (code, code)
    assert b"a-key" in shown or code
    assert agentmem("get", "a-key").returncode == 0


@pytest.mark.parametrize(
    "variables",
    [
        {"PYTHONIOENCODING": "ascii"},
        {"PYTHONIOENCODING": "latin-1"},
        {"PYTHONUNBUFFERED": "1"},
        {"LC_ALL": "C"},
        {"PYTHONWARNINGS": "error"},
        {"TZ": "Asia/Tokyo"},
        {"COLUMNS": "41"},
    ],
)
def test_in_other_surroundings(variables: dict[str, str], filled: Path, warm: Warm) -> None:
    cold("add", "héllo 你好 … 👍", "--key", "letters")
    for words in (
        ["list", "-o", "text"],
        ["list", "-o", "table"],
        ["log"],
        ["recall", "hello"],
    ):
        results = [
            subprocess.run([PROGRAM, *words], env=surroundings(**variables, **more), capture_output=True)
            for more in ({}, {"AGENTMEM_WARM": "0"})
        ]
        first, second = ((ran.returncode, plain(ran.stdout.decode("latin-1")), ran.stderr) for ran in results)
        assert first == second, words


def test_the_folder_umask_and_variables_are_the_clients(warm: Warm, tmp_path: Path) -> None:
    (tmp_path / "note.md").write_text("from this folder")
    (tmp_path / ".agentmem.toml").write_text('agent = "of-the-folder"\n')
    program = quote(PROGRAM)
    script = f"cd {quote(str(tmp_path))} && umask 077 && {program} add --file note.md"
    script += f" && umask 022 && {program} export out.ndjson"
    ran = subprocess.run(
        ["sh", "-c", script], env=surroundings(AGENTMEM_TAGS="red,green"), capture_output=True
    )
    assert ran.returncode == 0, ran.stderr
    assert warm.requests == 2
    stored = json.loads(cold("-a", "of-the-folder", "list", "--json").stdout)
    assert (stored[0]["content"], stored[0]["tags"]) == ("from this folder", ["green", "red"])
    assert (tmp_path / "out.ndjson").is_file()
    assert agentmem("list", "--json").stdout == cold("list", "--json").stdout


def test_what_one_command_was_told_the_next_does_not_know(warm: Warm) -> None:
    agentmem("add", "one", env={"AGENTMEM_AGENT": "alice", "AGENTMEM_OUTPUT": "json"})
    assert agentmem("add", "two", "--json", env={"AGENTMEM_TAGS": "x"}).returncode == 0
    assert plain(agentmem("list", "-o", "text").stdout) == plain(cold("list", "-o", "text").stdout)
    assert "one" not in agentmem("list", "-o", "text").stdout


def test_what_others_wrote_to_the_file_is_found_by_the_next_command(warm: Warm, tmp_path: Path) -> None:
    database, copy = str(tmp_path / "a.db"), tmp_path / "copy.db"
    agentmem("--db", database, "add", "the first theme", "--type", "fact")
    shutil.copy(database, copy)

    def both_find(count: int) -> None:
        found = [run("--db", database, "search", "theme", "-o", "id") for run in (agentmem, agentmem, cold)]
        assert len(found[0].stdout.split()) == count
        assert found[0].stdout == found[1].stdout == found[2].stdout

    both_find(1)
    cold("--db", database, "add", "the second theme", "--type", "fact")
    both_find(2)
    shutil.copy(copy, database)
    both_find(1)
