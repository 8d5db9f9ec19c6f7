from __future__ import annotations

import pytest

from .conftest import texts


@pytest.mark.usefixtures("events")
def test_what_went_well() -> None:
    assert texts("succeeded") == ["the newest", "a month ago"]
    assert texts("succeeded", "--type", "ci") == ["a month ago"]
