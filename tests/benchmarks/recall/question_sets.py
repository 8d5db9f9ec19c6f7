"""Very small question sets of our own invention, in the forms of the public ones."""

from __future__ import annotations

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
