"""Every command that writes gives the same memories as the same call from Python.

The tree of commands is walked, so that a new command has to say here which call it is, or that it writes no memory.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from agent_memory import MemoryConfig, SyncAgentMemory, clock
from agent_memory.errors import AgentMemoryError
from agent_memory.memories import building
from agent_memory.memories.operations.status import advice
from agent_memory.records import MemoryType, to_dict
from agentmem_cli import hints
from agentmem_cli.tree import COMMANDS, Noun
from tests.cli.running import run

LONG = "\n\n".join(f"Paragraph {number} speaks of subject {number} at length." for number in range(80))
AT = "2026-05-08T14:00Z"

FACT, OTHER, EVENT, GONE, VALUE = (name * 20 for name in "abcde")
"""The ids of the memories that both begin with."""


class Case(NamedTuple):
    """One command, and the call that is the same."""

    shell: tuple[str, ...]
    python: Callable[[SyncAgentMemory], Any]
    stdin: str = ""
    embedder: str = "dummy"


def exported(folder: Path) -> Path:
    """Write an export with one memory, and return it."""
    path = folder / "export.ndjson"
    if not path.exists():
        with SyncAgentMemory("t", MemoryConfig(backend="memory", embedding_provider="none")) as memory:
            memory.long_term.add("from elsewhere", tags="moved")
            memory.export_to(path)
    return path


def document(folder: Path) -> Path:
    """Write a text file, and return it."""
    path = folder / "notes.md"
    path.write_text("# Notes\n\nThe cache is in Oslo.\n", encoding="utf-8")
    return path


CASES: dict[tuple[str, ...], tuple[Case, ...]] = {
    ("add",): (
        Case(("likes tea", "--tag", "food"), lambda m: m.add("likes tea", tags=["food"])),
        Case(
            ("it rained", "--type", "event", "--at", AT, "--importance", "0.9", "--pin", "--meta", "mm=3"),
            lambda m: m.add("it rained", "event", 0.9, {"mm": 3}, occurred_at=AT, pinned=True),
        ),
        Case(("-", "--type", "doc"), lambda m: m.add(LONG, "doc"), LONG, "local"),
        Case(("-", "--type", "doc", "-k", "whole"), lambda m: m.add(LONG, "doc", key="whole"), LONG, "local"),
        Case(("a note", "--type", "note", "--ttl", "2h"), lambda m: m.add("a note", "note", ttl="2h")),
        Case(("the sky is blue", "--tag", "new"), lambda m: m.add("the sky is blue", tags="new")),
        Case(("the sky is blue", "--force"), lambda m: m.add("the sky is blue", force=True)),
        Case(
            ("-", "--lines", "--type", "doc"),
            lambda m: m.add_many([{"content": text, "type": "doc"} for text in ("one", "two")]),
            "one\ntwo\n",
        ),
        Case(
            ("--ndjson-in", "--tag", "x"),
            lambda m: m.add_objects([{"content": "one", "type": "event"}], {"tags": ["x"], "type": "fact"}),
            '{"content": "one", "type": "event"}\n',
        ),
        Case(("--file", "notes.md", "--type", "doc"), lambda m: m.semantic.add_paths("notes.md")),
        Case(("--file", "notes.md", "--type", "doc"), lambda m: m.add_files("notes.md", "doc")),
        Case(
            ("--file", "notes.md"),
            lambda m: m.add("# Notes\n\nThe cache is in Oslo.", source="notes.md"),
        ),
        Case(
            ("--file", "notes.md", "--glob", "*.md", "--tag", "x", "--type", "note"),
            lambda m: m.add_files("notes.md", "note", glob="*.md", tags="x"),
        ),
    ),
    ("update",): (
        Case(
            (FACT, "the sky is grey", "--tag", "x"), lambda m: m.update(FACT, "the sky is grey", add_tags="x")
        ),
        Case(("grass", "--no-key", "--ttl", "7d"), lambda m: m.update("grass", key=None, ttl="7d")),
    ),
    ("pin",): (
        Case((FACT, OTHER), lambda m: m.pin_many([FACT, OTHER])),
        Case(("manual",), lambda m: m.pin("manual")),
    ),
    ("unpin",): (Case((EVENT,), lambda m: m.unpin(EVENT)),),
    ("forget",): (
        Case((FACT, "grass"), lambda m: m.forget([FACT, "grass"])),
        Case(("manual",), lambda m: m.forget("manual")),
        Case(("--type", "fact", "-y"), lambda m: m.forget_where(types="fact")),
        Case((FACT, "--purge", "-y"), lambda m: m.forget(FACT, purge=True)),
        Case((FACT, "--shred", "-y"), lambda m: m.forget(FACT, shred=True)),
    ),
    ("restore",): (Case((GONE,), lambda m: m.restore(GONE)),),
    ("work", "set"): (
        Case(
            ("branch", "main", "--ttl", "8h"),
            lambda m: m.short_term.set_working_memory("branch", "main", ttl="8h"),
        ),
        Case(("plan", "[1, 2]", "--parse"), lambda m: m.short_term.set_working_memory("plan", [1, 2])),
    ),
    ("work", "extend"): (Case(("value", "2h"), lambda m: m.short_term.extend_ttl("value", "2h")),),
    ("work", "clear"): (
        Case(("value",), lambda m: m.forget(VALUE)),
        Case(("value",), lambda m: m.forget(m.short_term.plan_clear("value"))),
        Case(("--all", "-y"), lambda m: m.forget(m.short_term.plan_clear(everything=True))),
    ),
    ("fact", "add"): (
        Case(
            ("tea is hot", "-t", "x", "-k", "tea"),
            lambda m: m.long_term.store_fact("tea is hot", tags="x", key="tea"),
        ),
    ),
    ("fact", "update"): (
        Case((FACT, "new", "--importance", "0.2"), lambda m: m.long_term.update_fact(FACT, "new", 0.2)),
    ),
    ("fact", "dupes"): (
        Case(("--merge", "-y"), lambda m: m.long_term.consolidate_duplicates()),
        Case(
            ("--merge", "-y"),
            lambda m: m.long_term.consolidate_duplicates(m.long_term.find_duplicates()),
        ),
    ),
    ("pref", "set"): (
        Case(("editor", "vim"), lambda m: m.long_term.store_preference("editor", "vim", replace=True)),
        Case(("editor", "ed", "--beside"), lambda m: m.long_term.store_preference("editor", "ed")),
    ),
    ("chat", "add"): (
        Case(
            ("user", "hello", "--name", "Maria", "--at", AT),
            lambda m: m.conversation.add_message("user", "hello", name="Maria", at=AT),
        ),
        Case(
            ("tool", "done", "-c", "new"),
            lambda m: m.conversation.add_message("tool", "done", conversation_id="new"),
        ),
    ),
    ("chat", "new"): (
        Case(("begun",), lambda m: m.conversation.new_conversation("begun", default=True)),
        Case(("begun",), lambda m: m.conversation.set_default_conversation("begun")),
    ),
    ("chat", "switch"): (Case(("sup",), lambda m: m.conversation.use_conversation("sup", default=True)),),
    ("chat", "summarize"): (
        Case(("support",), lambda m: m.conversation.summarize(conversation_id="support")),
        Case(("sup",), lambda m: m.conversation.summarize(conversation_id="sup", must_exist=True)),
    ),
    ("chat", "delete"): (Case(("support",), lambda m: m.conversation.delete_conversation("support")),),
    ("event", "add"): (
        Case(
            ("it failed", "--type", "ci", "--outcome", "failed: disk", "--duration", "90s"),
            lambda m: m.episodic.record_event("ci", "it failed", "failed: disk", duration=90),
        ),
    ),
    ("doc", "add"): (
        Case(("notes.md", "--tag", "x"), lambda m: m.semantic.add_paths("notes.md", tags="x")),
        Case(("--text", "a text", "--title", "T"), lambda m: m.semantic.add_document("a text", "T")),
        Case(("-",), lambda m: m.semantic.add_document(LONG), LONG, "local"),
    ),
    ("skill", "add"): (
        Case(("s", "how", "--trigger", "w"), lambda m: m.procedural.record_skill("s", "how", "w")),
        Case(("w", "--step", "a", "--step", "b"), lambda m: m.procedural.record_workflow("w", ["a", "b"])),
    ),
    ("skill", "used"): (
        Case(("sweep", "--failed"), lambda m: m.procedural.record_skill_usage("sweep", False)),
        Case(("sweep",), lambda m: m.procedural.use_skill("sweep")),
    ),
    ("undo",): (
        Case((), lambda m: m.undo()),
        Case(("2", "-y"), lambda m: m.undo(m.undo(2, dry_run=True))),
    ),
    ("import",): (Case(("export.ndjson",), lambda m: m.import_from("export.ndjson")),),
}
"""By command: calls of it, and the same from Python."""

WRITES_NO_MEMORY = {
    *("search", "recall", "get", "list", "history", "log", "status", "stats", "doctor", "index", "reembed"),
    *("export", "migrate", "sql", "completion", "help", "version", "agents", "config", "model", "mcp"),
    *("warm", "storage"),
    *("work get", "work list", "fact list", "pref list", "chat last", "chat show", "chat list"),
    *("event recent", "event failed", "event succeeded", "event similar", "event timeline"),
    *("doc list", "doc show", "doc related", "skill find", "skill list", "skill show"),
}
"""Commands that only read, that write no memory (files, settings, vectors), that write into another store, or whose
tools write, which tests/mcp compares."""


REFUSED: dict[tuple[str, ...], Callable[[SyncAgentMemory], Any]] = {
    ("add", "--file", "none.txt"): lambda m: m.add_files("none.txt"),
    ("add", "--glob", "*.none"): lambda m: m.add_files(glob="*.none"),
    ("add", "--file", "notes.md", "--type", "doc", "--force"): lambda m: m.add_files(
        "notes.md", "doc", force=True
    ),
    ("work", "clear", "value", "none"): lambda m: m.short_term.plan_clear(["value", "none"]),
    ("fact", "update", "none", "new"): lambda m: m.long_term.update_fact_detailed("none", "new"),
    ("skill", "show", "sweeps"): lambda m: m.procedural.require_skill("sweeps"),
    ("skill", "show", "unlike"): lambda m: m.procedural.require_skill("unlike"),
    ("skill", "used", "sweeps"): lambda m: m.procedural.use_skill("sweeps"),
    ("chat", "last", "-c", "none"): lambda m: m.conversation.get_last_n_turns(
        conversation_id="none", must_exist=True
    ),
    ("chat", "summarize", "none"): lambda m: m.conversation.summarize(
        conversation_id="none", must_exist=True
    ),
}
"""Commands that cannot be carried out, and the calls that are refused with the same words."""


def commands() -> Iterator[tuple[str, ...]]:
    """Iterate over all commands, each by its words."""
    for name, entry in COMMANDS.items():
        if isinstance(entry, Noun) and name not in WRITES_NO_MEMORY:
            yield from ((name, verb) for verb in entry.verbs)
        else:
            yield (name,)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file that both begin with, whose memories have ids that are known before."""
    path = tmp_path_factory.mktemp("base") / "base.db"
    ids = iter([FACT, "k" * 20, OTHER, EVENT, "m" * 20, VALUE, "s" * 20, "p" * 20, "q" * 20, "r" * 20, GONE])
    with pytest.MonkeyPatch.context() as patch, opened(path) as memory:
        patch.setattr(building, "new_id", lambda: next(ids))
        memory.long_term.add("the sky is blue")
        memory.long_term.add("grass is green", key="grass")
        memory.long_term.add("The sky is blue.")
        memory.episodic.add("it was sunny", pinned=True)
        memory.semantic.add("a manual, whole", key="manual", title="Manual")
        memory.short_term.set_working_memory("value", 1)
        memory.procedural.record_skill("sweep", "with a broom")
        memory.conversation.add_message("user", "Why is it red?", conversation_id="support")
        memory.conversation.add_message("assistant", "The disk is full.", conversation_id="support")
        memory.conversation.add_message("user", "Is it green?", conversation_id="other")
        memory.forget(memory.long_term.add("the moon is square"))
    return path


