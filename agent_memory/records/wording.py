"""Parts of sentences, for the texts in which memory types describe their records."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime, timedelta

# Not `strftime`, which speaks the locale's language.
_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def date_words(moment: datetime, utc_offset: int | None = None) -> str:
    """Write a day as people name it in a question: `8 May 2023 Monday`.

    The day is the one that the writer's calendar showed.

    Args:
        moment: a time in UTC.
        utc_offset: seconds east of UTC; None is UTC.

    Returns:
        The day in words.
    """
    if utc_offset:
        with suppress(OverflowError):  # at the very ends of the calendar
            moment += timedelta(seconds=utc_offset)
    return f"{moment.day} {_MONTHS[moment.month - 1]} {moment.year} {_WEEKDAYS[moment.weekday()]}"


def spoken(name: str) -> str:
    """Write an identifier such as `error_handling` as words: a model knows those."""
    return name.replace("_", " ") if " " not in name else name


def sentence(text: str) -> str:
    """Return a text ready for another sentence behind it."""
    text = text.rstrip()
    return f"{text} " if text.endswith((".", "!", "?", "…", "。", "！", "？")) else f"{text}. "


def lines(parts: Iterable[str | None]) -> str:
    """Join the parts that are not empty, each on a line of its own."""
    return "\n".join(part for part in parts if part)
