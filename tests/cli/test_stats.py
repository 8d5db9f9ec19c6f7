from __future__ import annotations

from agent_memory.paths import database

from .running import done


def test_counts_sizes_ages_and_tags() -> None:
    done("add", "one", "--type", "fact", "-t", "a", "-t", "b")
    done("add", "two", "--type", "fact", "-t", "a")
    done("event", "add", "long ago", "--at", "2020-01-01")
    told = done("stats", "--json").json
    assert (told["total"], told["long_term"], told["episodic"]) == (3, 2, 1)
    assert told["types"]["long_term"]["bytes"] == 6
    assert told["tags"] == {"a": 2, "b": 1}
    assert (told["ages"]["hour"], told["ages"]["older"]) == (2, 1)
    lines = done("stats").lines
    assert lines[0].startswith("default: 3 memories, ")
    assert any(line.startswith("fact") and "#" * 20 in line for line in lines)
    assert any(line.startswith("event") and line.count("#") == 10 for line in lines)
    assert [line.split() for line in lines[-2:]] == [["a", "2", "#" * 20], ["b", "1", "#" * 10]]


def test_only_the_most_used_tags() -> None:
    done("add", "one", "-t", "a", "-t", "b", "-t", "c")
    ran = done("stats", "--top", "1")
    assert "2 more tags: --top 3" in ran.err
    assert [line.split()[0] for line in ran.lines if line][-1] == "a"


def test_of_nothing() -> None:
    told = done("stats", "--json").json
    assert told["total"] == 0
    assert (told["backend"], told["location"], told["bytes"]) == ("sqlite", str(database("default")), 0)
    assert str(database("default")) in done("stats").lines[0]
    assert done("stats").lines[0].startswith("default: 0 memories")


def test_as_a_table_with_bars() -> None:
    done("add", "one", "-t", "a")
    shown = done("stats", "-o", "table").out
    assert "█" * 20 in shown
    assert "oldest" in shown
