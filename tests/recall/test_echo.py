"""A question that was asked before is no evidence."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent_memory import AgentMemory, clock
from agent_memory.recall.echo import EchoTest
from agent_memory.recall.floor import REPEATS
from agent_memory.records import ConversationRecord
from tests.recall.test_finding import local

pytestmark = pytest.mark.anyio


def repeats(query: str, text: str) -> bool:
    now = clock.now()
    message = ConversationRecord(
        id="one", content=text, created_at=now, updated_at=now, conversation_id="talk", role="user"
    )
    return EchoTest(query).repeats(message)


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("when do deploys run?", "When do deploys run?"),
        ("when do deploys run?", "  when do the deploys run ?"),
        ("When do deploys run", "when do deploys run?"),
        ("remind me what the wifi password is", "Remind me what the wifi password is."),
        ("wie heißt unser Vermieter?", "Wie heißt unser Vermieter?"),
        ("デプロイはいつですか？", "デプロイはいつですか？"),
        ("who?", "who?"),
        ("when do deploys run?", "Hey, when do deploys run?"),
        ("Hi there, when do deploys run?", "hi there, when do deploys run? Thanks a lot!"),
        ("@bot when do deploys run? Thanks!", "OK, so: when do deploys run?"),
        ("> when do deploys run", "When do deploys run, please?"),
    ],
)
def test_the_same_question_repeats_the_query(query: str, text: str) -> None:
    assert repeats(query, text)


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("when do deploys run?", "Deploys run every Tuesday at noon"),
        ("when do deploys run?", "When do deploys run? On Tuesdays, I was told"),
        ("when do deploys run?", "When do backups of the customer database run?"),
        ("dark mode", "dark mode"),
        ("the backup ran out of space", "when the backup is out of space"),
        ("message 0", "message 0"),
        ("Hey, when do deploys run?", "Hey, so deploys run on Tuesdays, thanks"),
        ("please?", "when do deploys run? Please!"),
        ("who is okay?", "who is sorry?"),
        ("what is the wifi password?", "the wifi password is maple-otter"),
    ],
)
def test_what_says_more_or_something_else_does_not(query: str, text: str) -> None:
    assert not repeats(query, text)


@pytest.mark.parametrize("mode", ["hybrid", "keyword", "vector"])
async def test_the_question_just_logged_is_behind_what_answers_it_and_not_in_a_recall(
    tmp_path: Path, mode: str
) -> None:
    query = "when do deploys run?"
    async with AgentMemory(config=local(tmp_path / "a.db")) as memory:
        for text in (
            "Deploys run from the main branch every Tuesday",
            "The office plants are watered by Ana",
        ):
            await memory.long_term.add(text)
        await memory.conversation.add_message("user", query)
        await memory.conversation.add_message("assistant", "Let me look that up.")
        await memory.conversation.add_message("user", query)
        found = await memory.search(query, mode=mode)  # type: ignore[arg-type]
        assert found[0].memory.content.startswith("Deploys run")
        asked = [item for item in found if item.memory.content == query]
        assert asked
        assert found[-len(asked) :] == asked
        assert all(item.relevance == 0.0 for item in asked)
        recall = await memory.recall(query, mode=mode, min_relevance=0)  # type: ignore[arg-type]
        assert query not in [item.memory.content for item in recall.items]
        assert REPEATS in {item.reason for item in recall.left_out}


async def test_nothing_but_the_question_itself_is_nothing(tmp_path: Path) -> None:
    query = "which visa do I need for Vietnam?"
    async with AgentMemory(config=local(tmp_path / "a.db")) as memory:
        await memory.conversation.add_message("user", query)
        await memory.long_term.add("The office plants are watered by Ana")
        assert (await memory.search(query)).nothing_relevant
        assert not (await memory.recall(query)).items


async def test_what_was_said_next_takes_the_place_of_the_question(tmp_path: Path) -> None:
    query = "who waters the plants?"
    async with AgentMemory(config=local(tmp_path / "a.db")) as memory:
        for number in range(8):
            await memory.conversation.add_message(
                "user", f"note {number} about the printer on floor {number}"
            )
        await memory.conversation.add_message("user", query)
        await memory.conversation.add_message("assistant", "Ana does, on Mondays.")
        found = await memory.search(query, explain=True)
        assert found[0].memory.content == "Ana does, on Mondays."
        assert found[0].explanation is not None
        assert found[0].explanation["boosts"]["reply"] > 0


@pytest.mark.parametrize("replied", [True, False])
async def test_what_the_same_speaker_says_next_is_no_reply(tmp_path: Path, replied: bool) -> None:
    query = "what is the capital of Peru?"
    async with AgentMemory(config=local(tmp_path / "a.db")) as memory:
        await memory.conversation.add_message("user", query)
        await memory.conversation.add_message("user", "never use emojis")
        if replied:
            await memory.conversation.add_message("assistant", "Lima is the capital of Peru.")
        found = await memory.search(query, explain=True)
        answers = {item.memory.content: item for item in found}
        explanation = answers["never use emojis"].explanation
        assert explanation is not None
        assert not explanation["boosts"].get("reply")
        if replied:
            assert found[0].memory.content == "Lima is the capital of Peru."


async def test_a_conversation_lifts_no_message_above_a_fact_that_answers(tmp_path: Path) -> None:
    query = "which port does the staging database use?"
    async with AgentMemory(config=local(tmp_path / "a.db")) as memory:
        await memory.long_term.add("the staging database runs on port 5433")
        for text in (
            "which port does the staging database of the shop use nowadays?",
            "let me look that up in the wiki",
            "the staging database port, please, I need it",
        ):
            await memory.conversation.add_message("user", text, name="Kim" if "let" in text else None)
        found = await memory.search(query)
        assert found[0].memory.content.startswith("the staging database runs")


async def test_a_statement_just_logged_is_found_and_not_recalled_to_itself(tmp_path: Path) -> None:
    said = "the deploy to staging went through at noon"
    async with AgentMemory(config=local(tmp_path / "a.db")) as memory:
        await memory.conversation.add_message("user", said)
        await memory.long_term.add("the deploy to staging runs every Tuesday")
        assert said in [item.memory.content for item in await memory.search(said)]
        recall = await memory.recall(said)
        assert [item.memory.content for item in recall.items] == ["the deploy to staging runs every Tuesday"]
        assert [item.reason for item in recall.left_out] == [REPEATS]


async def test_a_question_gets_above_no_fact_that_answers(tmp_path: Path) -> None:
    async with AgentMemory(config=local(tmp_path / "a.db")) as memory:
        await memory.long_term.add("Push messages are delivered by OneSignal")
        await memory.conversation.add_message(
            "user", "should push messages be sent by our server or a service?"
        )
        await memory.conversation.add_message("assistant", "A service, I would say.")
        found = await memory.search("Which service delivers our push messages?")
        assert found[0].memory.content.startswith("Push messages are delivered")
