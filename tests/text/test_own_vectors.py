"""What of a text is embedded by itself, and how its vectors are told from those of the text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_memory.embeddings.registry import create_embedder
from agent_memory.memories.building import build
from agent_memory.records import ConversationRecord, LongTermRecord
from agent_memory.text.own_vectors import LONGEST, LONGEST_NOTE, SHORTEST, apart, own_texts
from agent_memory.text.templates import embedded_text

ASKED = "Could you suggest some recipes for a dinner with friends who eat neither meat nor fish, but like it hot? "
MOVED = "By the way, I moved to Lisbon at the beginning of March, so markets with good vegetables are near."
MESSAGE = (
    ASKED + "It should not take longer than an hour, since I come home from work at about seven. " + MOVED
)


def _text(content: str, role: str = "user", name: str | None = None) -> str:
    return embedded_text(build(ConversationRecord, content, fields={"role": role, "name": name}))


@pytest.mark.parametrize("role", ["user", "human", "HumanMessage", "USER"])
def test_each_sentence_that_a_user_tells_at_length_counts_by_itself(role: str) -> None:
    found = own_texts(_text(MESSAGE, role)).sentences
    assert found[-1] == MOVED
    assert len(found) == 3
    assert "".join(found).replace(" ", "") == MESSAGE.replace(" ", "")


@pytest.mark.parametrize(
    "text",
    [
        _text(MESSAGE, "assistant"),
        _text(MESSAGE, name="Ana"),
        _text(MOVED),
        _text(MESSAGE * (1 + LONGEST // len(MESSAGE))),
        _text("word " * SHORTEST),
        MESSAGE,
        "",
        'user said, "',
        'user said, "' + "x" * SHORTEST,
    ],
)
def test_what_is_short_pasted_or_said_by_others_is_one(text: str) -> None:
    assert own_texts(text).texts == []
    assert apart(text, [1, 2]) == ([1, 2], (), ())


@given(st.text(min_size=SHORTEST, max_size=LONGEST + 100))
def test_any_text_can_be_cut(content: str) -> None:
    text = f'user said, "{content}"'
    for own in own_texts(text).texts:
        assert own in " ".join(content.split()) or own in content


def test_sentences_stand_behind_the_segments_of_the_text() -> None:
    text = _text(MESSAGE)
    assert apart(text, "wabc") == ("w", "abc", "")
    assert apart(text, "vwabc") == ("vw", "abc", "")


@pytest.mark.parametrize("segments", ["", "w", "vw", "vwx"])
def test_a_text_of_an_earlier_version_has_no_sentences(segments: str) -> None:
    assert apart(_text(MESSAGE), segments) == (segments, (), ())


@pytest.mark.parametrize(
    ("instruction", "occasion"),
    [
        ("Always name the narrator when I ask about audiobooks.", "audiobooks"),
        ("When I ask for directions, give me the bus route.", "directions"),
        ("please never suggest walnuts if I'm looking for a snack", "a snack"),
        ("Whenever we talk about the budget: always give figures in euros.", "the budget"),
        ("Before you delete a file, show me its first lines.", "delete a file"),
        ("When you write tests, use plain asserts.", "write tests"),
        ("For commit messages, always use the imperative mood.", "commit messages"),
        ("Always be brief. When I ask for it, go on. When I ask for maps, send links.", "maps"),
        ("I am new here. Every time I ask you for advice on my garden, mention the frost.", "my garden"),
    ],
)
def test_what_an_instruction_applies_to_counts_by_itself(instruction: str, occasion: str) -> None:
    fact = embedded_text(build(LongTermRecord, instruction))
    for text in (_text(instruction), _text(instruction, "human"), fact):
        assert own_texts(text) == ((), (occasion,))
        assert apart(text, "wo") == ("w", "", "o")


@pytest.mark.parametrize(
    "text",
    [
        _text("Always answer in German."),
        _text("When I ask about it, say so."),
        _text("When I asked about the flat, they had sold it."),
        _text("She said that I should always call when I ask for leave."),
        _text("Always name the narrator when I ask about audiobooks.", "assistant"),
        _text("Always call me when I ask about audiobooks.", name="Ana"),
        "When I ask for directions, give me the bus route. " + "word " * LONGEST_NOTE,
    ],
)
def test_what_is_no_instruction_or_applies_to_nothing_named_has_none(text: str) -> None:
    assert own_texts(text).occasions == ()


def test_a_long_message_may_have_both() -> None:
    text = _text(f"{MESSAGE} Always name the narrator when I ask about audiobooks.")
    own = own_texts(text)
    assert own.occasions == ("audiobooks",)
    assert own.texts == [*own.sentences, "audiobooks"]
    assert apart(text, "wabcdo") == ("w", "abcd", "o")


@pytest.mark.anyio
@pytest.mark.parametrize("provider", ["local", "dummy"])
async def test_every_embedder_embeds_them_behind_the_text(provider: str) -> None:
    embedder = create_embedder(provider, {})
    assert embedder is not None
    await embedder.prepare()
    text = _text(f"{MESSAGE} Always name the narrator when I ask about audiobooks.")
    (vectors,) = await embedder.embed_documents([text])
    whole, sentences, occasions = apart(text, vectors)
    assert len(whole) == len(occasions) == 1
    assert [*sentences, *occasions] == await embedder.embed_segments(own_texts(text).texts)
    assert await embedder.embed_query(text) == whole[0]
