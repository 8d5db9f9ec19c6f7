"""What of a memory is indexed as words, what is embedded, and what makes two memories the same.

What is particular to a memory type says its descriptor (`records/`). `TEMPLATE_VERSION` numbers the embedded text:
vectors made after different template versions are not compared, so a change of `embedded_text` needs a new number.
"""

from __future__ import annotations

import hashlib
import unicodedata
from typing import Final, NewType

from agent_memory.records import TYPE_NAMES, MemoryRecord
from agent_memory.records.wording import date_words, lines
from agent_memory.text import standing

TEMPLATE_VERSION: Final = 1
_HASH_BYTES = 16

TextHash = NewType("TextHash", bytes)
"""The hash of an embedded text, under which its vectors are kept (`embedding_hash`)."""
ContentHash = NewType("ContentHash", bytes)
"""The hash that memories share which say the same (`content_hash`)."""


def indexed_text(record: MemoryRecord) -> str:
    """Return the raw text for keyword retrieval: what a memory may be looked for by, and a mark.

    What holds a standing instruction has a word for that (`standing.MARK`), by which it is found without a
    search. `analysis.analysed_text` of this goes into the index.
    """
    mark = standing.MARK if standing.spotted(record) else None
    return lines([searchable_text(record), mark])


def searchable_text(record: MemoryRecord) -> str:
    """Return the content and everything else that a memory may be looked for by, without the mark of `indexed_text`.

    Messages and events carry their date, others only one that was given: measured, the date belongs in the words
    and not in the vector.
    """
    descriptor = record.descriptor
    date = date_words(record.happened_at, record.utc_offset) if descriptor.dated(record) else None
    parts = descriptor.indexed_parts(record)
    return lines([descriptor.indexed_key(record), *parts, date, " ".join(record.tags)])


def embedded_text(record: MemoryRecord) -> str:
    """Return the text that is embedded for a memory."""
    text: str = record.descriptor.embedded_text(record)
    return text


def embedding_hash(text: str) -> TextHash:
    """Return the 16 bytes under which the vectors of an embedded text are kept; alike for every form of Unicode."""
    return TextHash(_hash(unicodedata.normalize("NFC", text)))


def content_hash(record: MemoryRecord) -> ContentHash:
    """Return 16 bytes that are equal for memories that say the same.

    They say the same if type, key, normalised content and a session that was named for them agree, and whatever else
    the type names (`TypeDescriptor.identity`).
    """
    identity: list[object] = [TYPE_NAMES[type(record)], record.key, normalise(record.content)]
    if record.session_given:
        identity.append(f"session {record.session}")
    identity += record.descriptor.identity(record)
    # NUL stands in no stored text, so the parts cannot run into each other; None is told from "None" by its own.
    return ContentHash(_hash("\0".join(["\0" if part is None else str(part) for part in identity])))


def normalise(text: str) -> str:
    """Return a text in NFC, with single spaces for white space and none around; case is kept."""
    return " ".join(unicodedata.normalize("NFC", text).split())


def _hash(text: str) -> bytes:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=_HASH_BYTES).digest()
