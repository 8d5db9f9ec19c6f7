from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from ..running import done


@pytest.fixture
def events() -> None:
    """Four events, told in another order than they happened."""
    for text, kind, outcome, hours in [
        ("the newest", "deploy", "success", 1),
        ("three days ago", "deploy", "failed", 72),
        ("ten hours ago", "ci", "failed", 10),
        ("a month ago", "ci", "success", 720),
    ]:
        at = (datetime.now(UTC) - timedelta(hours=hours)).isoformat()
        done("event", "add", text, "--type", kind, "--outcome", outcome, "--at", at)


def texts(*arguments: str) -> list[str]:
    return [item["content"] for item in done("event", *arguments, "--json").json]
