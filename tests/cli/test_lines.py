"""Memories that come in lines: what `list --ndjson` prints is taken over whole, and nothing is dropped in silence."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.running import done, run

ITS_OWN = ("id", "updated_at", "accessed_at", "access_count", "agent_id")


def listed(*arguments: str) -> list[dict[str, Any]]:
    found = done("list", "--all", "--json", *arguments).json
    return [{name: value for name, value in result.items() if name not in ITS_OWN} for result in found]


def test_memories_of_all_types_go_from_one_agent_to_another(clean_surroundings: Path) -> None:
    (clean_surroundings / "guide.md").write_text("Deploys go out on Fridays.")
    for command in (
        "add User_prefers_tabs --tag a --meta n=1 --key tabs --importance 0.9 --pin --session s --source talk",
        "add version_2_went_out --type event --at 2020-03-04T05:06:07.899999Z",
        "event add deploy_failed --type deploy --outcome failed --participant Ann --location Oslo --duration 90s",
        "chat new talk",
        "chat add user hello --name Ann",
        "chat add assistant hi",
        "pref set editor vim",
        "skill add backoff wait --trigger 429 --category http",
        "skill used backoff",
        "skill used backoff --failed",
        "skill add ship --step build --step test",
        "work set step {\"n\":[1,null]} --parse --ttl 7d",
        "work set name Ann",
        "add ends --type note --ttl 2h",
        "add lasts_a_week --ttl 7d",
        "doc add guide.md --tag docs",
        "doc add --text by_itself --title T",
    ):  # fmt: skip
        done(*command.split())
    first = listed()
    assert len(first) == 14
    lines = done("list", "--all", "--ndjson").out
    ran = done("-a", "other", "add", "--ndjson-in", stdin=lines)
    assert len(ran.lines) == 14
    assert listed("-a", "other") == first
    (note,) = [line for line in ran.err.splitlines() if "left out" in line]
    assert "id, " in note
    assert "updated_at" in note
    shown = done("get", *done("list", "--all", "-o", "id").lines, "--json", "-q").json
    again = done(
        "-a", "third", "add", "--ndjson-in", stdin="".join(json.dumps(item) + "\n" for item in shown)
    )
    assert len(again.lines) == 14
    assert listed("-a", "third") == first


def test_ids_are_printed_in_the_order_of_the_lines() -> None:
    lines = '{"content":"b","created_at":"2020-01-02"}\n{"content":"a","created_at":"2020-01-01"}\n'
    ids = done("add", "--ndjson-in", stdin=lines).lines
    assert [item["content"] for item in done("get", *ids, "--json").json] == ["b", "a"]


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ('{"content":"x","status":"archived"}', "archived"),
        ('{"content":"x","status":"superseded"}', "superseded"),
        ('{"content":"x","colour":"red"}', "'colour'"),
        ('{"content":"x","expires_at":"2020-01-01"}', "ended at 2020"),
        ('{"content":"x","created_at":1577836800}', "created_at"),
        ('{"content":"x","pinned":"no"}', "pinned"),
        ('{"content":"x","tags":5}', "tags"),
        ('{"content":"x","role":"user"}', "role"),
        ('{"content":"x","importance":7}', "importance"),
        ('{"content":" "}', "empty"),
        ('{"content":"x","type":"nonsense"}', "nonsense"),
        ('{"tags":[]}', "content"),
        ('{"content":"x","type":"doc","position":-1}', "position"),
        ('{"content":"x","type":"skill","use_count":1e3}', "use_count"),
        ('{"content":"x","type":"skill","use_count":2,"success_count":3}', "success_count"),
        ("[1]", "object"),
    ],
)
def test_a_line_that_cannot_be_taken_over_is_refused_by_its_number(line: str, says: str) -> None:
    ran = run("add", "--ndjson-in", stdin=f'\n{{"content":"fine"}}\n\n{line}\n')
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith("error: line 4")
    assert says in ran.err
    assert len(ran.err.splitlines()) == 1
    assert done("list", "--json").json == []


def test_what_a_search_prints_is_taken_over_too() -> None:
    done("add", "the cache is in Oslo", "--tag", "ops")
    lines = done("search", "cache", "--ndjson", "--explain").out
    done("-a", "other", "add", "--ndjson-in", stdin=lines)
    assert listed("-a", "other") == listed()


def test_lines_come_from_files_too(tmp_path: Path) -> None:
    (tmp_path / "facts.txt").write_text("one\r\n\n two\n")
    (tmp_path / "facts.ndjson").write_text('{"content":"three"}\n')
    assert len(done("add", "--lines", "--file", str(tmp_path / "facts.txt")).lines) == 2
    done("add", "--ndjson-in", "--file", str(tmp_path / "facts.ndjson"))
    assert [item["content"] for item in listed()] == ["three", "two", "one"]
    (tmp_path / "facts.ndjson").write_text('{"content":"four"}\n{"contnt":"five"}\n')
    ran = run("add", "--ndjson-in", "--file", str(tmp_path / "facts.ndjson"))
    assert "facts.ndjson line 2" in ran.err
    assert run("add", "--lines", "--ndjson-in", stdin="x").code == 2
