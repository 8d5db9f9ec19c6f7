from __future__ import annotations

import pytest

from agent_memory.recall.dialogue import from_person
from agent_memory.recall.formats import LAST_MESSAGES, Messages
from agent_memory.recall.packing import PackedItem
from agent_memory.roles import SPELLINGS, Role, role_of
from agent_memory.testing import builders


@pytest.mark.parametrize(
    ("role", "names"),
    [
        ("user", "user User USER human Human HumanMessage"),
        ("assistant", "assistant Assistant ai AI Ai model MODEL bot AIMessage chatbot"),
        ("tool", "tool Tool function FUNCTION ToolMessage"),
        ("system", "system System SYSTEM developer Developer"),
    ],
)
def test_the_usual_names_of_each_role(role: Role, names: str) -> None:
    for name in names.split():
        assert role_of(name) == role
        assert name in SPELLINGS[role]


def test_a_name_of_ones_own_means_none_of_them() -> None:
    for name in ("narrator", "Melanie", "", "users", "system prompt"):
        assert role_of(name) is None


def test_each_name_means_one_role() -> None:
    spellings = [name for names in SPELLINGS.values() for name in set(names)]
    assert len(spellings) == len(set(spellings))


def test_a_person_is_known_by_any_name_of_the_role() -> None:
    assert from_person(builders.message("x", role="Human"))
    assert not from_person(builders.message("x", role="model"))


def test_chat_messages_have_the_names_that_a_model_takes() -> None:
    said = [
        builders.message(role, role=role) for role in ("human", "AI", "function", "developer", "narrator")
    ]
    items = [PackedItem(item, item.content, "full", 1, section=LAST_MESSAGES) for item in said]
    assert [message["role"] for message in Messages().messages(items, "t")] == [
        "user",
        "assistant",
        "tool",
        "system",
        "narrator",
    ]
