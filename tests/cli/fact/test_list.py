from __future__ import annotations

from ..running import done


def test_facts_are_listed_by_any_of_the_tags() -> None:
    for number, tag in enumerate(["a", "b", "c"]):
        done("fact", "add", f"fact {number}", "-t", tag)
    done("pref", "set", "editor", "vim", "-t", "a")
    assert [item["content"] for item in done("fact", "list", "--json").json] == ["fact 2", "fact 1", "fact 0"]
    found = done("fact", "list", "-t", "a", "-t", "b", "--json").json
    assert [result["content"] for result in found] == ["fact 1", "fact 0"]
    assert len(done("fact", "list", "-n", "1", "-o", "id").lines) == 1
    assert len(done("fact", "list", "-n", "1", "--all", "-o", "id").lines) == 3
