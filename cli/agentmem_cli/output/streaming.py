"""Rows printed as they come, so that a result of any length takes the memory of a few."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain, islice
from typing import TYPE_CHECKING, Any, Final

from agentmem_cli import streams
from agentmem_cli.output import plain

if TYPE_CHECKING:
    from agentmem_cli.output import Output

Row = Mapping[str, Any]
_BATCH: Final = 500
"""Rows of one table: the widths of its columns are those of its own rows."""


def write(output: Output, rows: Iterable[Row]) -> None:
    """Print rows in the form that was asked for; where there are none, say so on stderr."""
    rows = iter(rows)
    first = next(rows, None)
    if first is None:
        if output.form == "json":
            output.line("[]")
        output.note("no rows")
        return
    rows = chain([first], rows)
    if output.form == "json":
        _json(output, rows)
    elif output.form == "csv":
        import sys

        from agentmem_cli.output import comma_separated

        comma_separated.write(rows, sys.stdout, list(first))
    elif output.form == "table":
        _tables(rows)
    else:
        for row in rows:
            output.line(_printed(output, row))


def _printed(output: Output, row: Row) -> str:
    """Return the line of one row where each row is a line of its own."""
    if output.form == "ndjson":
        return _line(output, row)
    cells = [plain.cell(_shown(value)) for value in row.values()]
    return cells[0] if output.form == "id" else "\t".join(cells)


def _json(output: Output, rows: Iterator[Row]) -> None:
    """Write an array a row at a time, each on its own line."""
    before = "[" + _line(output, next(rows))
    for row in rows:
        output.line(before + ",")
        before = " " + _line(output, row)
    output.line(before + "]")


def _line(output: Output, row: Row) -> str:
    text = json.dumps(row, ensure_ascii=False, default=_encoded)
    if not streams.can_write(text):
        text = json.dumps(row, default=_encoded)
    return streams.harmless_json(text) if output.terminal else text


def _encoded(value: Any) -> Any:
    """Return bytes as sqlite-utils writes them to JSON."""
    if isinstance(value, bytes):
        return {"$base64": True, "encoded": base64.b64encode(value).decode("ascii")}
    return str(value)


def _tables(rows: Iterator[Row]) -> None:
    from agentmem_cli.output import tables

    while batch := list(islice(rows, _BATCH)):
        tables.sheet([{name: _shown(value) for name, value in row.items()} for row in batch])


def _shown(value: Any) -> Any:
    """Return what a person is shown of a value: of bytes, how many."""
    return f"({len(value):,} bytes)" if isinstance(value, bytes) else value
