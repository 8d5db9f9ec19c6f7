"""The everyday verbs: what they print where, and what they exit with."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from agent_memory.choices import formats
from tests.cli.running import done, run


def stored(*arguments: str) -> str:
    return done("add", *arguments).out.strip()


# --- add -------------------------------------------------------------------------------------------------------


def test_add_prints_the_id_alone() -> None:
    ran = done(
        "add",
        "User prefers dark mode",
        "--tag",
        "ui",
        "-m",
        "stars=3",
        "-m",
        "lang=en",
        "--importance",
        "0.8",
    )
    assert len(ran.out.strip()) == 20
    assert ran.err == ""
    record = done("get", ran.out.strip(), "--json").json
    assert (record["type"], record["tags"], record["importance"]) == ("long_term", ["ui"], 0.8)
    assert record["metadata"] == {"stars": 3, "lang": "en"}


@pytest.mark.parametrize("form", [[], ["-o", "id"], ["-o", "text"], ["-o", "table"]])
def test_add_prints_the_id_in_every_form_for_people(form: list[str]) -> None:
    assert len(done("add", "a fact", *form).out.strip()) == 20


def test_add_says_what_is_known_already() -> None:
    first = stored("Alice lives in Paris")
    again = done("add", "Alice  lives in Paris", "--tag", "new")
    assert again.out.strip() == first
    assert "already known" in again.err
    assert done("get", first, "--json").json["tags"] == ["new"]
    assert stored("Alice lives in Paris", "--force") != first


@pytest.mark.parametrize(
    ("alias", "kind"),
    [
        ("note", "short_term"),
        ("fact", "long_term"),
        ("chat", "conversation"),
        ("event", "episodic"),
        ("doc", "semantic"),
        ("skill", "procedural"),
        ("short-term", "short_term"),
    ],
)
def test_add_knows_every_type_by_name_and_alias(alias: str, kind: str) -> None:
    assert done("get", stored("some text", "--type", alias), "--json").json["type"] == kind


def test_add_reads_stdin_lines_files_and_ndjson(tmp_path: Path) -> None:
    assert len(done("add", "-", stdin="from a pipe\n").lines) == 1
    assert len(done("add", stdin="from a pipe without a dash\n").lines) == 1
    assert len(done("add", "--lines", stdin="one\n\n two \nthree\n").lines) == 3
    (tmp_path / "a.md").write_text("text of a")
    (tmp_path / "b.md").write_text("text of b")
    assert len(done("add", "--file", str(tmp_path / "a.md"), "--type", "doc").lines) == 1
    assert len(done("add", "--glob", str(tmp_path / "*.md"), "--type", "doc").lines) == 2
    objects = '{"content": "x", "type": "event", "tags": ["t"]}\n{"text": "y"}\n'
    ids = done("add", "--ndjson-in", "--tag", "all", stdin=objects).lines
    found = done("get", *ids, "--json").json
    assert [(result["type"], result["tags"]) for result in found] == [
        ("episodic", ["all", "t"]),
        ("long_term", ["all"]),
    ]


@pytest.mark.parametrize(
    ("arguments", "stdin", "says"),
    [
        (["add"], "", "stdin is empty"),
        (["add", "-"], "  \n", "stdin is empty"),
        (["add", ""], "", "empty"),
        (["add", "x", "--type", "nonsense"], "", "note"),
        (["add", "x", "--importance", "7"], "", "importance"),
        (["add", "x", "--ttl", "soon"], "", "7d"),
        (["add", "x", "--at", "someday"], "", "yesterday"),
        (["add", "x", "-m", "novalue"], "", "name=value"),
        (["add", "--file", "missing.txt"], "", "missing.txt"),
        (["add", "--glob", "*.nothing"], "", "no file fits"),
        (["add", "--ndjson-in"], '{"content": "fine"}\nnot json\n', "line 2"),
        (["add", "--ndjson-in"], '{"content": "fine"}\n{"tags": []}\n', "line 2"),
        (["search"], "", "stdin is empty"),
        (["search", "x", "--mode", "magic"], "", "hybrid"),
        (["search", "x", "--limit", "0"], "", "limit"),
        (["recall", "x", "--format", "pdf"], "", "markdown"),
        (["recall", "x", "--budget", "3"], "", "budget"),
        (["list", "--sort", "colour"], "", "importance"),
        (["list", "--since", "someday"], "", "yesterday"),
        (["get"], "", "no id"),
        (["update", "abcd1234"], "", "nothing to change"),
        (["forget"], "", "no id"),
        (["serch", "x"], "", "agentmem search"),
        (["add", "x", "--nonsense"], "", "--help"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_bad_input_is_one_line_with_exit_code_2_and_stores_nothing(
    arguments: list[str], stdin: str, says: str
) -> None:
    ran = run(*arguments, stdin=stdin)
    assert ran.code == 2, ran.err
    assert ran.out == ""
    assert says in ran.err
    assert len([line for line in ran.err.splitlines() if line.startswith("error: ")]) == 1
    assert "Traceback" not in ran.err
    assert done("list", "--json").json == []


def test_errors_in_json_go_to_stderr() -> None:
    ran = run("get", "nothing-here", "--json")
    assert ran.code == 3
    error = json.loads(ran.err.splitlines()[-1])["error"]
    assert error["code"] == "not_found"
    assert error["hint"]


def test_dry_run_stores_nothing() -> None:
    assert "would store 2" in done("add", "--lines", "--dry-run", stdin="a\nb\n").err
    assert done("list", "--json").json == []


# --- finding ---------------------------------------------------------------------------------------------------


def test_search_in_every_form() -> None:
    first = stored("the cache layer was renamed", "--type", "event")
    stored("bananas are yellow")
    found = done("search", "cache renamed", "--json", "--explain").json
    assert found[0]["id"] == first
    assert {"score", "similarity", "relevance", "explanation", "content", "type"} <= found[0].keys()
    assert done("search", "cache", "-o", "id", "--limit", "1").out.strip() == first
    assert json.loads(done("search", "cache", "--ndjson").lines[0])["id"] == first
    assert first[:8] in done("search", "cache").lines[0]
    table = done("search", "cache", "-o", "table", "--explain").out
    assert "relevance" in table
    assert "score" in table
    assert [item["id"] for item in done("search", "cache", "--type", "event", "--json").json] == [first]


def test_search_says_when_it_finds_nothing() -> None:
    stored("a fact")
    assert run("search", "zzzqqq", "--mode", "keyword").code == 0
    ran = run("search", "zzzqqq", "--mode", "keyword", "--fail-empty", "--json")
    assert (ran.code, ran.json) == (3, [])
    assert "nothing found" in ran.err


def test_recall_keeps_to_its_budget_in_every_format() -> None:
    for number in range(30):
        stored(f"fact number {number} about the harbour and its {number} ships")
    for form in formats():
        ran = done("recall", "harbour ships", "--budget", "150", "--format", form)
        assert "ships" in ran.out
        assert "dropped" in ran.err
        if form in ("json", "messages"):
            assert json.loads(ran.out)
    assert "pinned fact" in done("recall", "--budget", "200").out if stored_pinned() else False


def stored_pinned() -> str:
    done("pin", found := stored("pinned fact"))
    return found


def test_global_options_stand_anywhere() -> None:
    done("-a", "other", "add", "elsewhere")
    before = done("--json", "-a", "other", "list").json
    after = done("list", "-a", "other", "--json").json
    assert before == after
    assert [item["content"] for item in after] == ["elsewhere"]
    assert done("list", "--json").json == []


def test_an_unknown_agent_warns_and_makes_no_file(private_home: Path) -> None:
    done("-a", "assistant", "add", "x")
    ran = done("-a", "asistant", "list", "--json")
    assert ran.json == []
    assert "-a assistant" in ran.err
    assert sorted(path.name for path in (private_home / "data").glob("*.db")) == ["assistant.db"]


# --- changing --------------------------------------------------------------------------------------------------


def test_get_shows_those_found_and_fails_for_those_missing() -> None:
    first = stored("one")
    ran = run("get", first[:8], "nothing-here", "--json")
    assert ran.code == 3
    assert [item["id"] for item in ran.json] == [first]
    assert "nothing-here" in ran.err


def test_update_history_undo() -> None:
    first = stored("one", "--key", "k")
    assert done("update", "k", "two", "--tag", "t").out.strip() == first
    assert done("get", "k", "--json").json["content"] == "two"
    assert [item["verb"] for item in done("history", first, "--json").json] == ["add", "update"]
    assert [item["verb"] for item in done("log", "--json").json] == ["update", "add"]
    assert "took back 1" in done("undo").err
    assert done("get", "k", "--json").json["content"] == "one"


def test_forget_restore() -> None:
    first = stored("one")
    ran = done("forget", first[:8])
    assert f"archived 1 (agentmem restore {first[:8]})" in ran.err
    assert run("get", first).code == 3
    assert [item["id"] for item in done("list", "--archived", "--json").json] == [first]
    done("restore", first[:8])
    assert done("get", first, "--json").json["content"] == "one"
    assert "archives" in done("rm", first).err


def test_destructive_verbs_need_yes_where_nobody_can_be_asked() -> None:
    first = stored("one", "--tag", "old")
    for arguments in (["--purge", first], ["--shred", first], ["--tag", "old"]):
        ran = run("forget", *arguments)
        assert ran.code == 2
        assert "-y" in ran.err
        assert "would" in done("forget", *arguments, "--dry-run").err
    assert done("get", first, "--json").json["content"] == "one"
    assert "history still holds its text" in done("forget", first, "--purge", "-y").err
    assert "took back" in done("undo").err
    assert done("get", first, "--json").json["content"] == "one"
    assert "shredded 1" in done("forget", first, "--shred", "-y").err
    assert run("get", first).code == 3


def test_pins() -> None:
    first = stored("one", "--tag", "t")
    done("pin", first)
    assert done("list", "--pinned", "-o", "id").out.strip() == first
    assert done("forget", "--tag", "t", "-y").err.startswith("nothing")
    done("unpin", first)
    assert done("list", "--pinned", "--json").json == []


def test_list_stops_at_its_limit_and_says_so() -> None:
    done("add", "--lines", "--no-embed", stdin="".join(f"line {n}\n" for n in range(120)))
    ran = done("list", "-o", "id")
    assert len(ran.lines) == 100
    assert "--all" in ran.err
    assert len(done("list", "--all", "-o", "id").lines) == 120


def test_quiet_says_nothing_on_stderr() -> None:
    stored("one")
    assert done("add", "one", "-q").err == ""


def test_every_condition_on_one_name_must_hold() -> None:
    for name in ("prod", "staging", "dev", "test"):
        done("add", f"{name} runs", "--meta", f"env={name}", "--meta", f"size={len(name)}")
    asked = ("--where", "env!=prod", "--where", "env!=staging")

    def listed(command: str, *more: str) -> list[str]:
        rows = done(command, *more, "--json").json
        return sorted(row["content"] for row in rows)

    assert listed("list", *asked) == ["dev runs", "test runs"]
    assert listed("list", *asked, "--where", "env!=dev", "--where", "env") == ["test runs"]
    assert listed("list", "--where", "size>3", "--where", "size!=7", "--where", "size>2") == [
        "prod runs",
        "test runs",
    ]
    assert listed("search", "what runs", *asked) == ["dev runs", "test runs"]
    done("forget", *asked, "-y")
    assert listed("list") == ["prod runs", "staging runs"]


def test_one_name_has_one_value() -> None:
    id = done("add", "it runs").out.strip()
    for command in (("add", "more"), ("update", id), ("fact", "add", "more"), ("event", "add", "more")):
        ran = run(*command, "--meta", "env=dev", "--meta", "env=prod")
        assert ran.code == 2
        assert "'env' is given twice" in ran.err
    assert run("update", id, "--field", "kind=fact", "--field", "kind=preference").code == 2
    assert len(done("list", "--json").json) == 1


def test_where_filters_by_metadata() -> None:
    stored("one", "-m", "stars=3")
    second = stored("two", "-m", "stars=5")
    assert done("list", "--where", "stars>=4", "-o", "id").out.strip() == second
    assert len(done("list", "--where", "stars", "--json").json) == 2
    assert len(done("list", "--where", "stars!=5", "--json").json) == 1


@pytest.mark.parametrize("condition", ["", " ", ">=3", "=3", "stars=>3", "stars==3", "a<"])
def test_a_condition_that_makes_no_sense_is_refused(condition: str) -> None:
    stored("a", "-m", "stars=3")
    ran = run("list", "--where", condition)
    if condition == "a<":
        assert ran.code == 0  # smaller than nothing: it fits nothing, but it can be read
        return
    assert ran.code == 2
    assert "is not a condition" in ran.err


def test_lines_end_where_lines_end_and_nowhere_else() -> None:
    odd = "one\u2028still one\u0085 and\x0c on"
    assert len(done("add", "--lines", stdin=f"{odd}\r\nsecond\n").lines) == 2
    exported = done("list", "--ndjson").out
    assert len(done("add", "--ndjson-in", "--force", stdin=exported).lines) == 2
    assert [item["content"] for item in done("list", "--json").json].count(odd) == 2


def test_a_long_document_is_stored_in_chunks_and_a_short_one_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AGENTMEM_EMBEDDING_PROVIDER", "local")
    text = "\n\n".join(f"Paragraph {number} speaks of subject {number} at length." for number in range(80))
    ids = done("add", "-", "--type", "doc", stdin=text).lines
    assert len(ids) > 2
    chunks = [done("get", memory_id, "--json").json for memory_id in ids]
    assert len({chunk["document_id"] for chunk in chunks}) == 1
    assert "".join(chunk["content"] for chunk in chunks) == text
    assert done("add", "-", "--type", "doc", stdin=text).lines == ids
    (short,) = done("add", "short knowledge", "--type", "doc").lines
    assert done("get", short, "--json").json["document_id"] is None


def test_the_id_of_a_document_is_accepted_where_ids_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AGENTMEM_EMBEDDING_PROVIDER", "local")
    path = tmp_path / "guide.md"
    path.write_text("A sentence about deployments. " * 120)
    ids = done("doc", "add", "--file", str(path)).lines
    done("doc", "add", "--text", "A sentence about the deployment of things")
    document = done("doc", "list", "-o", "id").lines[-1]
    assert [item["id"] for item in done("get", document, "--json").json] == ids
    assert not {item["id"] for item in done("doc", "related", document, "--json").json} & set(ids)
    assert done("pin", document[:8], "-o", "id").lines == ids
    assert f"archived {len(ids)}" in done("forget", document).err
    done("undo")
    assert len(done("get", document, "--json").json) == len(ids)


def test_recall_in_the_forms_for_programs() -> None:
    id = stored("the deploy goes out on Fridays")
    found = done("recall", "deploy", "--json").json
    assert "deploy goes out" in found["text"]
    assert [(result["id"], result["form"]) for result in found["items"]] == [(id, "full")]
    assert found["tokens"] <= found["budget"] == 2000
    assert done("recall", "deploy", "-o", "id").lines == [id]
    assert json.loads(done("recall", "deploy", "--ndjson").out)["text"] == found["text"]


def test_recall_says_a_thing_once() -> None:
    for _ in range(5):
        stored("the nightly build failed", "--type", "event")
    ran = done("recall", "nightly build", "--verbose")
    assert ran.out.count("the nightly build failed") == 1
    assert "another memory says the same" in ran.err
    summary = done("recall", "nightly build").err.splitlines()[-1]
    assert summary.endswith("tokens: 1 memory; 4 repetitions left out"), (
        "nothing was dropped for want of room"
    )


@pytest.mark.parametrize("budget", ["0", "31"])
def test_a_budget_that_holds_nothing_is_refused(budget: str) -> None:
    assert run("recall", "-b", budget).code == 2


def test_a_score_that_is_no_number_is_refused() -> None:
    stored("a")
    assert run("search", "a", "--min-score", "nan").code == 2
    assert run("event", "recent", "--hours", "nan").code == 2
    assert done("event", "recent", "--hours", "1e308").code == 0


@pytest.mark.parametrize(
    "command",
    [["forget", "nope"], ["update", "nope", "x"], ["undo"], ["chat", "add", "user", ""], ["pin", "nope"],
     ["skill", "add", "a", "text", "--step", "one"], ["reembed", "-y"], ["work", "clear", "x"]],
)  # fmt: skip
def test_what_stores_nothing_makes_no_file(command: list[str], private_home: Path) -> None:
    run(*command)
    assert not list(private_home.rglob("*.db"))


def test_a_file_in_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    ran = run("add", "x", "--db", str(tmp_path / "no" / "a.db"))
    assert ran.code == 2
    assert "mkdir -p" in ran.err
    assert not (tmp_path / "no").exists()


def test_an_embedder_that_does_not_exist_is_refused_where_it_is_set(
    private_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AGENTMEM_EMBEDDING_PROVIDER", raising=False)
    ran = run("config", "set", "embedding.provider", "bogus")
    assert ran.code == 2
    assert "none" in ran.err
    path = Path(done("config", "path").out.strip())
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text('[embedding]\nprovider = "bogus"\n')
    path.chmod(0o600)
    ran = run("add", "x")
    assert ran.code == 2
    assert str(path) in ran.err
    assert not list(private_home.rglob("*.db"))
    done("config", "set", "embedding.provider", "--unset")
    stored("x")


def test_status_of_an_agent_without_a_file_names_the_file_it_would_be(private_home: Path) -> None:
    ran = done("status", "-a", "nobody")
    assert "nobody.db" in ran.out
    assert "empty" in ran.out
    assert "this process" not in ran.out


def test_without_an_embedder_nothing_is_owed(monkeypatch: pytest.MonkeyPatch) -> None:
    stored("x")
    assert done("status", "--json").json["owed_embeddings"] == 1
    monkeypatch.setenv("AGENTMEM_EMBEDDING_PROVIDER", "none")
    assert done("status", "--json").json["owed_embeddings"] == 0


def test_history_says_what_was_done_and_what_was_changed() -> None:
    id = stored("one", "--tag", "t")
    done("update", id, "--tag", "u", "--importance", "0.9")
    done("forget", id, "--purge", "-y")
    done("restore", id)
    lines = done("history", id).lines
    assert lines[1].endswith("(importance, tags)  by agentmem update")
    assert [line.split()[2] for line in lines] == ["add", "update", "purge", "restore"]


def test_an_empty_list_says_so() -> None:
    for command in (["fact", "list"], ["event", "recent"], ["doc", "list"], ["log"], ["chat", "list"]):
        ran = done(*command)
        assert (ran.out, len(ran.err.splitlines())) == ("", 2), (
            command
        )  # the agent is new, and the list is empty
    stored("x")
    assert done("list", "--archived").err == "nothing was put away\n"
    assert done("fact", "dupes").err == "no two say the same, and none are similar\n"


def test_a_value_of_null_is_a_value() -> None:
    done("work", "set", "nothing", "null", "--parse")
    assert done("work", "get", "nothing", "--json").out == "null\n"


def test_a_named_pipe_without_a_writer_is_empty_and_one_with_a_writer_is_read(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    ran = run("add", "--file", str(pipe))
    assert (ran.code, ran.out) == (2, "")
    assert "is empty" in ran.err
    assert "is not an export" in run("import", str(pipe)).err
    stored("something to export")
    assert "nobody reads" in run("export", str(pipe)).err
    number = os.open(pipe, os.O_RDWR)
    os.write(number, b"through a pipe\n")
    threading.Timer(0.5, os.close, (number,)).start()
    id = done("add", "--file", str(pipe)).out.strip()
    assert done("get", id, "-o", "text").out == "through a pipe\n"


def test_a_stream_without_an_end_is_refused() -> None:
    endless = subprocess.Popen(["yes", "a line"], stdout=subprocess.PIPE)
    ran = subprocess.run(
        [sys.executable, "-m", "agentmem_cli", "add", "-"],
        stdin=endless.stdout,
        capture_output=True,
        text=True,
    )
    endless.kill()
    endless.communicate()
    assert (ran.returncode, ran.stdout) == (2, "")
    assert "several parts" in ran.stderr


def test_a_filter_that_spares_pinned_memories_says_so() -> None:
    id = done("add", "the rule", "--tag", "old").lines[0]
    done("pin", id)
    done("add", "a fact", "--tag", "old")
    spared = "1 pinned memory spared: unpin them, name them by id, or give --pinned"
    assert spared in done("forget", "--tag", "old", "--dry-run").err
    assert done("forget", "--tag", "old", "-y").err.splitlines()[-1] == spared
    assert done("forget", "--tag", "old", "-y").err.splitlines() == ["nothing to put away", spared]
    assert "spared" not in done("forget", "--tag", "old", "--pinned", "-y").err


def test_get_says_that_a_memory_was_put_away() -> None:
    id = done("add", "the rule", "--key", "rule").lines[0]
    done("forget", id)
    said = f"error: no memory 'rule': it is archived; `agentmem restore {id[:8]}` brings it back"
    ran = run("get", "rule")
    assert (ran.code, ran.err.splitlines()) == (3, [said])
