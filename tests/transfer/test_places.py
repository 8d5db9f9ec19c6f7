"""Which store a name means."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent_memory import ConfigurationError, ValidationError
from agent_memory.transfer.places import Place, place, target


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("old.db", Place("sqlite", {"path": "old.db"})),
        ("sqlite:///tmp/old.db", Place("sqlite", {"path": "/tmp/old.db"})),
        ("memory", Place("memory", {})),
        ("redis", Place("redis", {"url": "redis://in-use"})),
        ("redis://elsewhere", Place("redis://elsewhere", {"url": "redis://in-use"})),
        ("postgresql://elsewhere", Place("postgresql://elsewhere", {})),
    ],
)
def test_a_store_is_named_by_a_backend_a_url_or_a_path(name: str, meant: Place) -> None:
    assert place(name, backend="redis", options={"url": "redis://in-use"}) == meant


def test_a_backend_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ConfigurationError):
        place("mongodb://x", backend="sqlite", options={})


def test_nothing_is_moved_to_where_there_is_no_folder(tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match="names no file"):
        target(Place("sqlite", {"path": ""}), "a", dry_run=False)
    with pytest.raises(ValidationError, match="there is no folder"):
        target(Place("sqlite", {"path": str(tmp_path / "missing" / "x.db")}), "a", dry_run=True)


def test_only_looking_makes_no_file(tmp_path: Path) -> None:
    named = Place("sqlite", {"path": str(tmp_path / "x.db")})
    assert target(named, "a", dry_run=True).name == "memory"
    assert target(named, "a", dry_run=False).name == "sqlite"
    assert list(tmp_path.iterdir()) == []
