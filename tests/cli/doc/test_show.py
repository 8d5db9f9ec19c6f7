from __future__ import annotations

from ..running import done, run

LONG = "\n\n".join(f"Paragraph {number} is about topic {number}." for number in range(400))


def test_all_of_a_document_is_printed() -> None:
    ids = done("doc", "add", "-", "--title", "Long", stdin=LONG).lines
    (document,) = done("doc", "list", "-o", "id").lines
    for reference in (document, document[:8], ids[-1]):
        assert "".join(done("doc", "show", reference).out.split()) == "".join(LONG.split())
    assert [item["position"] for item in done("doc", "show", document, "--json").json] == list(
        range(len(ids))
    )


def test_a_single_piece_is_a_document_too() -> None:
    id = done("add", "by itself", "--type", "doc").out.strip()
    assert done("doc", "show", id).out == "by itself\n"


def test_an_unknown_one_is_not_found() -> None:
    done("doc", "add", "--text", "x")
    ran = run("doc", "show", "zzzz")
    assert ran.code == 3
    assert "agentmem doc list" in ran.err
