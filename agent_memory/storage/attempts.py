"""What a store remembers of a text whose embedding was begun and is not whole, or could not be done."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """How far the embedding of a text has come, and why it goes no further, if that is so.

    A text counts as embedded only when all of it is: until then its vectors are kept apart, where no search sees
    them. Losing an attempt loses some work, and nothing else.
    """

    kept: int = 0
    """How many vectors of its segments are kept, from the first on."""
    part: int = 0
    """In which of the parts that the text is first cut into (`Embedder.segments`) embedding goes on."""
    segment: int = 0
    """With which segment of that segment."""
    reason: str | None = None
    """Why it could not be embedded; None where nothing has gone wrong."""
    failed_at: datetime | None = None
    """When that was found."""

    def follows(self, known: Attempt, added: int) -> bool:
        """Return whether this is what comes after a known attempt, with so many vectors more, or a fresh start."""
        return self.kept == 0 or self.kept == known.kept + added