def opened(path: Path, embedder: str = "dummy") -> SyncAgentMemory:
    """Open a file as the command line does, which embeds later."""
    settings = MemoryConfig(
        embedding_provider=embedder,
        backend_config={"path": str(path)},  # type: ignore[arg-type]
    ).settings()
    settings.embed_on_write = False
    return SyncAgentMemory("t", settings)


def contents(path: Path) -> tuple[list[Any], list[Any], dict[str, Any]]:
    """Return what a file holds, without what differs from one call to the next: new ids, and moments."""
    with opened(path) as memory:
        records = memory.list(None, status=None)
        shown = [comparable(to_dict(record)) for record in records]
        log = [(operation.verb, operation.changes) for operation in memory.log(100)]
        memory.conversation.get_messages(1)
        rest = {"stats": memory.get_stats()["total"], "conversation": memory.conversation.conversation_id}
    return sorted(shown, key=repr), log, rest


def comparable(record: dict[str, Any]) -> dict[str, Any]:
    """Leave out of a record what differs from one call to the next."""
    for name in ("id", "document_id"):
        if record.get(name) is not None and len(set(record[name])) > 1:
            record[name] = "made up"
    for name in ("created_at", "updated_at", "accessed_at", "access_count", "last_used_at", "revision"):
        record.pop(name, None)
    if record.get("expires_at"):
        left = datetime.fromisoformat(record["expires_at"]) - clock.now()
        record["expires_at"] = round(left.total_seconds() / 600)
    return record


