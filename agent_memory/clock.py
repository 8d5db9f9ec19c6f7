"""The one place that asks for the time, and the one notation it is stored in.

Everything is timezone-aware UTC. As text a time has a fixed width, so that text order is time order:
`2026-05-08T13:56:00.000000Z`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import lru_cache
from pathlib import Path

from agent_memory.errors import ValidationError

Moment = date | datetime | timedelta | str
"""A datetime with a timezone, a date, text such as `2026-05-08`, `yesterday` or `7d` (a week ago), or a timedelta:
that long ago."""

_source: Callable[[], datetime] = lambda: datetime.now(UTC)  # noqa: E731 - replaced whole by `fixed`

_CLOCKS_DIFFER = timedelta(minutes=1)
_UNITS = {
    "s": timedelta(seconds=1),
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
    "w": timedelta(weeks=1),
}
_ZONE_FOLDERS = ("/usr/share/zoneinfo", "/usr/lib/zoneinfo", "/usr/share/lib/zoneinfo", "/etc/zoneinfo")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAYS = {"today": 0, "yesterday": -1, "tomorrow": 1}
_DAYS_AGO = re.compile(r"(\d{1,7}) (day|week)s? ago")
_UNIT_WORDS = {
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), "s"),
    **dict.fromkeys(("m", "min", "mins", "minute", "minutes"), "m"),
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours"), "h"),
    **dict.fromkeys(("d", "day", "days"), "d"),
    **dict.fromkeys(("w", "week", "weeks"), "w"),
}
_DURATION = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([a-z]+)", re.IGNORECASE)
_EPOCH_SECONDS = re.compile(r"-?\d{9,11}(?:\.\d+)?|\d{13}")
_OTHER_FORMS = (
    "%a %b %d %H:%M:%S %Y %z",  # git log
    "%a %b %d %H:%M:%S %Y",
    "%a %b %d %H:%M:%S UTC %Y",  # date
    "%a, %d %b %Y %H:%M:%S %z",  # mail
    "%Y-%m-%d %H:%M:%S %z",  # git log --date=iso
)


def now() -> datetime:
    """Return the present moment in UTC."""
    return _source()


def soon() -> datetime:
    """Return the latest moment that still counts as past: another machine's clock may be a minute ahead."""
    return now() + _CLOCKS_DIFFER


@contextmanager
def fixed(moment: datetime) -> Iterator[None]:
    """Hold the clock at one moment, for tests and for repeatable evaluations."""
    global _source
    before, stopped = _source, as_utc(moment)
    _source = lambda: stopped  # noqa: E731
    try:
        yield
    finally:
        _source = before


def as_utc(moment: datetime) -> datetime:
    """Return the same moment in UTC; of a subclass of `datetime`, what any store keeps of it.

    Raises:
        ValidationError: the datetime has no timezone, so that nobody can know which moment it is, or it is beyond the
            years 1 to 9999 in UTC.
    """
    if moment.tzinfo is None:
        raise ValidationError(
            f"the time {moment.isoformat()} has no timezone",
            hint="give datetime.now(timezone.utc) or an offset",
        )
    try:
        moment = moment.astimezone(UTC)
    except OverflowError as error:
        raise ValidationError(
            f"the time {moment.isoformat()} is beyond the years 1 to 9999 in UTC", hint="give another one"
        ) from error
    if type(moment) is not datetime:
        moment = datetime.combine(moment.date(), moment.time(), tzinfo=UTC)
    return moment


def as_moment(value: Moment) -> datetime:
    """Read a moment in any form in which a call may give it; a timedelta means that long ago.

    Returns:
        The moment in UTC.

    Raises:
        ValidationError: it is no time, has no timezone, or is beyond the calendar.
    """  # noqa: DOC501
    if isinstance(value, str):
        return parse_moment(value)
    if isinstance(value, timedelta):
        try:
            return now() - value
        except OverflowError:
            raise _no_time(str(value)) from None
    return as_utc(value) if isinstance(value, datetime) else midnight(value)


def local(moment: datetime) -> datetime:
    """Return the same moment by this person's clock: in the zone that `TZ` names, else the machine's.

    At the ends of the calendar, where the zone's clock would show the year 0 or 10000, it stays in UTC.
    """
    try:
        return moment.astimezone(_named_zone(os.environ.get("TZ", "")))
    except (OverflowError, ValueError):
        return moment.astimezone(UTC)


def local_offset(moment: datetime) -> int | None:
    """Return by how many seconds this person's clock is ahead of UTC at a moment; None for UTC itself."""
    offset = local(moment).utcoffset()
    return int(offset.total_seconds()) or None if offset is not None else None


def midnight(day: date) -> datetime:
    """Return the moment at which a day begins by this person's clock, in UTC."""
    return _from_clock(datetime(day.year, day.month, day.day))  # noqa: DTZ001 - the clock's own time


def shown_day(moment: datetime) -> str:
    """Write a moment's day by this person's clock: `2026-05-08`."""
    return local(moment).date().isoformat()


def shown_minute(moment: datetime) -> str:
    """Write a moment by this person's clock, to the minute: `2026-05-08 13:56`."""
    return local(moment).replace(tzinfo=None).isoformat(" ", "minutes")


@lru_cache(maxsize=4)
def _named_zone(name: str) -> tzinfo | None:
    """Return the zone of that name where the system has no zones of its own; None leaves it to the system."""
    if (
        not name
        or name.startswith((":", "/"))
        or any(Path(zone_folder).is_dir() for zone_folder in _ZONE_FOLDERS)
    ):
        return None
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    try:
        return ZoneInfo(name)  # out of the package `tzdata`
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


