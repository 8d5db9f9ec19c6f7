from __future__ import annotations

import pytest

from .conftest import texts


@pytest.mark.usefixtures("events")
def test_the_last_hours_latest_first() -> None:
    assert texts("recent") == ["the newest", "ten hours ago"]
    assert texts("recent", "--hours", "100") == ["the newest", "ten hours ago", "three days ago"]
    assert texts("recent", "--hours", "100", "-n", "1") == ["the newest"]
    assert texts("recent", "--hours", "0.5") == []
