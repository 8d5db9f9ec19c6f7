"""Episodic memory: what happened, when, and how it ended."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final, Unpack

from agent_memory import clock
from agent_memory.clock import Moment
from agent_memory.errors import ValidationError
from agent_memory.memories.base import Listing, TypeMemory
from agent_memory.memories.calling import also, instead
from agent_memory.memories.further import ActionFurther, EventFurther
from agent_memory.memories.given import Default
from agent_memory.records import EpisodicRecord, ScoredMemory
from agent_memory.storage.base import Order
from agent_memory.text.outcomes import success_of

EVENT_IMPORTANCE: Final = Default(0.6)
ACTION_IMPORTANCE: Final = Default(0.5)


class EpisodicMemory(TypeMemory[EpisodicRecord]):
    """Events, in the order in which they happened."""

    record_class = EpisodicRecord

    def _build(
        self, content: str, *, fields: Mapping[str, Any] | None = None, **common: Any
    ) -> EpisodicRecord:
        values = dict(fields or {})
        if values.get("success") is None and isinstance(values.get("outcome"), str):
            values["success"] = success_of(values["outcome"])
        return super()._build(content, fields=values, **common)

    @also(metadata="Mapping[str, Any] | None")
    async def record_event(
        self,
        /,
        event_type: str,
        description: str,
        outcome: str | None = None,
        participants: str | Iterable[str] | None = None,
        location: str | None = None,
        importance: float = EVENT_IMPORTANCE,
        duration: timedelta | float | None = None,
        extra_metadata: Mapping[str, Any] | None = None,
        *,
        occurred_at: Moment | None = None,
        success: bool | None = None,
        **more: Unpack[EventFurther],
    ) -> str:
        """Record something that happened and return its id.

        Args:
            outcome: how it ended, in any words; words such as `success` and `failed` say whether it went well.
            duration: how long it took: a timedelta or seconds.
            occurred_at: when it happened, if not now.
            success: whether it went well, where the outcome's words do not say.
            more: further arguments of `add`.
            description: what happened.
            event_type: what sort of event it is, such as `deploy`.
            extra_metadata: further metadata values.
            importance: how much it matters, from 0 to 1.
            location: where it happened.
            participants: who took part.

        Returns:
            The id of the event.

        Raises:
            ValidationError: both `extra_metadata` and `metadata` are given, or something cannot be
                stored.
        """
        rest: dict[str, Any] = {**more}
        other = rest.pop("metadata", None)  # what every other method calls it
        if other is not None and extra_metadata is not None:
            raise ValidationError("both extra_metadata and metadata are given", hint="leave one of them out")
        return await self.add(
            description,
            importance,
            other if extra_metadata is None else extra_metadata,
            occurred_at=occurred_at,
            event_type=event_type,
            outcome=outcome,
            participants=participants,
            location=location,
            duration=duration,
            success=success,
            **rest,
        )

    @also(extra_metadata="Mapping[str, Any] | None")
    @instead(event_type="", outcome="result")
    async def record_action(
        self,
        /,
        action: str,
        result: str,
        success: bool = True,
        importance: float = ACTION_IMPORTANCE,
        **more: Unpack[ActionFurther],
    ) -> str:
        """Record something that the agent did and what came of it; return its id. Its type is `action`."""
        return await self.record_event(
            "action", action, result, importance=importance, success=success, **more
        )

    async def get_events_by_type(self, event_type: str, limit: int = 50) -> Listing[EpisodicRecord]:
        """Return the latest events of a type, latest first."""
        return await self._latest({"event_type": event_type}, limit)

    async def get_events_in_range(
        self, start: Moment, end: Moment | None = None, limit: int = 100
    ) -> Listing[EpisodicRecord]:
        """Return events that happened from `start` until before `end` (None: until now and on), latest first."""
        return await self._select(self._where(since=start, until=end), limit, order=Order("occurred"))

    async def get_recent_events(self, hours: float = 24, limit: int = 50) -> Listing[EpisodicRecord]:
        """Return the events of the last hours until now, latest first."""
        where = self._where(since=_hours_ago(hours), until=clock.soon())
        return await self._select(where, limit, order=Order("occurred"))

    async def get_successful_events(
        self, event_type: str | None = None, limit: int = 50
    ) -> Listing[EpisodicRecord]:
        """Return the latest events that went well, of one type or of all."""
        return await self._latest(_outcome(event_type, True), limit)

    async def get_failed_events(
        self, event_type: str | None = None, limit: int = 50
    ) -> Listing[EpisodicRecord]:
        """Return the latest events that went wrong, of one type or of all."""
        return await self._latest(_outcome(event_type, False), limit)

    async def find_similar_events(
        self, description: str, limit: int = 5
    ) -> Listing[ScoredMemory[EpisodicRecord]]:
        """Find events like the one described, by words and, with an embedder, by meaning; best first."""
        return await self._search(description, limit)

    async def get_event_timeline(
        self,
        start: Moment | None = None,
        end: Moment | None = None,
        event_type: str | None = None,
        limit: int = 100,
    ) -> Listing[EpisodicRecord]:
        """Return the latest events of a period in the order in which they happened."""
        fields = {"event_type": event_type} if event_type else None
        where = self._where(since=start, until=end, fields=fields)
        return (await self._select(where, limit, order=Order("occurred")))[::-1]

    async def _latest(self, fields: Mapping[str, Any], limit: int) -> Listing[EpisodicRecord]:
        return await self._select(self._where(fields=fields), limit, order=Order("occurred"))


def _outcome(event_type: str | None, success: bool) -> dict[str, Any]:
    return {"success": success} | ({"event_type": event_type} if event_type else {})


def _hours_ago(hours: float) -> datetime:
    if not hours >= 0:  # NaN too
        raise ValidationError(f"hours is {hours!r}", hint="give a number from 0, such as 24")
    now = clock.now()
    try:
        return now - timedelta(hours=hours)
    except OverflowError:
        return datetime.min.replace(tzinfo=now.tzinfo)
