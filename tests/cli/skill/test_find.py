from __future__ import annotations

from ..running import done


def test_a_trigger_in_the_situation_comes_first() -> None:
    done("skill", "add", "other", "the server is restarted with systemctl")
    id = done("skill", "add", "free-disk", "prune images", "--trigger", "disk full").out.strip()
    found = done("skill", "find", "the server says: disk full", "--json").json
    assert found[0]["id"] == id
    assert done("skill", "find", "-", "-n", "1", "-o", "id", stdin="disk full").lines == [id]
