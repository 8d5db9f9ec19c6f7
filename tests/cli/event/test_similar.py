from __future__ import annotations

import pytest

from ..running import done
from .conftest import texts


@pytest.mark.usefixtures("events")
def test_the_likest_first() -> None:
    assert texts("similar", "ten hours")[0] == "ten hours ago"
    assert len(texts("similar", "ago", "-n", "2")) == 2
    (first, *_) = done("event", "similar", "-", "--json", stdin="a month").json
    assert first["content"] == "a month ago"
    assert 0 < first["score"] <= 1
