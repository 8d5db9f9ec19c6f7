"""Names: what memories are found and told apart by, such as tags, keys, sessions and metadata.

A letter with an accent may be written as one character or as two. Keyboards and file systems differ in it, so names
are kept in one form (NFC) wherever they come in. The text of a memory is never touched.
"""

from __future__ import annotations

import unicodedata
from dataclasses import replace
from typing import Any

from agent_memory.errors import ValidationError
from agent_memory.hints import Hint
from agent_memory.records import OWN_FIELDS, R


def is_storable(text: str) -> bool:
    """Return whether every store can keep a text: it holds no NUL, and no half of a character."""
    if text.isascii():
        return "\x00" not in text
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return "\x00" not in text


def check_storable(name: str, text: str) -> None:
    """Raise where a store cannot keep a text, and so cannot be asked for it.

    Args:
        name: how an error calls it.
        text: what is to be stored or looked for.

    Raises:
        ValidationError: it holds a NUL, or half a character.
    """
    if is_storable(text):
        return
    if "\x00" in text:
        raise ValidationError(
            f"the {name} holds a NUL character", hint="take it out: no store keeps those in text"
        )
    check_unicode(name, text)


def check_unicode(name: str, text: str) -> None:
    """Raise where a text cannot be written as UTF-8.

    Args:
        name: how an error calls it.
        text: what is to be written.

    Raises:
        ValidationError: it holds half a character.
    """
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise ValidationError(
            f"the {name} is not valid Unicode at character {error.start}",
            hint=Hint("{TO_UTF8}"),
        ) from None


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
