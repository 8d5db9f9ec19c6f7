"""The rule that spots standing instructions."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from agent_memory.testing import builders
from agent_memory.text.standing import LONGEST, instruction, spotted
from agent_memory.text.templates import indexed_text


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Always answer in German", "always"),
        ("Please never use emoji in my reports.", "never"),
        ("Hi! Could you always cite your sources?", "always"),
        ("Thanks for that. From now on call me Jo.", "from now on"),
        ("In future, show the diff before you commit", "in future"),
        ("When I ask for a summary, give me bullet points.", "when i ask"),
        ("Format code in blocks whenever I ask about programming", "whenever i ask"),
        ("if I paste a log, go straight to the cause", "if i paste"),
        ("Before you delete anything, ask me.", "before you delete"),
        ("If you ever delete a file, tell me", "if you ever"),
        ("After every meeting, write down who does what", "after every"),
        ("I want you to always check the units", "always"),
        ("I’d like you to write in French unless I say otherwise", "in french"),
        ("Remember that I prefer trains", "remember that"),
        ("- use metric units by default", "by default"),
        ("Keep your answers short", "your answers"),
        ("don't call me that again", "again"),
        ("I'm vegan, so never suggest cheese", "never"),
        ("Stick to British spelling", "stick to"),
        ("call me Jo", "call me"),
        ("Ask me before you delete a file", "before you"),
        ("Every Monday, remind me of the bins", "every monday"),
        ("I want all my dates in ISO format", "all"),
        ("Stay formal unless I say so", "unless i say"),
        ("Please don't use emojis", "don't"),
        ("I'm allergic to nuts, so never suggest them", "never"),
        ("For my trips, always look for trains first", "always"),
        ("When I say the usual, I mean a flat white", "when i say"),
        ("no adverbs, in anything you write for me", "in anything you write"),
    ],
)
def test_an_instruction_is_spotted_by_its_words(text: str, words: str) -> None:
    found = instruction(text)
    assert found is not None
    assert found.words == words


@pytest.mark.parametrize(
    "text",
    [
        "I always forget where I parked",
        "Never say never.",
        "If you ever do it, let me know",
        "She never calls back",
        "Why does it always rain here?",
        "My boss said that from now on we use badges",
        "From now on the shop opens at nine",
        "Write a poem with the line 'always be mine' in it",
        'The sign says "always use the handrail"',
        "For this email, always use the formal address",
        "When I asked for a refund, nobody answered",
        "if I paste it twice, is the second copy lost?",
        "Explain why it crashes every time you start it",
        "Write a function that runs before you save",
        "Read this before you answer",
        "call me a taxi",
        "I'm late, can you call them?",
        "stick to this for the moment",
        "Never give up!",
        "Whenever you need help, just let me know.",
        "You can always count on me!",
        "As soon as I start, all my worries vanish.",
        "Call me crazy, but I liked it",
        "Always write down your dreams, they matter",
        "Whenever you are in town this week, let's meet",
        "When I say I love it, I mean it",
        "```\nnever call this twice\n```",
        "> always use tabs",
        "",
    ],
)
def test_what_is_told_asked_or_quoted_is_none(text: str) -> None:
    assert instruction(text) is None


@pytest.mark.parametrize(
    ("half", "least", "most_wrong"), [("fitted", 29, 0), ("judge", 22, 2)], ids=["fitted", "judge"]
)
def test_of_sentences_written_before_the_rule_was_read(half: str, least: int, most_wrong: int) -> None:
    sentences = json.loads(Path(__file__).with_name("standing_sentences.json").read_text("utf-8"))[half]
    spotted = {kind: sum(instruction(text) is not None for text in sentences[kind]) for kind in sentences}
    assert len(sentences["lasting"]) == len(sentences["not"]) == 30
    assert spotted["lasting"] >= least
    assert spotted["not"] <= most_wrong


def test_only_people_and_facts_are_listened_to() -> None:
    text = "Always answer in German"
    assert spotted(builders.message(text, role="user")) is not None
    assert spotted(builders.message(text, role="HumanMessage")) is not None
    assert spotted(builders.fact(text)) is not None
    assert spotted(builders.message(text, role="assistant")) is None
    assert spotted(builders.message(text, role="system")) is None
    assert spotted(builders.document(text)) is None
    assert spotted(builders.event(text)) is None


def test_the_sentence_is_the_one_that_holds_it() -> None:
    found = instruction("I moved to Basel. Always give prices in francs! What does milk cost?")
    assert found is not None
    assert found.sentence == "Always give prices in francs!"


def test_the_mark_is_indexed_with_what_is_spotted_only() -> None:
    marked, other = (
        set(indexed_text(builders.fact(text)).split()) for text in ("Always stay", "I always stay")
    )
    assert marked - other == {"standinginstructionspotted", "Always"}


@pytest.mark.parametrize("piece", ["always ", "please ", "when i ask ", "in every ", '"', "use a, ", "no "])
def test_a_long_text_is_read_at_its_beginning_only(piece: str) -> None:
    long = piece * (LONGEST // len(piece) + 1)
    assert instruction(long + ". Always use tabs.") == instruction(long)
