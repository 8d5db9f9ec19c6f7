"""Events at the ends of the calendar, shown by clocks that are ahead of UTC or behind it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from agent_memory.choices import formats

from ..running import done

InZone = Callable[[str], None]


@pytest.mark.parametrize(
    ("zone", "at"),
    [
        ("Asia/Tokyo", "9999-12-31T23:59Z"),
        ("America/New_York", "0001-01-01T00:01Z"),
        ("America/New_York", "9999-12-31T23:59"),
        ("Asia/Tokyo", "0001-01-01"),
    ],
)
def test_events_at_the_ends_of_the_calendar_are_shown_everywhere(in_zone: InZone, zone: str, at: str) -> None:
    in_zone("UTC")
    written = done(
        "event", "add", "the end of days", "--at", at, "--outcome", "failed", "-o", "id"
    ).out.split()[-1]
    in_zone(zone)
    again = done("event", "add", "another end of days", "--at", at, "-o", "id").out.split()[-1]
    year = at[:4]
    for form in ("table", "text", "json", "ndjson"):
        for command in (
            ["event", "timeline"],
            ["event", "failed"],
            ["list", "--sort", "occurred"],
            ["list", "--since", "0001-01-01", "--until", "9999-12-31T23:59:59.999999"],
            ["get", written],
            ["history", again],
            ["search", "what happened at the end of days on 31 december 1999"],
        ):
            assert "end of days" in done("-o", form, *command).out, command
    for format in formats():
        assert f"{year}-" in done("recall", "the end of days", "--format", format).out
    done("stats")
    exported = done("export", "-", "--history").out
    assert exported.count("end of days") >= 2
    done("update", written, "--at", "9999-12-31")
    done("--db", "other.db", "import", "-", stdin=exported)
    assert done("--db", "other.db", "event", "timeline", "-o", "id").out.split()
