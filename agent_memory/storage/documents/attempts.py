"""What a document store remembers of texts that are not embedded whole: a text for each space, one for each part.

A part that is lost or left over does no harm: vectors that are not all there are made anew.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from agent_memory import clock
from agent_memory.records import canonical_json
from agent_memory.storage.attempts import Attempt
from agent_memory.text.templates import TextHash
from agent_memory.vectors import Vector, split_vectors


@dataclass(frozen=True, slots=True)
class Kept:
    """An attempt, and where its vectors are."""

    attempt: Attempt = Attempt()
    parts: tuple[int, ...] = ()
    """Of each part kept, the number of its first segment."""

    @property
    def failed(self) -> bool:
        """Whether the text could not be embedded."""
        return self.attempt.reason is not None


@dataclass(frozen=True, slots=True)
class Attempts:
    """All attempts in one space, by hash of the text."""

    space_id: int
    kept: Mapping[TextHash, Kept] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The name that they are kept under."""
        return name_of(self.space_id)

    def to_json(self) -> str | None:
        """Return it as canonical JSON; None if there is nothing to keep."""
        if not self.kept:
            return None
        return canonical_json({digest.hex(): _to_dict(item) for digest, item in self.kept.items()})

    @classmethod
    def from_json(cls, space_id: int, text: str | None) -> Attempts:
        """Read what `to_json` wrote."""
        data = json.loads(text) if text else {}
        return cls(
            space_id, {TextHash(bytes.fromhex(digest)): _from_dict(item) for digest, item in data.items()}
        )

    def failed(self, digest: TextHash) -> bool:
        """Return whether a text could not be embedded."""
        return digest in self.kept and self.kept[digest].failed

    def part(self, digest: TextHash, first: int) -> str:
        """Return the name that some of a text's vectors are kept under."""
        return f"part-{self.space_id}-{digest.hex()}-{first}"

    def parts(self, digest: TextHash) -> list[str]:
        """Return the names that all of a text's vectors are kept under, in order."""
        return [self.part(digest, first) for first in self.kept[digest].parts]

    def with_more(
        self, new: Mapping[TextHash, Attempt], vectors: Mapping[TextHash, Sequence[Vector]]
    ) -> tuple[Attempts, dict[str, str | None]]:
        """Return it with attempts that follow upon those kept, and what changes beside it, by name."""
        kept, texts = dict(self.kept), dict[str, str | None]()
        for digest, attempt in new.items():
            before, added = kept.get(digest, Kept()), vectors.get(digest, ())
            if not attempt.follows(before.attempt, len(added)):
                continue
            if attempt.kept == 0:
                texts |= dict.fromkeys(self.part(digest, first) for first in before.parts)
                kept[digest] = Kept(attempt)
                continue
            parts = before.parts
            if added:
                first = attempt.kept - len(added)
                texts[self.part(digest, first)] = base64.b64encode(b"".join(added)).decode("ascii")
                parts = (*parts, first)
            kept[digest] = Kept(attempt, parts)
        return replace(self, kept=kept), texts

    def without(self, digests: Collection[TextHash]) -> tuple[Attempts, dict[str, str | None]]:
        """Return it without some texts, and what goes beside it, by name."""
        gone = [digest for digest in self.kept if digest in digests]
        texts = dict.fromkeys(name for digest in gone for name in self.parts(digest))
        return replace(self, kept={item: of for item, of in self.kept.items() if item not in digests}), texts


def name_of(space_id: int) -> str:
    """Return the name that the attempts in a space are kept under."""
    return f"attempts-{space_id}"


def vectors_of(text: str | None, dimension: int) -> list[Vector]:
    """Read one part; nothing if it is not there or damaged."""
    try:
        flat = base64.b64decode(text or "", validate=True)
    except ValueError:
        return []
    return split_vectors(flat, dimension) if len(flat) % (4 * dimension) == 0 else []


def _to_dict(kept: Kept) -> dict[str, Any]:
    attempt = kept.attempt
    return {
        "kept": attempt.kept,
        "segment": attempt.part,  # by the names of the first version
        "piece": attempt.segment,
        "reason": attempt.reason,
        "failed_at": None if attempt.failed_at is None else clock.to_text(attempt.failed_at),
        "parts": list(kept.parts),
    }


def _from_dict(data: dict[str, Any]) -> Kept:
    failed_at = data["failed_at"]
    attempt = Attempt(
        kept=data["kept"],
        part=data["segment"],
        segment=data["piece"],
        reason=data["reason"],
        failed_at=None if failed_at is None else clock.from_text(failed_at),
    )
    return Kept(attempt, tuple(data["parts"]))
