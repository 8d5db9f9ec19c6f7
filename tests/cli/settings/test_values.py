"""What a setting may be, where its declaration names bounds of its own."""

from __future__ import annotations

import pytest

from agent_memory.errors import ConfigurationError
from agent_memory.settings import about, in_shell
from agentmem_cli.settings.names import SETTINGS, Setting
from agentmem_cli.settings.values import parse

BOUNDED = (
    Setting("retries", "count", 5, "how often", least=1),
    Setting("days", "number", 3, "how many", most=7),
    Setting("weight", "share", 2.0, "how much", least=1, most=10),
)


@pytest.mark.parametrize(
    ("setting", "inside", "outside"),
    [
        (BOUNDED[0], ["1", 2], ["0", -1]),
        (BOUNDED[1], ["7", 1], ["8", 0]),
        (BOUNDED[2], ["1", 9.5], ["0.5", 11]),
    ],
)
def test_a_number_stays_within_the_bounds_that_are_declared(
    setting: Setting, inside: list[object], outside: list[object]
) -> None:
    for value in inside:
        assert parse(setting, value) == float(str(value))
    for value in outside:
        with pytest.raises(ConfigurationError, match=f"the setting {setting.name} cannot be"):
            parse(setting, value)


def test_the_bounds_of_the_library_are_those_of_the_shell() -> None:
    for name, field in in_shell().items():
        details = about(field)
        if name in SETTINGS and details is not None:
            assert (SETTINGS[name].least, SETTINGS[name].most) == (details.least, details.most)
    assert SETTINGS["standing_share"].most == 1
