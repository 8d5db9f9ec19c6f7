"""How records and results show themselves: in one line where they are printed, as a table in a notebook."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

SHOWN = 60
"""Characters of a text in a `repr`."""
_SHOWN_IN_CELL = 300


def shortened(text: str, length: int = SHOWN) -> str:
    """Return a text in one line, cut after some characters."""
    line = " ".join(text[: 2 * length].split())
    whole = len(line) <= length and len(text) <= 2 * length
    return line if whole else line[: length - 1].rstrip() + "…"


def in_one_line(name: str, values: Mapping[str, Any]) -> str:
    """Write an object as its class and some of its values: `Name(key=value, ...)`."""
    return f"{name}({', '.join(f'{key}={value}' for key, value in values.items())})"


def escape(text: str) -> str:
    """Write a text so that it is no HTML."""
    from html import escape  # here, since only notebooks need it

    return escape(text)


def as_rows(values: Mapping[str, Any]) -> str:
    """Write names and values as an HTML table of two columns."""
    rows = "".join(
        f"<tr><th>{escape(name)}</th><td>{_cell(value)}</td></tr>" for name, value in values.items()
    )
    return f"<table>{rows}</table>"


def as_table(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """Write rows below a heading as an HTML table."""
    head = "".join(f"<th>{escape(column)}</th>" for column in columns)
    body = "".join(f"<tr>{''.join(f'<td>{_cell(value)}</td>' for value in row)}</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.2f}"
    if isinstance(value, tuple | list):
        value = ", ".join(map(str, value))
    return escape(shortened(str(value), _SHOWN_IN_CELL))
