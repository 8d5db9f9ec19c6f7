from __future__ import annotations

from ..running import done, run


def test_a_fact_is_stored_with_its_tags_and_source() -> None:
    id = done(
        "fact", "add", "The database runs in Oslo", "-t", "ops", "-t", "db", "--source", "wiki", "-m", "n=1"
    ).out
    stored = done("get", id.strip(), "--json").json
    assert (stored["type"], stored["kind"], stored["tags"]) == ("long_term", "fact", ["db", "ops"])
    assert (stored["source"], stored["metadata"], stored["importance"]) == ("wiki", {"n": 1}, 0.7)


def test_a_known_fact_keeps_its_id_and_gains_the_tags() -> None:
    first = done("fact", "add", "the same", "-t", "a")
    again = done("fact", "add", "-", "-t", "b", stdin="the same\n")
    assert again.out == first.out
    assert again.err == f"already known: {first.out[:8]}, which took over tags\n"
    assert done("get", first.out.strip(), "--json").json["tags"] == ["a", "b"]
    assert done("fact", "add", "the same", "--force").out != first.out


def test_no_text_is_a_usage_error() -> None:
    assert run("fact", "add", "-").code == 2
    assert run("fact", "add", "x", "--importance", "2").code == 2
