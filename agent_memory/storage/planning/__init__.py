"""Deciding what a write means, without touching any store.

`needs` says which facts about the store decide the outcome; the backend loads them inside its write
transaction; `plan` turns changes and facts into rows. So duplicates, keyed versions, message positions,
conflicts and the journal work alike on every backend, and are tested without one.
"""

from __future__ import annotations

from agent_memory.storage.planning.facts import TAKEN, Key, Needs, State, leave_out, needs
from agent_memory.storage.planning.planner import plan

__all__ = ["TAKEN", "Key", "Needs", "State", "leave_out", "needs", "plan"]
