from __future__ import annotations

import pytest

from ..running import run
from .conftest import texts


@pytest.mark.usefixtures("events")
def test_in_the_order_in_which_it_happened() -> None:
    assert texts("timeline") == ["a month ago", "three days ago", "ten hours ago", "the newest"]
    assert texts("timeline", "--since", "7d", "--until", "2h") == ["three days ago", "ten hours ago"]
    assert texts("timeline", "--type", "ci") == ["a month ago", "ten hours ago"]
    assert run("event", "timeline", "--since", "whenever").code == 2
