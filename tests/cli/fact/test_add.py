from __future__ import annotations

from ..running import done, run

HEADING = "### Standing context\n"


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


def test_a_standing_fact_is_in_every_recall_until_that_is_taken_back() -> None:
    done("fact", "add", "The database runs in Oslo")
    id = done("fact", "add", "Prices are in francs", "--standing").out.strip()
    assert done("get", id, "--json").json["tags"] == ["standing"]
    recall = done("recall", "where does the database run", "--explain")
    assert f"{HEADING}- [fact, " in recall.out
    assert recall.err.count(": standing") == 1
    assert HEADING not in done("recall", "where does the database run", "--standing-share", "0").out
    assert done("fact", "update", id, "--no-standing").out.strip() == id
    assert HEADING not in done("recall", "where does the database run").out
    done("fact", "update", id, "Prices are in euros", "--standing")
    assert "euros" in done("recall", "where does the database run").out.partition(HEADING)[2]


def test_an_instruction_in_a_chat_is_explained_and_the_rule_can_be_turned_off() -> None:
    done("fact", "add", "The database runs in Oslo")
    done("chat", "add", "user", "Always answer in German.")
    recall = done("recall", "where does the database run", "--explain")
    assert "Always answer in German." in recall.out
    assert 'instruction: "always"' in recall.err
    found = done("recall", "where does the database run", "--json").json["items"]
    assert [item["reason"] for item in found] == [None, 'instruction: "always"']
    done("config", "set", "standing_rule", "false")
    assert HEADING not in done("recall", "where does the database run").out
    assert run("config", "set", "standing_share", "2").code == 2
    assert run("recall", "x", "--standing-share", "2").code == 2
