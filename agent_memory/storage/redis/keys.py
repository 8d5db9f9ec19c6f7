"""The names of all keys. One agent's have one hash tag, so that in a cluster they live on one node."""

from __future__ import annotations

from dataclasses import dataclass

from agent_memory import paths
from agent_memory.records import ConversationRecord
from agent_memory.roles import role_of
from agent_memory.storage.documents import Document
from agent_memory.storage.documents.values import FIELDS

INDEXED = tuple(name for name in FIELDS if name != "conversation_id")
"""The types' own fields that have a set for each value; a conversation has a sorted one."""


@dataclass(frozen=True, slots=True)
class Keys:
    """One agent's keys."""

    root: str
    """What all of them begin with."""

    @classmethod
    def of(cls, prefix: str, agent_id: str) -> Keys:
        """Return the keys of an agent. Its name is written as a file's would be, so no brace stands in it."""
        return cls(f"{{{prefix}:{paths.file_stem(agent_id)}}}")

    def __call__(self, *parts: object) -> str:
        """Return a key."""
        return ":".join([self.root, *map(str, parts)])

    def absent(self) -> str:
        """Return a key that never exists.

        While a cluster moves an agent from one server to another, the old one answers for what it has still, and says
        of what it has not that it may be elsewhere. So a question after this key, behind a command without a key
        (a search of the search module, a SCAN), tells whether that one saw everything.
        """
        return f"{self.root}:absent"

    def document(self, memory_id: str) -> str:
        """Return the key of a memory's hash."""
        return f"{self.root}:doc:{memory_id}"

    def vector(self, space_id: int, memory_id: str, segment: int) -> str:
        """Return the key of the hash with one vector."""
        return f"{self.root}:vec:{space_id}:{memory_id}:{segment}"

    def sets(self, document: Document) -> list[str]:
        """List the sets that a document is a member of."""
        record = document.record
        parts: list[tuple[object, ...]] = [
            ("type", record.memory_type.value),
            ("status", record.status.value),
            ("content", document.content_hash.hex()),
            ("text", document.embedding_hash.hex()),
            *(("tag", tag) for tag in record.tags),
            *(("embedded", space_id) for space_id in document.embedded),
        ]
        for name, value in (("key", record.key), ("source", record.source), ("session", record.session)):
            if value is not None:
                parts.append((name, value))
        for name in INDEXED:
            value = getattr(record, name, None)
            if value is not None:
                parts.append(("field", name, value))
        if record.pinned:
            parts.append(("pinned",))
        names = [self(*part) for part in parts]
        if isinstance(record, ConversationRecord) and role_of(record.role) == "system":
            names.append(self.system_messages(record.conversation_id))
        return names

    def system_messages(self, conversation_id: str) -> str:
        """Return the set of a conversation's system messages, summaries too, which are asked for with every window.

        Memories that an earlier version stored are in it from when their words are renewed on.
        """
        return self("system", conversation_id)


def literal(name: str) -> str:
    """Write a part of a key so that SCAN takes no character of it for a pattern."""
    return "".join(f"\\{letter}" if letter in "*?[]^\\" else letter for letter in name)
