from __future__ import annotations

from ..running import done


def test_only_values_are_listed_newest_first() -> None:
    done("work", "set", "a", "1", "--ttl", "2h")
    done("work", "set", "b", '{"x": [1, 2]}', "--parse")
    done("add", "a note", "--type", "note")
    listed = done("work", "list", "--json").json
    assert [(item["key"], item["value"], item["kind"]) for item in listed] == [
        ("b", {"x": [1, 2]}, "working"),
        ("a", "1", "working"),
    ]
    first, second = done("work", "list").lines
    assert first.split("  ")[1:3] == ["b", '{"x": [1, 2]}']
    assert second.endswith(("+1h", "+2h"))
    assert len(done("work", "list", "--limit", "1", "-o", "id").lines) == 1
