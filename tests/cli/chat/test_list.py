from __future__ import annotations

from ..running import done


def test_conversations_the_last_written_to_first_and_the_one_in_use_marked() -> None:
    assert done("chat", "list", "--json").json == []
    done("chat", "add", "user", "x", "-c", "old")
    done("chat", "add", "user", "x", "-c", "new")
    done("chat", "add", "user", "x", "-c", "new")
    listed = done("chat", "list", "--json").json
    assert [(item["id"], item["messages"], item["current"]) for item in listed] == [
        ("new", 2, True),
        ("old", 1, False),
    ]
    done("chat", "switch", "old")
    listed = done("chat", "list", "--json").json
    assert [(item["id"], item["current"]) for item in listed] == [("new", False), ("old", True)]
    assert done("chat", "list", "-o", "id").lines == ["new", "old"]
