"""The filter language in SQL, as far as it is alike in every dialect: everything is pushed down."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, ClassVar, Final, Literal, Self

from agent_memory.records import OWN_FIELDS, MemoryType, Status
from agent_memory.storage.where import Condition, Period, Where

Sql = tuple[str, list[Any]]
"""A condition, and the values for its placeholders."""
Kind = Literal["text", "number", "boolean"]
_KINDS: Final[dict[str, Kind]] = {
    "text": "text",
    "integer": "number",
    "real": "number",
    "boolean": "boolean",
}


class Conditions(ABC):
    """SQL conditions that must all hold, and the values in them. A dialect fills what is its own."""

    table: ClassVar[str]
    """The name of the base table in queries."""
    sequence: ClassVar[str]
    """Its column that other tables refer to."""
    updated: ClassVar[str]
    happened: ClassVar[str]
    """When a memory was changed, and when what it tells of happened: expressions on the base table."""
    placeholder: ClassVar[str]
    never: ClassVar[str]
    """A condition that never holds."""

    def __init__(self) -> None:
        self.parts: list[str] = []
        self.values: list[Any] = []

    def add(self, sql: str, *values: Any) -> None:
        """Add a condition with the values for its placeholders."""
        self.parts.append(sql)
        self.values += values

    def one_of(self, column: str, values: Sequence[str]) -> None:
        """Add that a column has one of these values."""
        if len(values) == 1:
            self.add(f"{column} = {self.placeholder}", values[0])
        else:
            self._any_of(column, list(values))

    def within(self, column: str, period: Period | None) -> None:
        """Add that a column of times lies in a half-open period."""
        if period is not None and period.start is not None:
            self.add(f"{column} >= {self.placeholder}", self._time(period.start))
        if period is not None and period.end is not None:
            self.add(f"{column} < {self.placeholder}", self._time(period.end))

    def admit(self, where: Where, now: Any) -> Self:
        """Add what a filter asks for.

        Args:
            where: the filter.
            now: the moment at which something counts as expired, as a value of this dialect.

        Returns:
            The same conditions.
        """
        if where.statuses:
            self._statuses(where.statuses)
        self._names(where)
        self._state(where, now)
        self._tags(where)
        self.within(f"{self.table}.created_at", where.created)
        self.within(self.updated, where.updated)
        self.within(self.happened, where.occurred)
        for item in where.metadata:
            self._metadata(item)
        if where.fields:
            self._own_fields(where)
        return self

    def _names(self, where: Where) -> None:
        if where.ids is not None:
            self.one_of(f"{self.table}.id", where.ids)
        for column, values in (
            ("type", [item.value for item in where.types]),
            ("key", where.keys),
            ("source", where.sources),
            ("session", where.sessions),
        ):
            if values:
                self.one_of(f"{self.table}.{column}", values)

    def _state(self, where: Where, now: Any) -> None:
        ends = f"{self.table}.expires_at"
        if where.expired is False:
            self.add(f"({ends} is null or {ends} > {self.placeholder})", now)
        elif where.expired is True:
            self.add(f"{ends} <= {self.placeholder}", now)
        if where.pinned is not None:
            self._pinned(where.pinned)
        if where.min_importance > 0:
            self.add(f"{self.table}.importance >= {self.placeholder}", float(where.min_importance))

    def _tags(self, where: Where) -> None:
        if where.tags_any:
            tagged = self._elsewhere()
            tagged.one_of("tag", where.tags_any)
            self._tagged(tagged)
        for tag in where.tags_all:
            tagged = self._elsewhere()
            tagged.one_of("tag", [tag])
            self._tagged(tagged)

    def _tagged(self, tagged: Conditions) -> None:
        sql, values = tagged.sql()
        self.add(f"{self.sequence} in (select memory from memory_tag where {sql})", *values)

    def sql(self) -> Sql:
        """Return all conditions as one."""
        return " and ".join(self.parts) or "1", self.values

    # --- the types' own fields -----------------------------------------------------------------------------

    def in_conversation(self, where: Where, now: Any) -> Sql | None:
        """Return the SQL condition on the base table and its row in `conversation`, for one conversation's messages.

        Written so, the index that has a conversation in its order answers.

        Args:
            where: the filter.
            now: as for `admit`.

        Returns:
            The condition; None where the filter is about anything else.
        """
        one = any(item.name == "conversation_id" and item.operator == "=" for item in where.fields)
        if where.types != (MemoryType.CONVERSATION,) or not one:
            return None
        own = self._own_conditions(self._empty(), MemoryType.CONVERSATION, where)
        sql, values = self.admit(replace(where, fields=()), now).sql()
        return " and ".join([*own.parts, sql]), [*own.values, *values]

    def _own_fields(self, where: Where) -> None:
        selects: list[str] = []
        values: list[Any] = []
        for memory_type in where.types or tuple(MemoryType):
            own = self._own_conditions(self._elsewhere(), memory_type, where)
            if self.never not in own.parts:
                sql, own_values = own.sql()
                selects.append(f"select memory from {memory_type} where {sql}")
                values += own_values
        self.add(f"{self.sequence} in ({' union all '.join(selects)})" if selects else self.never, *values)

    @staticmethod
    def _own_conditions(result: Conditions, memory_type: MemoryType, where: Where) -> Conditions:
        kinds = {own.name: own.kind for own in OWN_FIELDS[memory_type]}
        for item in where.fields:
            if item.name in kinds:
                result._own_field(item, _KINDS[kinds[item.name]])
            elif item.operator != "exists" or item.value:
                result.add(result.never)
        return result

    def _own_field(self, comparison: Condition, kind: Kind) -> None:
        if comparison.operator == "exists":
            self.add(f"{comparison.name} is {'not ' if comparison.value else ''}null")
            return
        fitting = [value for value in alternatives(comparison) if kind_of(value) == kind]
        if fitting:
            self._compare_own(comparison, fitting, kind)
        else:
            self.add(self.never)

    # --- what a dialect fills ------------------------------------------------------------------------------

    @abstractmethod
    def _empty(self) -> Conditions:
        """Return no conditions, in the same dialect."""

    def _elsewhere(self) -> Conditions:
        """Return conditions on another table of the same agent, which stands alone in its query."""
        return self._empty()

    @abstractmethod
    def _any_of(self, column: str, values: list[str]) -> None:
        """Add that a column has one of several values, or of none."""

    @abstractmethod
    def _time(self, moment: Any) -> Any:
        """Return a time as a value."""

    @abstractmethod
    def _statuses(self, statuses: Sequence[Status]) -> None:
        """Add that a memory has one of these statuses."""

    @abstractmethod
    def _pinned(self, pinned: bool) -> None:
        """Add that a memory is pinned, or not."""

    @abstractmethod
    def _metadata(self, comparison: Condition) -> None:
        """Add a condition on a name in the metadata."""

    @abstractmethod
    def _compare_own(self, comparison: Condition, values: Sequence[Any], kind: Kind) -> None:
        """Add that a column compares with one of these values, which are of its kind."""


def alternatives(comparison: Condition) -> Sequence[Any]:
    """Return the values that a condition compares with."""
    return comparison.value if comparison.operator == "in" else (comparison.value,)


def kind_of(value: Any) -> Kind:
    """Return what sort of a value is compared; only values of one sort are alike or unlike."""
    if isinstance(value, bool):
        return "boolean"
    return "text" if isinstance(value, str) else "number"
