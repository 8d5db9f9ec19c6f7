"""What there is, counted: tables with bars on a terminal, lines with bars of `#` in a pipe."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from agent_memory import clock
from agent_memory.records import TYPE_ALIASES
from agentmem_cli.output import Output, plain

Row = tuple[str, int, Sequence[str]]
_AGES = {
    "hour": "under an hour",
    "day": "under a day",
    "week": "under a week",
    "month": "under a month",
    "year": "under a year",
    "older": "older",
}
_WIDTH = 20


def statistics(output: Output, values: Mapping[str, Any], top: int) -> None:
    """Print what `get_stats(detailed=True)` found, with the most used tags."""
    if output.form in ("json", "ndjson"):
        output.details(values)
        return
    if output.form == "csv":
        output.rows(_rows(values))
        return
    aside = [f"{values[name]:,} {name}" for name in ("pinned", "archived", "expired") if values[name]]
    output.line(
        f"{plain.one_line(values['agent_id'])}: {_memories(values['total'])}"
        + (f" ({', '.join(aside)})" if aside else "")
        + (f", {plain.size(values['bytes'])}" if values["bytes"] is not None else "")
        + f" in {values['location']}"
    )
    types = [_type(alias, values["types"][kind.value]) for alias, kind in TYPE_ALIASES.items()]
    _chart(output, "type", types, ("text", "oldest", "newest"))
    if values["total"]:
        _chart(output, "age", [(_AGES[name], count, ()) for name, count in values["ages"].items()])
    tags = list(values["tags"].items())[:top]
    if tags:
        _chart(output, "tag", [(plain.one_line(name), count, ()) for name, count in tags])
        if len(values["tags"]) > len(tags):
            output.note(f"{len(values['tags']) - len(tags)} more tags: --top {len(values['tags'])}")


def _rows(values: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the counts one per row, for spreadsheets."""
    counts = [
        *(("type", name, row["count"]) for name, row in values["types"].items()),
        *(("age", name, count) for name, count in values["ages"].items()),
        *(("tag", name, count) for name, count in values["tags"].items()),
    ]
    return [{"by": by, "name": name, "count": count} for by, name, count in counts]


def _memories(count: int) -> str:
    return plain.many(count, "memory")


def _type(alias: str, row: Mapping[str, Any]) -> Row:
    cells = [plain.size(row["bytes"]) if row["count"] else "", _age(row["oldest"]), _age(row["newest"])]
    return alias, row["count"], cells


def _age(text: str | None) -> str:
    return plain.age(clock.from_text(text)) if text else ""


def _chart(output: Output, title: str, rows: Sequence[Row], headings: Sequence[str] = ()) -> None:
    if output.form == "table":
        from agentmem_cli.output import tables

        tables.bars(title, rows, headings)
        return
    width, most = max(len(name) for name, _, _ in rows), max(count for _, count, _ in rows)
    output.line("")
    for name, count, cells in rows:
        bar = "#" * (max(1, round(_WIDTH * count / most)) if count else 0)
        beside = "  ".join(
            f"{heading} {cell}" for heading, cell in zip(headings, cells, strict=False) if cell
        )
        output.line(f"{name:<{width}}  {count:>7,}  {bar:<{_WIDTH}}  {beside}".rstrip())
