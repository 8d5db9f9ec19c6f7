"""Tables on a terminal: the only module that imports Rich."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from agent_memory.clock import from_text, shown_minute
from agent_memory.records import COLOURS, MemoryRecord, ScoredMemory
from agentmem_cli import streams
from agentmem_cli.output import plain

_COLUMN_STYLES = {"id": "dim", "created": "dim", "happened": "dim", "expires": "dim", "tags": "dim cyan"}
_UNBROKEN = 16
"""Letters of a word that is kept on one line; longer ones, such as paths, are broken where there is no room."""
_HEADINGS = {"created": "age", "event_type": "event", "created_at": "age", "updated_at": "updated"}


def console() -> Console:
    """Return a console on stdout."""
    return Console(file=streams.unchecked(sys.stdout), width=streams.columns(), highlight=False)


def _text(text: str, style: str = "") -> Text:
    """Return what stands in a cell: Rich writes past the check that stdout makes of a text."""
    return Text(streams.harmless(text), style=style)


def _table(*, header: bool = True) -> Table:
    return Table(box=box.SIMPLE_HEAD, show_header=header, pad_edge=False, header_style="bold", expand=False)


def records(memories: Sequence[MemoryRecord], columns: Sequence[str]) -> None:
    """Draw a list of memories, each on at most three lines."""
    if not memories:
        return
    shown = [name for name in columns if any(plain.column(record, name) for record in memories)]
    table = _table()
    for name in shown:
        wide = name in ("content", "value", "triggers")
        table.add_column(
            _HEADINGS.get(name, name),
            style=_COLUMN_STYLES.get(name),
            no_wrap=name in ("id", "type", "created", "happened", "expires", "uses"),
            ratio=3 if wide else None,
            overflow="fold" if wide else "ellipsis",
            max_width=None if wide else 24,
        )
    for record in memories:
        table.add_row(*(_record_cell(record, name) for name in shown))
    console().print(table)


def _room() -> int:
    """Return how many characters of a text are about three lines beside the other columns."""
    return max(60, 3 * (console().width - 48))


def _record_cell(record: MemoryRecord, name: str) -> Text:
    text = plain.column(record, name)
    if name == "type":
        return _text(text, style=COLOURS.get(text, ""))
    if name == "content":
        pin = "📌 " if record.pinned else ""
        return _text(pin + plain.cut(text, _room()))
    return _text(text)


def scored(results: Sequence[ScoredMemory], terms: Sequence[str], *, explain: bool) -> None:
    """Draw what a search found: a bar for the relevance, and the words of the query marked."""
    if not results:
        return
    marked = re.compile(
        "|".join(rf"\b{re.escape(term[:-1] if len(term) > 4 else term)}\w*" for term in terms), re.IGNORECASE
    )
    table = _table()
    table.add_column("relevance", no_wrap=True)
    table.add_column("type", no_wrap=True)
    table.add_column("age", style="dim", no_wrap=True, justify="right")
    table.add_column("id", style="dim", no_wrap=True)
    table.add_column("content", ratio=1, overflow="fold")
    for result in results:
        kind = plain.alias(result.memory)
        content = _text(plain.cut(result.memory.content, _room()))
        if terms:
            content.highlight_regex(marked, "bold")
        if result.memory.tags:
            content.append_text(_text("  " + " ".join(f"#{tag}" for tag in result.memory.tags), "dim cyan"))
        if explain and result.explanation is not None:
            content.append_text(_text("\n" + _explained(result), "dim"))
        table.add_row(
            _bar(result.relevance),
            _text(kind, style=COLOURS.get(kind, "")),
            plain.age(result.memory.happened_at),
            result.memory.id[:8],
            content,
        )
    console().print(table)


def _explained(result: ScoredMemory) -> str:
    return plain.explanation(result).replace("; ", "\n")


def _bar(share: float) -> Text:
    eighths = round(share * 5 * 8)
    blocks = "█" * (eighths // 8) + (" ▏▎▍▌▋▊▉"[eighths % 8] if eighths % 8 else "")
    return _text(f"{share:.2f} ").append(f"{blocks:<5}", style="green" if share >= 0.5 else "yellow")


def rows(mappings: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> None:
    """Draw rows of named values."""
    if not mappings:
        return
    table = _table()
    columns = [name for name in columns if any(row.get(name) not in (None, "", [], ()) for row in mappings)]
    for name in columns:
        number = all(
            isinstance(row.get(name), (int, float)) and not isinstance(row.get(name), bool)
            for row in mappings
        )
        heading = _HEADINGS.get(name, name.replace("_", " "))
        table.add_column(
            heading,
            justify="right" if number else "left",
            no_wrap=name in ("id", "model"),
            overflow="fold",
            min_width=max(len(heading), _longest_word(mappings, name)),
        )
    for row in mappings:
        table.add_row(*(_text(_short(name, row.get(name))) for name in columns))
    console().print(table)


def sheet(mappings: Sequence[Mapping[str, Any]]) -> None:
    """Draw rows as they are, every column under its own name; rows too wide for that, one value below the other."""
    needed = sum(2 + max(len(name), _longest_word(mappings, name)) for name in mappings[0])
    if needed > console().width:
        for row in mappings:
            details(row)
        return
    table = _table()
    for name in mappings[0]:
        number = all(isinstance(row[name], (int, float)) for row in mappings)
        table.add_column(_text(name), justify="right" if number else "left", overflow="fold")
    for row in mappings:
        table.add_row(*(_text(plain.cut(plain.cell(value), _room())) for value in row.values()))
    console().print(table)


def _longest_word(mappings: Sequence[Mapping[str, Any]], name: str) -> int:
    """Return how wide a column has to be for no word of usual length to be broken."""
    words = (word for row in mappings for word in _short(name, row.get(name)).split())
    return min(_UNBROKEN, max((len(word) for word in words), default=0))


def _short(name: str, value: Any) -> str:
    text = plain.cell(value)
    if name in ("id", "undone_by") and len(text) == 20:
        return text[:8]
    if name == "created_at":
        return plain.age(from_text(text)) if text else ""
    if name.endswith("_at") or name in ("first", "last"):
        return shown_minute(from_text(text)) if text else ""
    return plain.cut(text, min(160, _room()))


def details(row: Mapping[str, Any]) -> None:
    """Draw one set of named values, one below the other."""
    table = _table(header=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold", ratio=1)
    for name, value in row.items():
        table.add_row(
            _text(name.replace("_", " ")), _text(value if isinstance(value, str) else plain.cell(value))
        )
    console().print(table)


def bars(title: str, rows: Sequence[tuple[str, int, Sequence[str]]], headings: Sequence[str] = ()) -> None:
    """Draw a bar for each row: its name, its count, and further cells under `headings`."""
    most = max((count for _, count, _ in rows), default=0)
    table = _table()
    table.add_column(title, no_wrap=True, overflow="ellipsis", max_width=24)
    table.add_column("count", justify="right", no_wrap=True)
    table.add_column("", no_wrap=True, width=20)
    for heading in headings:
        table.add_column(heading, justify="right", no_wrap=True, style="dim")
    for name, count, cells in rows:
        table.add_row(
            _text(name), f"{count:,}", _text(_block(count, most), style=COLOURS.get(name, "cyan")), *cells
        )
    console().print(table)


def _block(count: int, most: int, width: int = 20) -> str:
    eighths = max(1, round(8 * width * count / most)) if count else 0
    return "█" * (eighths // 8) + (" ▏▎▍▌▋▊▉"[eighths % 8] if eighths % 8 else "")
