"""What a recall leaves out of what was found."""

from __future__ import annotations

from agent_memory.recall import constants
from agent_memory.recall.floor import above_floor
from agent_memory.recall.found import Found
from agent_memory.records import MemoryRecord, ScoredMemory
from agent_memory.testing import builders


def kept(least: float | None, **relevance: float) -> set[str]:
    """Return which of three messages of one conversation, one of another and a fact go into a recall, by name."""
    records: dict[str, MemoryRecord] = {
        "answer": builders.message("To the lake", conversation_id="trip", position=1),
        "near": builders.message("How lovely", conversation_id="trip", position=2),
        "later": builders.message("Bye", conversation_id="trip", position=4),
        "elsewhere": builders.message("Good night", conversation_id="other", position=1),
        "fact": builders.fact("The printer is out of paper"),
    }
    names = {record.id: name for name, record in records.items()}
    found = Found(ScoredMemory(record, 0.5, relevance.get(name, 0.0)) for name, record in records.items())
    return {names[result.memory.id] for result in above_floor(found, "where to?", least).results}


def test_a_message_stays_where_one_near_it_answers() -> None:
    assert kept(None, answer=0.9) == {"answer", "near"}
    assert kept(None, answer=0.9, elsewhere=constants.RECALL_FLOOR) == {"answer", "near", "elsewhere"}


def test_a_fact_that_answers_keeps_no_message() -> None:
    assert kept(None, fact=0.9) == {"fact"}


def test_nothing_stays_where_nothing_answers() -> None:
    assert kept(None, answer=constants.NOTHING_RELEVANT - 0.01) == set()


def test_a_floor_that_was_asked_for_holds_for_each_message() -> None:
    assert kept(0.2, answer=0.9, near=0.1) == {"answer"}
    assert kept(0.0) == {"answer", "near", "later", "elsewhere", "fact"}


def facts_kept(*relevance: float) -> int:
    """Return how many of several facts go into a recall."""
    found = Found(ScoredMemory(builders.fact(f"fact {share}"), 0.5, share) for share in relevance)
    return len(above_floor(found, "where to?", None).results)


def test_of_facts_only_those_stay_that_come_near_the_best() -> None:
    assert facts_kept(0.98, 0.9, 0.75) == 2
    assert facts_kept(0.6, 0.5, 0.2) == 3
    assert facts_kept(0.6, 0.09) == 1


def test_what_is_certain_leaves_out_nothing_that_is_nearly_so() -> None:
    assert facts_kept(1.0, 0.98, 0.9) == 2


def test_a_fact_stays_that_answers_another_part_of_the_query() -> None:
    query = "Which port has the database, and who owns the gateway?"
    said = {"port": "The database has the port 5433", "owner": "Yusuf owns the gateway", "name": "A database"}
    ids = {name: builders.fact(text) for name, text in said.items()}

    def kept_of(**relevance: float) -> set[str]:
        found = Found(ScoredMemory(ids[name], 0.5, share) for name, share in relevance.items())
        kept = {result.memory.id for result in above_floor(found, query, None).results}
        return {name for name, record in ids.items() if record.id in kept}

    assert kept_of(port=0.99, owner=0.7, name=0.7) == {"port", "owner"}
    assert kept_of(port=0.99, owner=0.4) == {"port"}, "it answers less likely than not"
    assert kept_of(owner=0.7, port=0.99) == {"port", "owner"}, "whatever ranks first"
