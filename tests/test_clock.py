"""What people's clocks show, through changes of the clock and to the ends of the calendar."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone

import pytest

from agent_memory import AgentMemory, MemoryConfig, ValidationError, clock
from agent_memory.recall.dates import named_times

InZone = Callable[[str], None]


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text + "+00:00")


@pytest.mark.parametrize(
    ("zone", "now", "today", "yesterday", "tomorrow"),
    [
        # The clock is put forward at 2 in the morning of March 8, and back at 2 of November 1.
        ("America/New_York", "2026-03-08T18:00", "2026-03-08T05:00", "2026-03-07T05:00", "2026-03-09T04:00"),
        ("America/New_York", "2026-03-09T12:00", "2026-03-09T04:00", "2026-03-08T05:00", "2026-03-10T04:00"),
        ("America/New_York", "2026-11-01T20:00", "2026-11-01T04:00", "2026-10-31T04:00", "2026-11-02T05:00"),
        ("America/New_York", "2026-11-02T12:00", "2026-11-02T05:00", "2026-11-01T04:00", "2026-11-03T05:00"),
        (
            "Australia/Lord_Howe",
            "2026-04-05T10:00",
            "2026-04-04T13:00",
            "2026-04-03T13:00",
            "2026-04-05T13:30",
        ),
        # Days that begin at 1, as their midnight is left out, and those around them.
        ("America/Santiago", "2026-09-06T15:00", "2026-09-06T04:00", "2026-09-05T04:00", "2026-09-07T03:00"),
        ("Africa/Cairo", "2026-04-24T12:00", "2026-04-23T22:00", "2026-04-22T22:00", "2026-04-24T21:00"),
        ("Africa/Cairo", "2026-10-30T12:00", "2026-10-29T22:00", "2026-10-28T21:00", "2026-10-30T22:00"),
        ("America/Havana", "2026-11-01T15:00", "2026-11-01T04:00", "2026-10-31T04:00", "2026-11-02T05:00"),
        ("Asia/Tokyo", "2026-05-08T20:00", "2026-05-08T15:00", "2026-05-07T15:00", "2026-05-09T15:00"),
        ("UTC", "2026-05-08T20:00", "2026-05-08T00:00", "2026-05-07T00:00", "2026-05-09T00:00"),
    ],
)
def test_days_begin_at_local_midnight(
    in_zone: InZone, zone: str, now: str, today: str, yesterday: str, tomorrow: str
) -> None:
    in_zone(zone)
    with clock.fixed(utc(now)):
        assert clock.parse_moment("today") == utc(today)
        assert clock.parse_moment("Yesterday") == utc(yesterday)
        assert clock.parse_moment("tomorrow") == utc(tomorrow)
        (span,) = named_times("what happened today", clock.now())
        assert (span.start, span.end) == (utc(today), utc(tomorrow))
        (span,) = named_times("what happened yesterday", clock.now())
        assert (span.start, span.end) == (utc(yesterday), utc(today))


@pytest.mark.parametrize(
    ("now", "query", "start", "end"),
    [
        ("2026-03-10T12:00", "3 days ago", "2026-03-07T05:00", "2026-03-08T05:00"),
        ("2026-03-10T12:00", "two days ago", "2026-03-08T05:00", "2026-03-09T04:00"),
        ("2026-03-10T12:00", "last week", "2026-03-02T05:00", "2026-03-09T04:00"),
        ("2026-11-03T12:00", "3 days ago", "2026-10-31T04:00", "2026-11-01T04:00"),
        ("2026-11-03T12:00", "last week", "2026-10-26T04:00", "2026-11-02T05:00"),
        ("2026-11-03T12:00", "last sunday", "2026-11-01T04:00", "2026-11-02T05:00"),
        ("2026-11-03T12:00", "in november", "2026-11-01T04:00", "2026-12-01T05:00"),
    ],
)
def test_days_that_a_query_names_around_a_change_of_the_clock(
    in_zone: InZone, now: str, query: str, start: str, end: str
) -> None:
    in_zone("America/New_York")
    (span,) = named_times(query, utc(now))
    assert (span.start, span.end) == (utc(start), utc(end))


def test_days_ago_are_days_of_the_calendar_and_hours_are_hours(in_zone: InZone) -> None:
    in_zone("America/New_York")
    with clock.fixed(utc("2026-03-10T13:30")):  # half past nine
        assert clock.parse_moment("3 days ago") == utc("2026-03-07T14:30")
        assert clock.parse_moment("1 week ago") == utc("2026-03-03T14:30")
        assert clock.parse_moment("72h") == utc("2026-03-07T13:30")
        with pytest.raises(ValidationError, match="is not a time"):
            clock.parse_moment("9999999 days ago")


def test_a_time_that_the_clock_leaves_out_or_shows_twice_is_read(in_zone: InZone) -> None:
    in_zone("America/New_York")
    assert clock.parse_moment("2026-03-08T02:30") == utc("2026-03-08T07:30")
    assert clock.parse_moment("2026-11-01 01:30") == utc("2026-11-01T05:30")


# --- the ends of the calendar ----------------------------------------------------------------------------------

FIRST, LAST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)


@pytest.mark.parametrize("zone", ["Asia/Tokyo", "America/New_York", "UTC", "Pacific/Kiritimati"])
def test_every_moment_of_the_calendar_is_read_and_shown(in_zone: InZone, zone: str) -> None:
    in_zone(zone)
    for moment in (FIRST, FIRST + timedelta(hours=3), LAST, LAST - timedelta(hours=3)):
        assert abs(int(clock.shown_day(moment)[:4]) - moment.year) <= 1
        assert clock.shown_minute(moment).startswith(clock.shown_day(moment) + " ")
        assert clock.parse_moment(clock.to_text(moment)) == moment
        assert clock.midnight(moment.date()).date() - moment.date() <= timedelta(days=1)
    for text in (
        *("0001-01-01", "9999-12-31", "0001-01-01T00:00", "9999-12-31T23:59:59"),
        *("0001-01-01T00:00+14:00", "9999-12-31T23:59-12:00"),
    ):
        assert FIRST <= clock.parse_moment(text) <= LAST
    assert clock.parse_moment("0001-01-01T00:00+14:00") == FIRST
    assert clock.parse_moment("9999-12-31T23:59-12:00") == LAST


def test_a_moment_beyond_the_calendar_is_refused_in_python() -> None:
    for moment in (
        datetime(9999, 12, 31, 23, tzinfo=timezone(timedelta(hours=-5))),
        datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=9))),
    ):
        with pytest.raises(ValidationError, match="beyond the years 1 to 9999"):
            clock.as_utc(moment)


@pytest.mark.anyio
async def test_what_is_to_come_is_not_recent_but_for_what_clocks_differ() -> None:
    config = MemoryConfig(backend="memory", embedding_provider="none")
    async with AgentMemory("t", config) as memory:
        now = clock.now()
        for text, ahead in (("past", -600), ("soon", 30), ("in an hour", 3600), ("in ten days", 864_000)):
            await memory.episodic.record_event("deploy", text, occurred_at=now + timedelta(seconds=ahead))
        assert [recent_event.content for recent_event in await memory.episodic.get_recent_events()] == [
            "soon",
            "past",
        ]
        timeline = await memory.episodic.get_event_timeline()
        assert len(timeline) == 4
