from __future__ import annotations

import pytest

from ..running import done, run


@pytest.fixture
def skills() -> None:
    for name, category, good, bad in [("often", "a", 9, 1), ("always", "b", 3, 0), ("never", "a", 0, 0)]:
        done("skill", "add", name, f"how {name}", "--category", category)
        for number in range(good + bad):
            done("skill", "used", name, *(["--failed"] if number >= good else []))


def names(*arguments: str) -> list[str]:
    return [item["name"] for item in done("skill", "list", *arguments, "--json").json]


@pytest.mark.usefixtures("skills")
def test_by_age_by_use_and_by_success() -> None:
    assert names() == ["never", "always", "often"]
    assert names("--sort", "used") == ["often", "always"]
    assert names("--sort", "success") == ["often", "always"], "9 of 10 counts for more than 3 of 3"
    assert names("--category", "a") == ["never", "often"]
    assert names("--category", "a", "--sort", "used") == ["often"]
    assert names("--category", "b", "--sort", "used", "--limit", "1") == ["always"]
    assert run("skill", "list", "--sort", "luck").code == 2
