"""Names: what memories are found and told apart by, such as tags, keys, sessions and metadata.

A letter with an accent may be written as one character or as two. Keyboards and file systems differ in it, so names
are kept in one form (NFC) wherever they come in. The text of a memory is never touched.
"""

from __future__ import annotations

import unicodedata
from dataclasses import replace
from typing import Any

from agent_memory.records import OWN_FIELDS, R


def normal_name(text: str) -> str:
    """Return a name in NFC, without white space around it."""
    return _composed(text.strip())


def normal_value(value: Any) -> Any:
    """Return a JSON value with every text in it, names of members included, in NFC."""
    if isinstance(value, str):
        return _composed(value)
    if isinstance(value, dict):
        return {_composed(name): normal_value(item) for name, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [normal_value(item) for item in value]
    return value


def with_normal_names(record: R) -> R:
    """Return a memory with all of its names in NFC; the same object where they are."""
    changes: dict[str, Any] = {
        "tags": tuple(sorted({_composed(tag) for tag in record.tags})),
        "metadata": normal_value(dict(record.metadata)) if record.metadata else record.metadata,
    }
    own = (field_.name for field_ in OWN_FIELDS[record.memory_type] if field_.is_name)
    for name in ("key", "source", "session", *own):
        value = getattr(record, name)
        if isinstance(value, str):
            changes[name] = _composed(value)
        elif isinstance(value, tuple):
            changes[name] = tuple(map(_composed, value))
    changes = {name: value for name, value in changes.items() if value != getattr(record, name)}
    return replace(record, **changes) if changes else record


def _composed(text: str) -> str:
    return text if text.isascii() else unicodedata.normalize("NFC", text)
