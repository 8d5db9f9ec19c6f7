"""Which sentences are embedded by themselves, and how their vectors are told from those of the text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_memory.embeddings.registry import create_embedder
from agent_memory.memories.building import build
from agent_memory.records import ConversationRecord
from agent_memory.text.own_sentences import LONGEST, SHORTEST, apart, own_sentences
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
    found = own_sentences(_text(MESSAGE, role))
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
    assert own_sentences(text) == []
    assert apart(text, [1, 2]) == ([1, 2], ())


@given(st.text(min_size=SHORTEST, max_size=LONGEST + 100))
def test_any_text_can_be_cut(content: str) -> None:
    text = f'user said, "{content}"'
    for sentence in own_sentences(text):
        assert sentence in content


def test_sentences_stand_behind_the_segments_of_the_text() -> None:
    text = _text(MESSAGE)
    assert apart(text, "wabc") == ("w", "abc")
    assert apart(text, "vwabc") == ("vw", "abc")


@pytest.mark.parametrize("segments", ["", "w", "vw", "vwx"])
def test_a_text_of_an_earlier_version_has_no_sentences(segments: str) -> None:
    assert apart(_text(MESSAGE), segments) == (segments, ())


@pytest.mark.anyio
@pytest.mark.parametrize("provider", ["local", "dummy"])
async def test_every_embedder_embeds_them_behind_the_text(provider: str) -> None:
    embedder = create_embedder(provider, {})
    assert embedder is not None
    await embedder.prepare()
    text = _text(MESSAGE)
    (vectors,) = await embedder.embed_documents([text])
    whole, told = apart(text, vectors)
    assert len(whole) == 1
    assert list(told) == (await embedder.embed_segments(own_sentences(text)))
    assert await embedder.embed_query(text) == whole[0]
