"""Short-term memory: the context of the task at hand, which expires by itself."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

from agent_memory import clock
from agent_memory.errors import MemoryNotFoundError
from agent_memory.hints import Hint
from agent_memory.memories.base import Listing, TypeMemory
from agent_memory.memories.building import as_json, check_text, expiry
from agent_memory.memories.core import Chosen
from agent_memory.memories.given import Default
from agent_memory.memories.operations import forgetting
from agent_memory.memories.operations.forgetting import ForgetPlan
from agent_memory.records import ShortTermRecord, Status
from agent_memory.verbs import Verb

CONTEXT_IMPORTANCE: Final = Default(0.6)
WORKING_IMPORTANCE: Final = Default(0.7)


class ShortTermMemory(TypeMemory[ShortTermRecord]):
    """Notes, context and working-memory values that live for an hour, or as long as asked for.

    What has expired is never returned, whether or not it has been cleaned up.
    """

    record_class = ShortTermRecord

    def _build(
        self, content: str, *, fields: Mapping[str, Any] | None = None, **common: Any
    ) -> ShortTermRecord:
        if common.get("ttl") is None and common.get("expires_at") is None:
            common["ttl"] = self._core.settings.short_term_ttl
        return super()._build(content, fields=fields, **common)

    async def add_context(
        self, context: str, importance: float = CONTEXT_IMPORTANCE, context_type: str = "general"
    ) -> str:
        """Store a piece of the task's context and return its id."""
        return await self.add(context, importance, kind="context", context_type=context_type)

    async def get_context(self, context_type: str | None = None, limit: int = 10) -> Listing[ShortTermRecord]:
        """Return the newest pieces of context, newest first, of one kind or of all."""
        fields = {"kind": "context"} | ({"context_type": context_type} if context_type else {})
        return await self._select(self._where(fields=fields), limit)

    async def set_working_memory(
        self,
        key: str,
        value: Any,
        importance: float = WORKING_IMPORTANCE,
        *,
        ttl: timedelta | float | str | None = None,
    ) -> str:
        """Set a working-memory value, replacing the one that was there, and return its id.

        Args:
            value: any JSON value.
            importance: how much it matters, from 0 to 1.
            key: the name under which it is found again.
            ttl: how long it lives: a timedelta, seconds, or text such as `10m`.

        Returns:
            The id of the value.

        Raises:
            ValidationError: JSON cannot hold the value.
        """
        value = as_json("value", value)
        text = json.dumps(value, ensure_ascii=False)
        content = value if isinstance(value, str) and value.strip() else text
        return await self.add(content, importance, ttl=ttl, key=key, kind="working", value=value)

    async def get_working_memory(self, key: str) -> Any:
        """Return a working-memory value, or None if it was never set or has expired."""
        records = await self._select(
            self._where(key=check_text("key", key).strip(), fields={"kind": "working"}), 1
        )
        return records[0].value if records else None

    async def list_working_memory(self) -> dict[str, Any]:
        """Return every working-memory value that is set, by key."""
        records = await self._select(self._where(fields={"kind": "working"}), None)
        return {record.key: record.value for record in reversed(records) if record.key is not None}

    async def plan_clear(
        self, keys: str | Sequence[str] | None = None, *, everything: bool = False
    ) -> ForgetPlan:
        """Look up which working-memory values clearing would archive; `AgentMemory.forget` carries the plan out.

        Pinned values are among them.

        Args:
            keys: only the values under these keys; None or an empty list means every value.
            everything: all short-term memories, notes and context too.

        Returns:
            The plan: its `records`, and what is to be done with them.

        Raises:
            MemoryNotFoundError: there is no value under one of the keys.
        """
        named = [keys] if isinstance(keys, str) else list(keys or ())
        where = self._where(key=named or None, fields={} if everything else {"kind": "working"})
        plan = await forgetting.plan_where(self._core, Verb.FORGET, where, purge=False, shred=False)
        missing = sorted({*named} - {record.key for record in plan.records})
        if missing:
            raise MemoryNotFoundError(
                missing[0], what="working-memory value", hint=Hint("{WORKING_VALUES} shows those there are")
            )
        return plan

    async def cleanup_expired(self, *, dry_run: bool = False) -> int:
        """Delete what has expired, and what the journal keeps of its text.

        Args:
            dry_run: only count what would be deleted.

        Returns:
            How many memories that are.
        """
        where = self._where(status=None, expired=True)
        if dry_run:
            return await self._core.store.count(where)

        async def choose() -> Chosen:
            return Chosen(await self._select(where, None))

        return len(await self._core.archive(Verb.CLEANUP, choose, shred=True))

    async def extend_ttl(self, id: str, additional_time: timedelta | float | str | None = None) -> bool:
        """Let a memory live longer, by the default time to live if none is given; False if there is none.

        The time is added to what it has left.

        Returns:
            Whether there is such a memory.
        """
        record = await self._find(id, statuses=(Status.ACTIVE,))
        if record is None:
            return False
        longer = self._core.settings.short_term_ttl if additional_time is None else additional_time

        def extended(current: ShortTermRecord) -> ShortTermRecord:
            ends = expiry(current.expires_at or clock.now(), longer)
            return replace(current, expires_at=ends, ttl_given=True)

        await self._change(Verb.EXTEND, record.id, extended)
        return True
