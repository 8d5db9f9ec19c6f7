"""Cutting a new version of a text where the old one was cut."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest

from agent_memory.embeddings.segments import split_by_bytes
from agent_memory.memories.documents.cutting import Part, parts_of

PARAGRAPHS = [
    " ".join(f"Sentence {number}.{item} tells about subject {number * 7 + item}." for item in range(20))
    for number in range(9)
]


def known(parts: list[Part]) -> list[str]:
    return [part.text for part in parts if part.known]


@pytest.mark.parametrize("seed", range(30))
def test_the_parts_are_the_text_whatever_was_changed(seed: int) -> None:
    chance = random.Random(seed)
    old = "\n\n".join(PARAGRAPHS)
    pieces = split_by_bytes(old, 1000)
    text = old
    for _ in range(chance.randint(1, 5)):
        start = chance.randrange(len(text))
        stop = min(len(text), start + chance.choice([0, 1, 30, 900, 3000]))
        text = text[:start] + chance.choice(["", "x", " new words ", old[:1500], "\n\n"]) + text[stop:]
    parts = parts_of(text, pieces)
    assert "".join(part.text for part in parts) == text
    assert not any(left.known is right.known is False for left, right in pairwise(parts))
    normal = {" ".join(piece.split()) for piece in pieces}
    assert {" ".join(piece.split()) for piece in known(parts)} <= normal


@pytest.mark.parametrize("place", range(9))
def test_one_changed_word_leaves_all_pieces_but_one(place: int) -> None:
    pieces = [f"{paragraph}\n\n" for paragraph in PARAGRAPHS]
    changed = [*pieces]
    changed[place] = changed[place].replace("tells about", "is silent on", 1)
    assert known(parts_of("".join(changed), pieces)) == [*pieces[:place], *pieces[place + 1 :]]


def test_a_word_more_at_the_beginning_moves_no_cut() -> None:
    old = " ".join(PARAGRAPHS)
    pieces = split_by_bytes(old, 1000)
    assert known(parts_of("And so: " + old, pieces)) == pieces[1:]
    assert len(set(split_by_bytes("And so: " + old, 1000)) & set(pieces)) < len(pieces) / 2, (
        "cut anew, most pieces would be other ones"
    )


def test_pieces_are_found_where_they_moved() -> None:
    pieces = [f"{paragraph}\n\n" for paragraph in PARAGRAPHS]
    moved = [*pieces[5:], *pieces[:5]]
    assert known(parts_of("".join(moved), pieces)) == moved


def test_a_piece_that_is_there_twice_is_found_twice() -> None:
    pieces = [PARAGRAPHS[0] + "\n", PARAGRAPHS[1] + "\n", PARAGRAPHS[0] + "\n"]
    assert known(parts_of("".join(pieces), pieces)) == pieces
    assert len(known(parts_of("".join(pieces[:2]), pieces))) == 2


def test_a_little_news_is_cut_with_what_stands_beside_it() -> None:
    pieces = [f"{paragraph}\n\n" for paragraph in PARAGRAPHS[:3]]
    assert known(parts_of("".join(pieces) + "One line more.", pieces)) == pieces[:2]
    assert known(parts_of("One line more.\n\n" + "".join(pieces), pieces)) == pieces[1:]
    assert known(parts_of("".join(pieces) + PARAGRAPHS[4], pieces)) == pieces


def test_a_short_end_is_cut_again_when_the_text_grows() -> None:
    pieces = [f"{PARAGRAPHS[0]}\n\n", "A short end."]
    assert known(parts_of("".join(pieces) + "\n\n" + PARAGRAPHS[1], pieces)) == pieces[:1]


def test_white_space_alone_is_no_news() -> None:
    pieces = [f"{paragraph}\n\n" for paragraph in PARAGRAPHS[:3]]
    found = known(parts_of("\n" + "\n\n".join(pieces), pieces))
    assert [text.strip() for text in found] == PARAGRAPHS[:3]


@pytest.mark.timeout(20)
def test_a_book_of_which_everything_changed_takes_seconds() -> None:
    chance = random.Random(1)
    words = ["".join(chance.choices("abcdefghij", k=6)) for _ in range(500)]
    old = " ".join(chance.choices(words, k=200_000))
    text = " ".join(chance.choices(words, k=200_000))
    assert parts_of(text, split_by_bytes(old, 1000)) == [Part(text, known=False)]
