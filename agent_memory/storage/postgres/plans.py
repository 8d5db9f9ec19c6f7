"""Whether the server plans a prepared statement anew each time it runs, or keeps the plan.

It takes longer to plan a statement that looks some rows up by keys than to run it, and one plan is the best for all
values. A filter needs a plan of its own: one for any value would not know which part of an index it may use.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

_KEPT_FROM: Final = 4
"""Look-ups one behind the other from which plans are kept: to change there and back takes longer than to plan one."""
_RENEWED_AFTER: Final = 100
"""Look-ups after which plans are made anew.

Some tables may have been empty before. The server makes plans anew by itself once it has counted the rows again,
within a minute or never.
"""
_ROW_BY_ROW: Final = ("enable_seqscan", "enable_hashjoin", "enable_mergejoin")
NEW_PLANS: Final[Mapping[str, str]] = {
    "plan_cache_mode": "force_custom_plan",
    **dict.fromkeys(_ROW_BY_ROW, "on"),
}
"""The settings of a session that keeps no plans."""
_KEPT_PLANS: Final[Mapping[str, str]] = {
    "plan_cache_mode": "force_generic_plan",
    **dict.fromkeys(_ROW_BY_ROW, "off"),
}


class Plans:
    """What a session does with plans, and what it should do."""

    def __init__(self) -> None:
        self.kept: bool | None = False
        """What the session does; None where that is not known."""
        self.wanted = False
        self._lookups = 0
        self._in_a_row = 0
        self._looks_up = False
        self._renewed = False

    @contextmanager
    def keeping(self) -> Iterator[None]:
        """Keep plans where look-ups follow each other: the driver prepares their statements then."""
        self._lookups += 1
        self._in_a_row += 1
        self._looks_up = True
        self.wanted = self._in_a_row >= _KEPT_FROM
        self._renewed = self._lookups % _RENEWED_AFTER == 0
        try:
            yield
        finally:
            self.wanted = self._renewed = self._looks_up = False

    def due(self) -> list[str]:
        """Return the statements that have to be sent before the next, which is a look-up within `keeping` only."""
        if not self._looks_up:
            self._in_a_row = 0
        due = [] if self.kept is self.wanted else [_set(_KEPT_PLANS if self.wanted else NEW_PLANS)]
        return ["discard plans", *due] if self._renewed else due

    @contextmanager
    def changing(self) -> Iterator[None]:
        """Send what is due within: what the server did not take has changed nothing."""
        wanted, self.kept, self._renewed = self.wanted, None, False
        yield
        self.kept = wanted

    def in_transaction(self) -> str:
        """Write what has to follow the beginning of a transaction, in which no plans are kept."""
        self._in_a_row = 0
        if self.kept is False:
            return ""
        return "; ".join(f"set local {name} to {value}" for name, value in NEW_PLANS.items())

    def in_batch(self) -> str:
        """Write the query that a batch of writes begins with: its plans are kept, for tables of any size."""
        self._in_a_row = 0
        undone = {} if self.kept is False else dict.fromkeys(_ROW_BY_ROW, "on")
        return _set({"plan_cache_mode": "force_generic_plan", **undone}, local=True)


def _set(values: Mapping[str, str], *, local: bool = False) -> str:
    return "select " + ", ".join(
        f"set_config('{name}', '{value}', {local})" for name, value in values.items()
    )
