from __future__ import annotations

import pytest

from .conftest import texts


@pytest.mark.usefixtures("events")
def test_what_went_wrong() -> None:
    assert texts("failed") == ["ten hours ago", "three days ago"]
    assert texts("failed", "--type", "deploy") == ["three days ago"]
    assert texts("failed", "-n", "1") == ["ten hours ago"]
