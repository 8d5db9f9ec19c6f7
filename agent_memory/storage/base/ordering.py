"""How lists are ordered, grouped and cut, and the checks of these arguments."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, NamedTuple, cast, get_args

from agent_memory.errors import ValidationError

OrderBy = Literal["created", "updated", "occurred", "used", "importance", "position"]
GroupBy = Literal[
    "type",
    "status",
    "tag",
    "session",
    "source",
    "conversation_id",
    "event_type",
    "category",
    "document_id",
    "role",
]


class Order(NamedTuple):
    """By what memories are listed; ties by the order in which they were stored.

    `occurred` is `happened_at`. What was never used, and what has no position, comes before all that has one.
    Descending is the whole list the other way round.
    """

    by: OrderBy = "created"
    descending: bool = True


@dataclass(frozen=True, slots=True)
class Group:
    """Memories that share a value: how many, and when they happened."""

    value: str
    count: int
    first: datetime
    last: datetime


def check_order(order: Order | None) -> Order:
    """Return the order, or the default for None.

    Args:
        order: what the caller asks for.

    Returns:
        An order that every backend knows.

    Raises:
        ValidationError: it names something that memories cannot be ordered by.
    """
    order = order or Order()
    if order.by not in get_args(OrderBy):
        raise ValidationError(
            f"cannot sort by '{order.by}'", hint="use one of " + ", ".join(get_args(OrderBy))
        )
    return order


def check_group(by: str) -> GroupBy:
    """Return the name of what memories are grouped by.

    Args:
        by: what the caller asks for.

    Returns:
        The same name.

    Raises:
        ValidationError: memories cannot be grouped by it.
    """
    if by not in get_args(GroupBy):
        raise ValidationError(f"cannot group by '{by}'", hint="use one of " + ", ".join(get_args(GroupBy)))
    return cast(GroupBy, by)


def check_slice(limit: int | None, offset: int) -> None:
    """Check the bounds of a list.

    Args:
        limit: how many entries at most; None for all.
        offset: how many entries to skip.

    Raises:
        ValidationError: one of them is negative.
    """
    if (limit is not None and limit < 0) or offset < 0:
        raise ValidationError("limit and offset cannot be negative", hint="give 0 or more")


def unique(ids: Iterable[str]) -> list[str]:
    """Return ids in order, each once."""
    return list(dict.fromkeys(ids))
