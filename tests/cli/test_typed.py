"""What people type: texts that look like options, numbers that are none, times, and names that lists print."""

from __future__ import annotations

import errno
import json
import os

import pytest

from agentmem_cli import errors
from tests.cli.running import done, run


@pytest.mark.parametrize(
    "text", ["- one\n- two", "- a", "--retry limit=3 is too low", "-5 degrees", "-- dash dash"]
)
def test_a_text_may_begin_with_a_hyphen(text: str) -> None:
    done("add", "--tag", "t", text, "-q")
    done("chat", "add", "assistant", text, "--name", "Bot")
    contents = [item["content"] for item in done("list", "--json", "--all").json]
    assert contents == [text, text]


@pytest.mark.parametrize("text", ["-one", "--one", "-x"])
def test_else_the_error_names_the_two_hyphens(text: str) -> None:
    ran = run("add", text)
    assert ran.code == 2
    assert "goes behind --" in ran.err
    done("add", "--", text)
    assert done("list", "--json").json[0]["content"] == text


@pytest.mark.parametrize("value", ["-q", "--json", "-o", "-y", "- x"])
def test_the_value_of_an_option_is_no_option(value: str) -> None:
    done("add", "--source", value, "text")
    assert done("list", "--json").json[0]["source"] == value


def test_global_options_may_stand_anywhere() -> None:
    assert done("add", "one", "--json").json["outcome"] == "added"
    assert done("chat", "--json", "add", "user", "hi", "-a", "other").json["id"]
    assert len(done("-a", "other", "list", "-o", "id").lines) == 1
    assert done("add", "-t'two words'", "text", "-q").code == 0


@pytest.mark.parametrize(
    "text",
    ["3.10", "1234e8", "61e9540", "20260910.021100", "NaN", "Infinity", "007", "+5", "1e5", "-0", "1_000"],
)
def test_what_only_looks_like_a_number_is_text(text: str) -> None:
    done("add", "x", "--meta", f"v={text}")
    assert done("list", "--json").json[0]["metadata"]["v"] == text
    assert len(done("list", "--where", f"v={text}", "-o", "id").lines) == 1


@pytest.mark.parametrize("text", ["3", "-2", "0.5", "true", "null", '[1, "a"]', '{"a": 1}'])
def test_what_is_json_is_that(text: str) -> None:
    done("add", "x", "--meta", f"v={text}")
    metadata = done("list", "--json").json[0]["metadata"]
    assert metadata.get("v") == json.loads(text)


@pytest.mark.parametrize("nested", ["[" * 10_000, "[" * 101 + "]" * 101, '{"a":' * 3000 + "1" + "}" * 3000])
def test_endless_brackets_are_one_line(nested: str) -> None:
    for arguments, given in (
        (("add", "x", "--meta", f"a={nested}"), ""),
        (("work", "set", "a", "-", "--parse"), nested),
        (("add", "--ndjson-in"), f'{{"content": "x", "metadata": {{"a": {nested}}}}}'),
    ):
        ran = run(*arguments, stdin=given)
        if ran.code == 0:  # what is not JSON is a text
            continue
        assert ran.code == 2
        assert len(ran.err.splitlines()) == 1
        assert "report it" not in ran.err


@pytest.mark.parametrize(
    "time",
    ["2 days ago", "10:30", "Wed Nov 25 21:35:36 2026 +0100", "1764106536", "2026-11-25 21:35:36 +0000"],
)
def test_times_as_programs_write_them(time: str) -> None:
    done("event", "add", "x", "--at", time)
    assert done("list", "--json").json[0]["occurred_at"]


@pytest.mark.parametrize("time", ["2 hours", "90 seconds", "1 day 12 hours", "3 Weeks", "15min"])
def test_durations_with_words(time: str) -> None:
    done("add", "x", "--type", "note", "--ttl", time)


@pytest.mark.parametrize("time", ["25 parsecs", "10:75", "2 hours of", "Mon Foo 3"])
def test_other_times_are_refused(time: str) -> None:
    assert run("event", "add", "x", "--at", time).code == 2


def test_names_that_lists_print_are_accepted() -> None:
    done("pref", "set", "theme", "-", stdin=b"dark\r\n")
    done("skill", "add", "rotate-keys", "make new ones")
    done("doc", "add", "-", "--title", "Notes", stdin="what was said")
    done("work", "set", "branch", "main")
    assert done("get", "theme", "-o", "text").out == "dark\n"
    assert done("get", "rotate-keys", "-o", "text").out == "make new ones\n"
    assert "dark" in done("history", "theme").out
    assert done("doc", "show", "Notes").out == "what was said\n"
    assert [item["content"] for item in done("list", "--type", "pref", "--json").json] == ["dark"]
    assert [item["key"] for item in done("list", "--type", "work", "--json").json] == ["branch"]
    assert len(done("list", "--type", "skills", "--json").json) == 1


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (("skill", "show", "rotate"), "rotate-keys"),
        (("skill", "used", "rotate-kyes"), "rotate-keys"),
        (("event", "list"), "agentmem event timeline"),
        (("list", "--type", "evnt"), "did you mean event"),
        (("chat", "add", "hello"), "agentmem chat add user hello"),
        (("get", "sdb"), "at least 4"),
        (("--db", "~nosuchuser/x.db", "list"), "whole path"),
    ],
)
def test_near_misses(arguments: tuple[str, ...], hint: str) -> None:
    done("skill", "add", "rotate-keys", "make new ones")
    ran = run(*arguments)
    assert ran.code in (2, 3)
    assert hint in ran.err
    assert len(ran.err.splitlines()) == 1


def test_a_list_by_time_of_happening_shows_it() -> None:
    done("event", "add", "long ago", "--at", "2001-02-03")
    assert "2001-02-03" in done("list", "--sort", "occurred").out


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        (
            ("add", "two", "words"),
            "unexpected extra argument (words): a text of several words stands in quotes",
        ),
        (
            ("list", "--types", "fact"),
            "no such option: --types: there is --type; `agentmem list --help` shows how",
        ),
        (("list", "-n", "0"), "0 is too small, the least is 1"),
        (("list", "-n", "x"), "'x' is not a whole number"),
        (("add", "x", "--importance", "high"), "'high' is not a number"),
        (("add", "x", "--importance", "2"), "2.0 is not between 0.0 and 1.0"),
        (("chat", "add", "assistant"), "the role 'assistant': agentmem chat add assistant TEXT"),
        (("chat", "add", "hello"), "the role 'hello': agentmem chat add user hello"),
        (("find", "x"), "did you mean `agentmem search`?"),
        (("show",), "did you mean `agentmem get`?"),
        (("config", "unset", "limit"), "did you mean `agentmem config set NAME --unset`?"),
    ],
)
def test_a_slip_is_answered_in_words(typed: tuple[str, ...], said: str) -> None:
    ran = run(*typed)
    assert (ran.code, said in ran.err) == (2, True), ran.err


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EMFILE])
def test_an_error_of_the_system_says_what_to_do(number: int, capsys: pytest.CaptureFixture[str]) -> None:
    with errors.reported([]) as outcome:
        raise OSError(number, os.strerror(number), "file")
    said = capsys.readouterr().err
    assert outcome.code == 1
    assert said.startswith(f"error: file: {os.strerror(number).lower()}: ")
