"""Plain text: one line per thing, for pipes and for people without a terminal."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from agent_memory import clock
from agent_memory.records import ConversationRecord, MemoryRecord, ScoredMemory
from agentmem_cli import streams


def alias(record: MemoryRecord) -> str:
    """Return the everyday word for a memory's type: note, fact, chat, event, doc, skill."""
    return record.descriptor.named(record)


_JOINERS = "\u200c\u200d"
"""Not printable by themselves, but without them a family falls apart into four faces, and Persian into letters."""


def one_line(text: str) -> str:
    """Return a text on one line, with nothing in it that a terminal would obey."""
    kept = (char if char.isprintable() or char in _JOINERS else " " for char in text)
    return " ".join("".join(kept).split())


def cut(text: str, width: int) -> str:
    """Return a text on one line of at most that many characters."""
    line = one_line(text)
    return line if len(line) <= width else line[: width - 1] + "…"


def age(moment: datetime) -> str:
    """Return how long ago something was, in one unit: 5s, 3m, 2h, 4d, 6w, 2y; with + if it is to come."""
    seconds = (clock.now() - moment).total_seconds()
    sign, seconds = ("+" if seconds < -1 else ""), abs(seconds)
    for size, unit in ((31_557_600, "y"), (604_800, "w"), (86_400, "d"), (3_600, "h"), (60, "m")):
        if seconds >= (2 * size if unit == "w" else size):
            return f"{sign}{int(seconds // size)}{unit}"
    return f"{sign}{int(seconds)}s"


def cell(value: Any) -> str:
    """Write any value in the space of a cell."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, (list, tuple)):
        return ", ".join(cell(item) for item in value)
    if isinstance(value, Mapping):
        return json.dumps(value, ensure_ascii=False, default=str)
    return one_line(str(value))


def column(record: MemoryRecord, name: str) -> str:
    """Write one column of a list of memories."""
    if name == "id":
        return record.id[:8]
    if name == "type":
        return alias(record)
    if name == "content":
        return one_line(record.content)
    if name == "created":
        return age(record.created_at)
    if name == "happened":
        return clock.shown_minute(record.happened_at)
    if name == "expires":
        return age(record.expires_at) if record.expires_at is not None else ""
    if name == "uses":
        used, good = getattr(record, "use_count", 0), getattr(record, "success_count", 0)
        return f"{good}/{used}" if used else ""
    return cell(getattr(record, name, None))


def record(record: MemoryRecord, columns: Sequence[str]) -> str:
    """Write a memory on one line."""
    return "  ".join(text for name in columns if (text := column(record, name)))


def scored(result: ScoredMemory) -> str:
    """Write what a search found on one line."""
    memory = result.memory
    return f"{result.relevance:.2f}  {memory.id[:8]}  {alias(memory):<5}  {one_line(memory.content)}"


def explanation(result: ScoredMemory) -> str:
    """Write the parts of a score on one line; nothing where they were not asked for."""
    parts = result.explanation
    if parts is None:
        return ""
    shown = [f"score {result.score:.2f}"]
    for name in ("words", "meaning"):
        if name in parts:
            part = parts[name]
            raw = f"bm25 {part['bm25']:.3g}" if "bm25" in part else f"cosine {part['cosine']:.2f}"
            more = part.get("without_words", 0.0)
            product = f"z {part['z']:.2f} × {part['weight']:g}" + (
                f" + {more:.2f} without words" if more else ""
            )
            shown.append(f"{name} {part['weight'] * part['z'] + more:+.2f} ({raw}, {product})")
    shown += [f"{name} {value:+.2f}" for name, value in parts["boosts"].items() if value]
    shown.append(f"= {parts['sum']:.2f}")
    return "; ".join([*shown, *parts.get("notes", ())])


def message(record: MemoryRecord) -> str:
    """Write a message as it was said."""
    if isinstance(record, ConversationRecord):
        return f"{record.name or record.role}: {record.content}"
    return record.content


def size(count: int | None) -> str:
    """Write a number of bytes in one unit, by thousands: 312 B, 4.2 kB, 17 MB."""
    if count is None:
        return ""
    value, units = float(count), ["B", "kB", "MB", "GB"]
    while value >= 999.5 and len(units) > 1:
        value, units = value / 1000, units[1:]
    return f"{value:.0f} {units[0]}" if value >= 9.95 or units[0] == "B" else f"{value:.1f} {units[0]}"


def line_width() -> int:
    """Return how many characters fit on a line; for what goes into a pipe, as many as there are."""
    if not sys.stdout.isatty():
        return 10_000
    return streams.columns()


def listed(names: Sequence[str]) -> str:
    """Write names one after the other: tags, metadata and source."""
    shown = [name.replace("_", " ") for name in names]
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"


def many(count: int, what: str) -> str:
    """Write a number of things: 1 memory, 2 memories, 1,000 texts."""
    plural = what[:-1] + "ies" if what.endswith("y") else what + "s"
    return f"{count:,} {what if count == 1 else plural}"
