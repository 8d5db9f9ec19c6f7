"""The statements that spread the tables over several servers with Citus: by schema, or by the agent's number.

Nothing here runs a statement. The tests run them without Citus, and check what is sent against the rules of Citus.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from agent_memory.storage.postgres.migrate import POLICED
from agent_memory.storage.postgres.session import quoted_name

NAMES: Final = "agent_name"
"""The table that every server gets a copy of: few rows, which change only as an agent comes or goes."""
DISTRIBUTED: Final = {"agent": "number", **dict.fromkeys(POLICED, "agent")}
"""The tables whose rows are distributed, each with the column that says where a row is kept: the agent's number."""


class ForeignKey(NamedTuple):
    """A foreign key between two tables."""

    table: str
    columns: tuple[str, ...]
    target: str
    target_columns: tuple[str, ...]

    @property
    def name(self) -> str:
        """The name that PostgreSQL gave it."""
        return "_".join((self.table, *self.columns, "fkey"))


def foreign_keys() -> list[ForeignKey]:
    """Return all foreign keys, with those of tables that the declared memory types made."""
    return [ForeignKey("agent", ("number",), NAMES, ("number",)), *map(_of_table, POLICED)]


def _of_table(table: str) -> ForeignKey:
    """Return the one foreign key of a table that belongs to an agent."""
    match table:
        case "memory" | "term" | "embedding_space" | "setting" | "operation" | "journal":
            return ForeignKey(table, ("agent",), "agent", ("number",))
        case "embedding" | "embedding_attempt":
            return ForeignKey(table, ("agent", "space"), "embedding_space", ("agent", "id"))
        case "embedding_part":
            columns = ("agent", "space", "text_hash")
            return ForeignKey(table, columns, "embedding_attempt", columns)
        case _:
            return ForeignKey(table, ("agent", "memory"), "memory", ("agent", "place"))


def by_schema(schema: str) -> list[str]:
    """Write the statements that keep a schema with all its tables whole on one server, which Citus may choose.

    It is the layout for groups of agents, each in a schema of its own.

    Args:
        schema: the schema, with tables or before there are any.

    Returns:
        The statements, for the coordinator.
    """
    name = quoted_name(schema)
    return [f"create schema if not exists {name}", f"select citus_schema_distribute({_literal(name)})"]


def by_row(schema: str) -> list[str]:
    """Write the statements that distribute the rows of one schema by agent.

    Each agent is whole on one server. A foreign key stands in the way of distributing either of its tables before the
    other, so they are dropped before and made again afterwards, in one transaction.

    Args:
        schema: the schema; its tables are there.

    Returns:
        The statements, for the coordinator.
    """
    keys = foreign_keys()
    return [
        "begin",
        # Foreign keys to a table that all servers have a copy of admit no work on several connections at once.
        "set local citus.multi_shard_modify_mode to 'sequential'",
        *(f"alter table {_table(schema, key.table)} drop constraint {key.name}" for key in keys),
        f"select create_reference_table({_literal(_table(schema, NAMES))})",
        *_distributed(schema),
        *(_made_again(schema, key) for key in keys),
        "commit",
    ]


def _distributed(schema: str) -> Iterator[str]:
    first, *others = DISTRIBUTED.items()
    yield f"select create_distributed_table({_literal(_table(schema, first[0]))}, '{first[1]}')"
    beside = _literal(_table(schema, first[0]))
    for table, column in others:
        name = _literal(_table(schema, table))
        yield f"select create_distributed_table({name}, '{column}', colocate_with => {beside})"


def _made_again(schema: str, key: ForeignKey) -> str:
    columns, target_columns = ", ".join(key.columns), ", ".join(key.target_columns)
    return (
        f"alter table {_table(schema, key.table)} add constraint {key.name} foreign key ({columns})"
        f" references {_table(schema, key.target)} ({target_columns}) on delete cascade"
    )


def _table(schema: str, name: str) -> str:
    return f"{quoted_name(schema)}.{quoted_name(name)}"


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
