"""`agentmem sql`."""

from __future__ import annotations

from typing import Annotated

import typer

from agent_memory.errors import ValidationError
from agentmem_cli import text_input
from agentmem_cli.context import Invocation


def sql(
    context: typer.Context,
    query: Annotated[
        str | None,
        typer.Argument(
            metavar="[SQL|-]", help="One statement that returns rows; - or a pipe reads it from stdin."
        ),
    ] = None,
    parameters: Annotated[
        list[str] | None,
        typer.Option(
            "--param", "-p", metavar="NAME=VALUE", help="The value of :NAME in the SQL; may be repeated."
        ),
    ] = None,
    tables: Annotated[
        bool, typer.Option("--tables", help="List the tables and views, with their rows and columns.")
    ] = False,
    schema: Annotated[bool, typer.Option("--schema", help="Print the SQL that makes them.")] = False,
) -> None:
    """Query the memory file in SQL, for reading only.

    The tables are those of one SQLite file, sqlite-vec loaded. Writing, ATTACH, load_extension and every PRAGMA that
    could change something are refused; other commands may write to the file meanwhile.

    Examples:
        agentmem sql "select type, count(*) as n from memory group by type"
        agentmem sql "select content from memory where importance > :least" -p least=0.8 -o csv
    """
    from agent_memory.inspection import open_sql

    named = [name for name, value in (("SQL", query), ("--tables", tables), ("--schema", schema)) if value]
    if len(named) > 1:
        raise ValidationError(f"{named[0]} stands beside {named[1]}", hint="give one of them")
    invocation = Invocation.of(context)
    output = invocation.output
    statement = "" if tables or schema else text_input.one(query)
    with open_sql(invocation.file()) as reader:
        if schema and output.form in ("json", "ndjson", "csv"):
            output.details({"schema": reader.schema()})
        elif schema:
            output.raw(reader.schema())
        elif tables:
            output.rows(
                [
                    {"name": item.name, "kind": item.kind, "rows": item.rows, "columns": item.columns}
                    for item in reader.tables()
                ],
                id="name",
            )
        else:
            output.stream(reader.query(statement, _named(parameters)))


def _named(parameters: list[str] | None) -> dict[str, str | int | float] | None:
    """Read `name=value` pairs; what is a number in SQL is one."""
    if not parameters:
        return None
    result: dict[str, str | int | float] = {}
    for pair in parameters:
        name, equals, value = pair.partition("=")
        if not equals or not name.strip():
            raise ValidationError(f"'{pair}' is not a parameter", hint="give it as name=value")
        result[name.strip().lstrip(":")] = _number(value)
    return result


def _number(text: str) -> str | int | float:
    for kind in (int, float):
        try:
            number = kind(text)
        except ValueError:
            continue
        return number if repr(number) == text else text
    return text
