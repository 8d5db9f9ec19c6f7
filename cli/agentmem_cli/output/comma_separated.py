"""Rows as CSV: a header with the names, and one line for each row."""

from __future__ import annotations

import base64
import csv
import json
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import Any, TextIO


def write(rows: Iterable[Mapping[str, Any]], file: TextIO, columns: Sequence[str] = ()) -> None:
    """Write rows as CSV; without rows and columns, nothing.

    Args:
        rows: named values. Lists and mappings are written as JSON, bytes as base64, None as nothing.
        file: where to; lines end with a newline alone, as other tools of a shell expect.
        columns: the names, where the rows come one by one; else those of all rows together.
    """
    if not columns:
        rows = list(rows)
        columns = list(dict.fromkeys(chain.from_iterable(rows)))
    if not columns:
        return
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(columns)
    for row in rows:
        writer.writerow([_cell(row.get(name)) for name in columns])


def _cell(value: Any) -> Any:
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (list, tuple, Mapping)):
        return json.dumps(value, ensure_ascii=False, default=str)
    return value
