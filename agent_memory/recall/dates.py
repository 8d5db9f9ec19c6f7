"""The times that a query names, relative to the moment it is asked at: "last May", "two weeks ago", "on the 3rd".

English only, and only what can be meant in one way or two; a time that is not understood is simply a word. Months and
days without a year mean the latest ones that have come.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import date, datetime, timedelta
from functools import cache, partial
from typing import Final, NamedTuple

from agent_memory import clock

_MONTHS: Final = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)
_WEEKDAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_NUMBERS: Final = {
    "a": 1,
    "an": 1,
    "one": 1,
    "two": 2,
    "three": 3,
    "four": 4,
    "five": 5,
    "six": 6,
    "seven": 7,
    "eight": 8,
    "nine": 9,
    "ten": 10,
    "eleven": 11,
    "twelve": 12,
    "couple of": 2,
    "few": 3,
}
_SEASONS: Final = {"spring": 3, "summer": 6, "autumn": 9, "fall": 9, "winter": 12}
"""The first of three months, on the northern half of the world, where most of English is written."""
_UNITS: Final = {"day": 1, "week": 7, "month": 30, "year": 365}

_MONTH = (
    rf"(?P<month>{'|'.join(f'{name[:3]}(?:{name[3:]})?' if len(name) > 3 else name for name in _MONTHS)})\.?"
)
_DAY = r"(?P<day>\d{1,2})(?:st|nd|rd|th)?"
_YEAR = r"(?P<year>(?:19|20)\d\d)"
_COUNT = rf"(?P<count>\d{{1,3}}|(?:a )?(?:{'|'.join(sorted(_NUMBERS, key=len, reverse=True))}))"


_HINTS: Final = frozenset(
    (
        "ago",
        "last",
        "past",
        "previous",
        "this",
        "in",
        "during",
        "since",
        "by",
        "early",
        "late",
        "mid",
        "and",
        "of",
    )
) | {"today", "tonight", "yesterday"}
"""Words without one of which, and without a digit, a query names no time."""


MOST_TIMES: Final = 64
"""A query that names more different times than that is a text; all memories are compared with each of them."""


class Span(NamedTuple):
    """A stretch of time: its first moment, and the first after it."""

    start: datetime
    end: datetime

    def holds(self, moment: datetime) -> bool:
        """Return whether a moment lies in it."""
        return self.start <= moment < self.end


def named_times(query: str, asked_at: datetime) -> list[Span]:
    """Return the stretches of time that a query names, each once, in the order in which it does."""
    rest = query.lower()
    hinted = not _HINTS.isdisjoint(word.strip("?!.,;:") for word in rest.split())
    if not hinted and not any(letter.isdigit() for letter in rest):
        return []
    matches: list[tuple[int, _Days]] = []
    today = clock.local(asked_at).date()

    def understood(match: re.Match[str], read: _Reader) -> str:
        with suppress(ValueError, OverflowError):  # beyond the calendar there is no day that could be meant
            matches.extend((match.start(), days) for days in read(match, today))
        # What was understood is not read again by a shorter form.
        return " " * len(match[0])

    for pattern, read in _forms():
        rest = pattern.sub(partial(understood, read=read), rest)
    named = list(dict.fromkeys(days for _, days in sorted(matches)))[:MOST_TIMES]
    return [Span(clock.midnight(days.start), clock.midnight(days.end)) for days in named]


class _Days(NamedTuple):
    """Whole days, as a calendar shows them: the first, and the first after them."""

    start: date
    end: date


_Reader = Callable[["re.Match[str]", date], Iterator[_Days]]


def _days(start: date, count: int = 1) -> _Days:
    return _Days(start, start + timedelta(days=count))


def _month(year: int, month: int, months: int = 1) -> _Days:
    last = month - 1 + months
    return _Days(date(year, month, 1), date(year + last // 12, last % 12 + 1, 1))


def _number(text: str) -> int:
    text = text.removeprefix("a ") if text != "a" else text
    return int(text) if text.isdigit() else _NUMBERS[text]


def _iso(match: re.Match[str], today: date) -> Iterator[_Days]:
    yield from _on(int(match["year"]), int(match["number"]), int(match["day"]))


def _on(year: int, month: int, day: int) -> Iterator[_Days]:
    try:
        yield _days(date(year, month, day))
    except (ValueError, OverflowError):
        return  # there is no such day, so nothing is meant by it


def _date(match: re.Match[str], today: date) -> Iterator[_Days]:
    month = _month_number(match["month"])
    day = int(match["day"])
    year = int(match["year"]) if match["year"] else today.year
    if not match["year"] and (month, day) > (today.month, today.day):
        year -= 1
    yield from _on(year, month, day)


def _whole_month(match: re.Match[str], today: date) -> Iterator[_Days]:
    month = _month_number(match["month"])
    if match["year"]:
        yield _month(int(match["year"]), month)
        return
    year = today.year if month <= today.month else today.year - 1
    if match["last"] == "last" and month == today.month:
        year -= 1
    yield _month(year, month)


def _month_number(name: str) -> int:
    return next(number for number, month in enumerate(_MONTHS, 1) if month.startswith(name[:3]))


def _day_of_month(match: re.Match[str], today: date) -> Iterator[_Days]:
    day = int(match["day"])
    month = today if day <= today.day else today.replace(day=1) - timedelta(days=1)
    yield from _on(month.year, month.month, day)


def _year(match: re.Match[str], today: date) -> Iterator[_Days]:
    yield _month(int(match["year"]), 1, 12)


def _ago(match: re.Match[str], today: date) -> Iterator[_Days]:
    days = _number(match["count"]) * _UNITS[match["unit"]]
    # "Two weeks ago" is said of ten days as of eighteen.
    slack = {"day": 0, "week": 3, "month": 15, "year": 182}[match["unit"]]
    yield _Days(today - timedelta(days=days + slack), today - timedelta(days=days - slack - 1))


def _past(match: re.Match[str], today: date) -> Iterator[_Days]:
    count = _number(match["count"]) if match["count"] else 1
    yield _Days(today - timedelta(days=count * _UNITS[match["unit"]]), today + timedelta(days=1))


def _last(match: re.Match[str], today: date) -> Iterator[_Days]:
    unit, this = match["unit"], match["which"] == "this"
    if unit == "week":
        monday = today - timedelta(days=today.weekday() + (0 if this else 7))
        yield _days(monday, 7)
    elif unit == "weekend":
        saturday = today - timedelta(days=(today.weekday() - 5) % 7)
        yield _days(saturday if this or today.weekday() < 5 else saturday - timedelta(days=7), 2)
    elif unit == "month":
        month = today if this else today.replace(day=1) - timedelta(days=1)
        yield _month(month.year, month.month)
    elif unit == "year":
        yield _month(today.year if this else today.year - 1, 1, 12)
    elif unit in _SEASONS:
        first = _SEASONS[unit]
        year = today.year if _month(today.year, first, 3).end <= today or this else today.year - 1
        yield _month(year, first, 3)
    else:
        back = (today.weekday() - _WEEKDAYS.index(unit)) % 7 or 7
        yield _days(today - timedelta(days=back))


def _yesterday(match: re.Match[str], today: date) -> Iterator[_Days]:
    yield _days(today - timedelta(days={"today": 0, "tonight": 0, "yesterday": 1}[match[0]]))


@cache
def _forms() -> tuple[tuple[re.Pattern[str], _Reader], ...]:
    """Return how times are written, the longer forms first; made when first needed, which takes 8 ms."""
    return tuple(
        (re.compile(pattern), read)
        for pattern, read in (
            (rf"\b{_YEAR}-(?P<number>\d\d)-(?P<day>\d\d)\b", _iso),
            (rf"\b{_DAY}(?: of)? {_MONTH}(?:,? {_YEAR})?\b", _date),
            (rf"\b{_MONTH} (?:the )?{_DAY}\b(?:,? {_YEAR})?", _date),
            (rf"\b{_MONTH}(?: of|,)? (?P<last>){_YEAR}\b", _whole_month),
            (rf"\b{_COUNT} (?P<unit>day|week|month|year)s? ago\b", _ago),
            (rf"\b(?:past|previous) (?:{_COUNT} )?(?P<unit>day|week|month|year)s?\b", _past),
            (rf"\blast (?:{_COUNT} )?(?P<unit>day|week|month|year)s\b", _past),
            (
                rf"\b(?P<which>last|this) (?P<unit>{'|'.join((*_UNITS, 'weekend', *_SEASONS, *_WEEKDAYS))})\b",
                _last,
            ),
            (rf"\b(?P<last>last|this) {_MONTH}\b(?P<year>)", _whole_month),
            (rf"\b(?P<last>in|during|since|by|early|late|mid|and) {_MONTH}\b(?P<year>)", _whole_month),
            (r"\b(?:on|by) the (?P<day>\d{1,2})(?:st|nd|rd|th)\b", _day_of_month),
            (rf"\b(?:in|during|of) {_YEAR}\b", _year),
            (r"\b(?:yesterday|today|tonight)\b", _yesterday),
        )
    )