@lru_cache(maxsize=64)  # one command writes the same moment several times
def to_text(moment: datetime) -> str:
    """Write a moment as fixed-width ISO-8601 in UTC, microseconds included."""
    return as_utc(moment).isoformat(timespec="microseconds")[:-6] + "Z"


def from_text(text: str) -> datetime:
    """Read what `to_text` wrote."""
    return datetime.fromisoformat(text)


def as_duration(value: timedelta | float | str) -> timedelta:
    """Read a duration: a timedelta, a number of seconds, or text such as `90s`, `10m`, `2 hours`, `7d`, `1d12h`.

    Returns:
        The duration.

    Raises:
        ValidationError: it is not a duration, or not a positive one.
    """
    if isinstance(value, timedelta):
        result = timedelta(value.days, value.seconds, value.microseconds)
    elif isinstance(value, str):
        result = _duration_from_text(value)
    elif isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ValidationError(f"{value!r} is not a duration", hint="give a timedelta or a number of seconds")
    else:
        try:
            result = timedelta(seconds=value)
        except (OverflowError, ValueError) as error:
            raise ValidationError(
                f"{value!r} seconds is not a duration", hint="give a smaller number"
            ) from error
    if result <= timedelta(0):
        raise ValidationError(
            f"the duration {value} is not positive", hint="give something like 90s, 10m, 2h or 7d"
        )
    return result


def _duration_from_text(text: str) -> timedelta:
    result, end = timedelta(0), 0
    for part in _DURATION.finditer(text):
        unit = _UNIT_WORDS.get(part[2].lower())
        if part.start() != end or unit is None:
            break
        try:
            result += float(part[1]) * _UNITS[unit]
        except OverflowError as error:
            raise ValidationError(
                f"'{text}' is too long a duration", hint="give something like 90s or 7d"
            ) from error
        end = part.end()
    if not text.strip() or text[end:].strip():
        raise ValidationError(f"'{text}' is not a duration", hint="give something like 90s, 10m, 2h or 7d")
    return result


def parse_moment(text: str) -> datetime:
    """Read a moment as people type it: ISO-8601, a word for a day, or a duration meaning that long ago.

    Also as programs write it: the time of day alone for today, the dates of git and mail, seconds since 1970.

    The words are `now`, `today`, `yesterday` and `tomorrow`; the days begin at midnight by this person's clock, and
    `3 days ago` is at this time of that day. A date or time without an offset is in the local timezone, as in every
    other tool of the shell.

    Returns:
        The moment in UTC.

    Raises:
        ValidationError: it is none of these.
    """  # noqa: DOC501
    words = " ".join(text.lower().split())
    moment = now()
    try:
        if words == "now":
            return moment
        if words in _DAYS:
            return midnight(local(moment).date() + timedelta(days=_DAYS[words]))
        if (past := _DAYS_AGO.fullmatch(words)) is not None:
            days = int(past[1]) * (7 if past[2] == "week" else 1)
            return _from_clock(local(moment).replace(tzinfo=None) - timedelta(days=days))
    except OverflowError:
        raise _no_time(text) from None
    if (written := _written(text.strip())) is not None:
        return _within_calendar(written)
    try:
        return moment - as_duration(words.removesuffix("ago").strip())
    except (ValidationError, OverflowError):
        raise _no_time(text) from None


def _written(text: str) -> datetime | None:
    """Read a moment in one of the forms in which programs write them; None if it is in none."""
    if _EPOCH_SECONDS.fullmatch(text):
        seconds = float(text) / (1000 if len(text) == 13 else 1)
        return _EPOCH + timedelta(seconds=seconds)
    if re.fullmatch(r"\d{1,2}:\d\d(:\d\d)?", text):
        text = f"{local(now()).date().isoformat()} {text.zfill(len(text) + (text.index(':') == 1))}"
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        pass
    if " " in text:
        for form in _OTHER_FORMS:
            try:
                read = datetime.strptime(text, form)  # noqa: DTZ007 - one without a zone is local, as everywhere
            except ValueError:
                continue
            return read.replace(tzinfo=UTC) if "UTC" in form else read
    return None


def _no_time(text: str) -> ValidationError:
    return ValidationError(
        f"'{text}' is not a time",
        hint="give 2026-05-08, 2026-05-08T14:00Z, yesterday, or 7d for a week ago",
    )


def _within_calendar(moment: datetime) -> datetime:
    """Return a moment in UTC; one that UTC's calendar does not reach, as the end of it that is nearest."""
    if moment.tzinfo is None:
        return _from_clock(moment)
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        return datetime.min.replace(tzinfo=UTC) if moment.year == 1 else datetime.max.replace(tzinfo=UTC)


def _from_clock(time: datetime) -> datetime:
    """Return the moment at which this person's clock shows a time, the first of two; in UTC.

    A time that the clock leaves out, as it is put forward, is as long after the change as it says. At the ends of the
    calendar it is one of UTC, as `local` shows it.
    """
    try:
        zone = _named_zone(os.environ.get("TZ", ""))
        if zone is not None:
            return time.replace(tzinfo=zone).astimezone(UTC)
        # Not `astimezone`, which takes the offset after the change for a time that is left out.
        seconds = int(time.replace(microsecond=0).timestamp())
        return _EPOCH + timedelta(seconds=seconds, microseconds=time.microsecond)
    except (OverflowError, ValueError, OSError):
        return time.replace(tzinfo=UTC)
