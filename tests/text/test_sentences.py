"""Sentences, and shortening to those that matter."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent_memory.text.analysis import query_terms
from agent_memory.text.sentences import best_sentences, extractive_summary, first_line, sentences
from agent_memory.text.tokens import estimate_tokens

CASES = {
    "plain": ["She left.", "He stayed!", "Why?", "No one knows…", "Really."],
    "abbreviations": [
        "Dr. Smith, i.e. the surgeon, came at 5 p.m. sharp.",
        "He met J. K. Rowling, e.g. at noon.",
    ],
    "numbers": ["It cost $3.50 in version 1.2.3 today.", "Then 4 of 5 left."],
    "quotes": ['"Really?" she asked.', '"Yes!"', "He nodded (twice).", "Done."],
    "urls": ["See https://example.org/a.b?c=d.e for more.", "Or ask."],
}
FILLER = "Nothing of note happened on day number {} of the long journey."
anything = st.text(st.sampled_from('ab Cd.!?\n-1。猫好… "e.g'), max_size=120) | st.text(max_size=200)


@pytest.mark.parametrize("expected", CASES.values(), ids=CASES)
def test_prose(expected: list[str]) -> None:
    assert sentences(" ".join(expected)) == expected


def test_lines_and_list_items() -> None:
    assert sentences("First line\nSecond line\n\n\nThird") == ["First line", "Second line", "Third"]
    assert sentences("# Head\n- one thing\n- another. With more\n1. third") == [
        "# Head",
        "- one thing",
        "- another.",
        "With more",
        "1. third",
    ]


def test_a_line_that_an_editor_has_wrapped_goes_on() -> None:
    wrapped = (
        "This is a line that somebody's editor has broken at column\nsixty, as e-mails are. It ends here."
    )
    assert sentences(wrapped) == [wrapped[:-14], "It ends here."]


def test_chinese_and_japanese() -> None:
    assert sentences("今天下雨。我们在家！「真的吗？」好") == [
        "今天下雨。",
        "我们在家！",
        "「真的吗？」",
        "好",
    ]


@given(anything)
def test_no_character_that_says_anything_is_lost(text: str) -> None:
    parts = sentences(text)
    assert "".join("".join(parts).split()) == "".join(text.split())
    assert all(part and part == part.strip() for part in parts)


def story(*telling: str, before: int = 30, after: int = 30) -> str:
    days = [FILLER.format(day) for day in range(before)]
    later = [FILLER.format(day) for day in range(before, before + after)]
    return " ".join([*days, *telling, *later])


@pytest.mark.parametrize("budget", [16, 24, 40, 100, 300])
def test_the_sentence_that_answers_is_kept(budget: int) -> None:
    text = story("The rocket engine burns liquid methane.")
    result = best_sentences(text, query_terms("What do rocket engines burn?"), budget)
    assert "The rocket engine burns liquid methane." in result
    assert estimate_tokens(result) <= budget
    assert result.startswith("… ")
    assert result.endswith(" …")


def test_what_is_left_out_shows_and_the_order_stays() -> None:
    text = f"Methane is the fuel. {story(before=20, after=0)} The tank holds methane too."
    result = best_sentences(text, query_terms("methane fuel tank"), 20)
    assert result == "Methane is the fuel. … The tank holds methane too."


def test_different_words_of_the_query_are_covered_before_the_same_again() -> None:
    text = story("Methane burns.", "Methane burns well.", "The tank is made of steel.")
    result = best_sentences(text, query_terms("methane tank steel"), 20)
    assert "steel" in result
    assert "Methane" in result


def test_neighbours_fill_what_is_left_of_the_budget() -> None:
    text = story("The engine burns methane.")
    result = best_sentences(text, ["methane"], 60)
    assert "day number 30" in result
    assert "day number 1 " not in result


def test_one_long_sentence_is_cut_around_its_match() -> None:
    text = "and so on, " * 100 + "the rocket burns methane in its engine, " + "and so forth, " * 100
    result = best_sentences(text, query_terms("burning methane"), 20)
    assert "burns methane" in result
    assert estimate_tokens(result) <= 20
    assert result[0] == result[-1] == "…"
    chinese = "他说了很多别的事情" * 40 + "火箭发动机使用液态甲烷" + "然后继续讲下去" * 40
    assert "甲烷" in best_sentences(chinese, query_terms("甲烷"), 24)


def test_without_a_match_the_beginning_stands_for_it() -> None:
    assert best_sentences(story(), query_terms("methane"), 24).startswith(
        "Nothing of note happened on day number 0"
    )
    assert best_sentences("Short.", ["absent"], 24) == "Short."


@settings(deadline=None)
@given(anything, st.lists(st.sampled_from(["ab", "cd", "猫好", "e"]), max_size=3), st.integers(0, 40))
def test_the_best_sentences_fit(text: str, terms: list[str], budget: int) -> None:
    result = best_sentences(text, terms, budget)
    assert estimate_tokens(result) <= budget
    assert all(piece.strip() in text for piece in result.split("…"))


@given(anything, st.integers(0, 30))
def test_the_first_line_fits(text: str, tokens: int) -> None:
    result = first_line(text, tokens)
    assert estimate_tokens(result) <= tokens
    assert "\n" not in result


def test_first_line() -> None:
    assert first_line("\n  Title \n\nBody", 20) == "Title …"
    assert first_line("Only line", 20) == "Only line"
    assert first_line("A line that is much too long for so few", 6) == "A line that is…"


TALK = [
    "Ana: Hi Bo, how are you?",
    "Bo: Fine, thanks! The deployment of the payment service failed again last night.",
    "Ana: Oh no. Was it the database migration of the payment service?",
    "Bo: Yes, the migration locked the orders table for twenty minutes.",
    "Ana: ok",
    "Bo: I will run the migration of the payment database on Sunday night instead. Nice weather, by the way.",
    "Ana: Great, thank you!",
]


def test_a_summary_is_made_of_what_was_said() -> None:
    summary = extractive_summary(TALK, 60)
    assert 30 <= estimate_tokens(summary) <= 60
    assert summary == extractive_summary(list(TALK), 60)
    assert "migration" in summary
    for line in summary.split("\n"):
        speaker, said = line.split(": ", 1)
        assert any(talk.startswith(speaker) and said.lstrip("… ") in talk for talk in TALK)
    places = [
        next(i for i, talk in enumerate(TALK) if line.split("… ")[-1][6:] in talk)
        for line in summary.split("\n")
    ]
    assert places == sorted(places)


def test_a_short_conversation_is_its_own_summary() -> None:
    assert extractive_summary(TALK[:2], 200) == "\n".join(TALK[:2])
    assert extractive_summary([], 200) == ""


def test_small_talk_alone_still_gives_something() -> None:
    assert extractive_summary(["Ana: ok", "Bo: yes?"] * 30, 12)
    assert extractive_summary(["猫" * 500], 20)


@settings(deadline=None)
@given(st.lists(anything, max_size=6), st.integers(0, 40))
def test_a_summary_fits(texts: list[str], budget: int) -> None:
    assert estimate_tokens(extractive_summary(texts, budget)) <= budget


@pytest.mark.parametrize("part", [".", "?!", ".'", "a. ", "\n", "mr. "])
def test_a_text_of_any_length_is_cut_in_linear_time(part: str) -> None:
    before = time.process_time()
    sentences(part * 20_000)
    assert time.process_time() - before < 5
