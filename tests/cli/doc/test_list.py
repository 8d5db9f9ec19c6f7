from __future__ import annotations

from ..running import done


def test_documents_and_single_pieces() -> None:
    done("doc", "add", "--text", "first text", "--title", "First", "-t", "a")
    single = done("add", "by itself", "--type", "doc").out.strip()
    listed = done("doc", "list", "--json").json
    assert [(item["title"], item["chunks"], item["content"]) for item in listed] == [
        (None, 1, "by itself"),
        ("First", 1, "first text"),
    ]
    assert done("doc", "list", "-o", "id", "-n", "1").lines == [single]
    assert len(done("doc", "list", "-n", "1", "--all", "-o", "id").lines) == 2
