"""Very small question sets of our own invention, in the forms of the public ones."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def locomo() -> list[dict[str, Any]]:
    """Two conversations of two speakers each, and what is asked about them."""
    return [
        _conversation(
            "garden",
            [
                "the tomatoes were planted in April",
                "the watering can has a crack",
                "the hedge is two metres tall",
            ],
            [("When were the tomatoes planted?", "D1:1"), ("How tall is the hedge?", "D2:1")],
        ),
        _conversation(
            "boat",
            ["the sail was torn by the storm", "the anchor weighs nine kilos", "the harbour closes at eight"],
            [("What does the anchor weigh?", "D1:2"), ("When does the harbour close?", "D2:1")],
        ),
    ]


def _conversation(name: str, lines: list[str], asked: list[tuple[str, str]]) -> dict[str, Any]:
    first, second, third = (
        {"speaker": speaker, "dia_id": id, "text": text}
        for speaker, id, text in zip(
            ("First", "Second", "First"), ("D1:1", "D1:2", "D2:1"), lines, strict=True
        )
    )
    return {
        "sample_id": name,
        "conversation": {
            "speaker_a": "First",
            "speaker_b": "Second",
            "session_1_date_time": "1:56 pm on 8 May, 2023",
            "session_1": [first, second],
            "session_2_date_time": "9:00 am on 9 May, 2023",
            "session_2": [third],
        },
        "qa": [
            *({"question": question, "evidence": [id], "category": 4} for question, id in asked),
            {"question": "Which planet is the largest?", "evidence": [], "category": 5},
        ],
    }


def realmem() -> dict[str, Any]:
    """Three sessions of a person with an assistant; two of them begin with a question about the earlier ones."""
    return {
        "dialogues": [
            _session("greenhouse", 1, [("The greenhouse gets a glass roof.", None), ("Noted.", None)]),
            _session(
                "kiln",
                2,
                [
                    ("Which roof did we choose for the greenhouse?", ["greenhouse"]),
                    ("A glass one.", None),
                    ("The kiln heats up to 1,200 degrees.", None),
                    ("Noted.", None),
                ],
            ),
            _session(
                "plan",
                2,
                [("What do we know of roof and kiln?", ["greenhouse", "kiln", "later"]), ("A lot.", None)],
            ),
            _session("later", 3, [("The pond is frozen.", None), ("Noted.", None)]),
        ]
    }


def _session(name: str, day: int, turns: list[tuple[str, list[str] | None]]) -> dict[str, Any]:
    gold = [None, *(gold for _, gold in turns)]
    return {
        "session_uuid": name,
        "current_time": f"2025-03-{day:02} (Saturday)",
        "dialogue_turns": [
            {
                "speaker": ("User", "Assistant")[place % 2],
                "content": text,
                "is_query": sessions is not None,
                **({"memory_session_uuids": gold[place]} if gold[place] else {}),
            }
            for place, (text, sessions) in enumerate(turns)
        ],
    }


def write_precisionmembench(folder: Path) -> None:
    """Write beliefs about a kitchen, one of them somebody else's, and cases."""
    beliefs = [
        _belief("kettle", "The kettle boils at 96 degrees.", aliases=["teapot", "boiler"]),
        _belief("lamp", "The lamp over the table has a dimmer."),
        _belief("old-lamp", "The lamp over the table has no dimmer.", epistemic_status="superseded"),
        _belief("oven", "The oven is electric.", pinned=True),
        _belief("secret", "The cellar is locked.", user_id="other-user"),
    ]
    cases = [
        _case("boiler", "how hot does the boiler get?", ["kettle"]),
        _case("nothing", "who painted the ceiling of the chapel?", []),
        _case("no-query", "   ", []),
        _case("no-set", "anything else?", None),
        _case("new", "how hot does the boiler get?", [], userId="new-user"),
    ]
    (folder / "beliefs.seed.json").write_text(json.dumps(beliefs))
    (folder / "retrieval.cases.json").write_text(json.dumps(cases))


def _belief(name: str, content: str, **more: Any) -> dict[str, Any]:
    return {
        "_id": name,
        "user_id": "test-user",
        "content": content,
        "aliases": [],
        "scope": ["domain:kitchen"],
        "pinned": False,
        "epistemic_status": "active",
        "updated_at": "2026-10-01T00:00:00Z",
        **more,
    }


def _case(name: str, query: str, wanted: list[str] | None, **more: Any) -> dict[str, Any]:
    expected = {} if wanted is None else {"relevantBeliefs": {"shouldOnlyInclude": wanted}}
    scope = ["domain:kitchen"]
    return {"caseId": name, "category": "tiny", "query": query, "scope": scope, "expect": expected, **more}