def test_every_command_says_which_call_it_is() -> None:
    known = {*CASES, *(tuple(name.split()) for name in WRITES_NO_MEMORY)}
    assert set(commands()) == known
    assert not CASES.keys() & {tuple(name.split()) for name in WRITES_NO_MEMORY}


@pytest.mark.parametrize(
    ("command", "case"),
    [(command, case) for command, cases in CASES.items() for case in cases],
    ids=lambda value: " ".join(value if not isinstance(value, Case) else value.shell)[:50],
)
def test_a_command_and_its_call_give_the_same_memories(
    command: tuple[str, ...],
    case: Case,
    base: Path,
    clean_surroundings: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AGENTMEM_EMBEDDING_PROVIDER", case.embedder)
    here = clean_surroundings
    exported(here)
    document(here)
    shell, python = (Path(shutil.copy(base, here / name)) for name in ("shell.db", "python.db"))
    before = contents(shell)
    ran = run("--db", str(shell), *command, *case.shell, stdin=case.stdin)
    assert ran.code == 0, ran.err
    with opened(python, case.embedder) as memory:
        case.python(memory)
    after = contents(shell)
    assert after == contents(python)
    assert after != before


@pytest.mark.parametrize("command", REFUSED, ids=" ".join)
def test_a_command_and_its_call_are_refused_with_the_same_words(
    command: tuple[str, ...], base: Path, clean_surroundings: Path
) -> None:
    document(clean_surroundings)
    shell, python = (Path(shutil.copy(base, clean_surroundings / name)) for name in ("shell.db", "python.db"))
    before = contents(shell)
    ran = run("--db", str(shell), *command)
    assert ran.code != 0
    with opened(python) as memory, pytest.raises(AgentMemoryError) as refused:
        REFUSED[command](memory)
    assert hints.told(refused.value) in ran.err
    assert contents(shell) == contents(python) == before


def test_the_status_that_is_printed_is_the_one_that_the_library_tells(base: Path, tmp_path: Path) -> None:
    path = Path(shutil.copy(base, tmp_path / "shell.db"))
    ran = run("--db", str(path), "status", "--json")
    with opened(path) as memory:
        state = memory.get_status()
    assert ran.json == json.loads(json.dumps(state))
    assert [line for line in ran.err.splitlines() if line] == list(map(hints.worded, advice(state)))
    assert state["counts"] == {name: memory_stats(path)[name] for name in MemoryType}


def memory_stats(path: Path) -> dict[str, Any]:
    """Return how many memories of each type a file holds."""
    with opened(path) as memory:
        return memory.get_stats()
