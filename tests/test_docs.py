"""What the documentation takes from the code is up to date."""

from __future__ import annotations

from pathlib import Path

import pytest

DOCS = Path(__file__).parent.parent / "docs"


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_the_table_of_abilities_is_fresh() -> None:
    import sys

    sys.path.insert(0, str(DOCS.parent))
    from docs.build import abilities

    assert abilities() in (DOCS / "backends.md").read_text(), "run `make docs`"


def test_every_option_of_a_backend_is_explained() -> None:
    from agent_memory.storage.registry import BACKENDS

    for name in BACKENDS.builtin:
        store = BACKENDS.load(name)
        for option in store.options:
            assert option in (store.__doc__ or ""), f"{name}: {option}"
