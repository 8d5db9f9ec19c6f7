"""A conversation of 2,000 messages about a journey, as another tool would hand it over: lines of JSON.

Most of it is talk about one town after the other. What the session asks for later is said once each, at places that
are far apart, most of them long before the window of the newest hundred.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

MESSAGES = 2_000
TOLD = {
    3: "The whole journey may cost 2,350 euros at most, that is our limit.",
    151: "Jonas wants a seat at the window on the plane, he gets sick in the aisle.",
    388: "In Lisbon we sleep at the Pensao Ibis, near the castle.",
    640: "My passport number is XK-4471-09, for the forms.",
    901: "Aunt Birgit looks after the cat while we are away.",
    1200: "Lena still needs the vaccination against hepatitis before we leave.",
    1533: "The ferry to the island leaves at 07:40 from the old pier.",
    1777: "The lock of the big suitcase opens with 3-1-8-2.",
}
"""By place: what is asked for later."""
_NAMES = "Porto Sevilla Granada Cadiz Faro Evora Coimbra Toledo Ronda Malaga Valencia Bilbao Lugo Vigo Braga"
_TOWNS = _NAMES.split()
_ASKED = (
    "Is {town} worth a day in {month}?",
    "How long is the train from {town} to {other}?",
    "Are the museums of {town} open on Mondays?",
    "Would you rather see {town} or {other}?",
    "Is the market of {town} any good in {month}?",
)
_ANSWERED = (
    "{town} is lovely in {month}, mornings above all.",
    "From {town} to {other} it is a slow train, bring a book.",
    "In {town} most museums close one day a week; ask at the door.",
    "I would take {other}: {town} is crowded then.",
    "The market of {town} has olives, cheese and old clocks.",
)
_MONTHS = ("April", "May", "June", "September", "October")


def messages() -> Iterator[dict[str, object]]:
    """Iterate over the messages as `agentmem add --ndjson-in` takes them."""
    for place in range(MESSAGES):
        role, text = _said(place)
        yield {"type": "chat", "conversation_id": "travel", "role": role, "content": text}


def write(path: Path) -> None:
    """Write them to a file."""
    path.write_text("".join(json.dumps(message) + "\n" for message in messages()), encoding="utf-8")


def _said(place: int) -> tuple[str, str]:
    if place == 0:
        return "system", "You plan journeys for a family of three."
    if place in TOLD:
        return "user", TOLD[place]
    turn = place // 2
    words = {
        "town": _TOWNS[turn % len(_TOWNS)],
        "other": _TOWNS[(turn // 3 + 7) % len(_TOWNS)],
        "month": _MONTHS[turn % len(_MONTHS)],
    }
    number = turn // 2 % len(_ASKED)
    if place % 2:
        return "user", _ASKED[number].format(**words)
    return "assistant", _ANSWERED[number].format(**words)
