"""The mark of an agent that was moved to another store: from then on its old store takes no writes.

The mark is a setting of the store, so every process that has the store open sees it. A backend reads it in the same
transaction as each write, behind the lock that orders the writes: so what was acknowledged before the mark was set is
seen by whoever set it, and nothing is acknowledged after it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from agent_memory import clock
from agent_memory.errors import StoreReadOnlyError
from agent_memory.records import canonical_json
from agent_memory.storage.changes import new_id
from agent_memory.verbs import Verb

SETTING: Final = "moved"
"""The name of the setting."""
_ALLOWED: Final = (Verb.RENEW, Verb.DROP)
"""Operations that change nothing that was moved."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveMark:
    """Where an agent was moved to, or is just being moved."""

    to: str
    """The other store, for people; no password in it."""
    done: bool
    """Whether it is all there; else the last changes are still being copied."""
    run: str = field(default_factory=new_id)
    """Which migration set the mark."""
    at: datetime = field(default_factory=clock.now)

    def to_text(self) -> str:
        """Return it as the value of the setting."""
        return canonical_json(
            {"at": clock.to_text(self.at), "done": self.done, "run": self.run, "to": self.to}
        )

    @property
    def error(self) -> StoreReadOnlyError:
        """What a refused write raises."""
        return StoreReadOnlyError.moved(self.to, done=self.done)


def read(text: str | None) -> MoveMark | None:
    """Read the value of the setting. One that cannot be read refuses writes too."""
    if text is None:
        return None
    try:
        data = json.loads(text)
        return MoveMark(
            to=str(data["to"]), done=bool(data["done"]), run=str(data["run"]), at=clock.from_text(data["at"])
        )
    except (ValueError, KeyError, TypeError):
        return MoveMark(to="another store", done=True, run="")


def check(text: str | None, verb: str | None = None) -> None:
    """Refuse a write to a store that has the mark.

    Args:
        text: the value of the setting.
        verb: what the operation does, if the write is one.

    Raises:
        StoreReadOnlyError: the agent was moved, or is being moved.
    """
    if text is not None and verb not in _ALLOWED and (mark := read(text)) is not None:
        raise mark.error
