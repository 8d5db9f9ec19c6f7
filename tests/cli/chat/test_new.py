from __future__ import annotations

from ..running import done


def test_a_new_conversation_is_the_one_that_messages_go_to() -> None:
    done("chat", "add", "user", "before", "-c", "old")
    id = done("chat", "new", "-o", "id").out.strip()
    assert len(id) == 20
    done("chat", "add", "user", "after")
    assert done("chat", "show", id).lines == ["user: after"]
    assert done("chat", "new", "named").out == "named\n"
    done("chat", "add", "user", "there")
    assert done("chat", "show", "named").lines == ["user: there"]
