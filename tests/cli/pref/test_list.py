from __future__ import annotations

from ..running import done


def test_preferences_are_listed_by_category() -> None:
    done("pref", "set", "editor", "vim")
    done("pref", "set", "tone", "short")
    done("fact", "add", "no preference")
    assert [item["category"] for item in done("pref", "list", "--json").json] == ["tone", "editor"]
    assert [item["content"] for item in done("pref", "list", "tone", "--json").json] == ["short"]
    assert done("pref", "list", "nothing").out == ""
