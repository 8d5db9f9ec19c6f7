from __future__ import annotations

from ..running import done


def test_setting_again_takes_the_place_of_what_was_set() -> None:
    first = done("pref", "set", "editor", "vim").out
    again = done("pref", "set", "editor", "emacs")
    assert again.out == first
    assert "new version" in again.err
    (stored,) = done("pref", "list", "editor", "--json").json
    assert (stored["content"], stored["category"], stored["kind"]) == ("emacs", "editor", "preference")


def test_one_may_be_kept_beside_another() -> None:
    done("pref", "set", "editor", "vim")
    done("pref", "set", "editor", "dark theme", "--beside")
    assert [item["content"] for item in done("pref", "list", "editor", "--json").json] == [
        "dark theme",
        "vim",
    ]
