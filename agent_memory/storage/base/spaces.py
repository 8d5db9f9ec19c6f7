"""The description of an embedding space."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class EmbeddingSpace:
    """A set of vectors that may be compared with each other."""

    id: int
    provider: str
    model: str
    revision: str
    dimension: int
    pooling: str
    query_prefix: str
    document_prefix: str
    template_version: int
    """Number of the template that made the embedded texts."""
    fingerprint: str
    """Of the embedder's identity; the same fingerprint and template version are the same space."""
    created_at: datetime
    current: bool
    """Whether searches use it. At most one space is current."""

    def __str__(self) -> str:
        return f"{self.provider} ({self.model}, {self.dimension} dimensions)"

    def same_as(self, other: EmbeddingSpace) -> bool:
        """Return whether vectors of both may be compared: embedder and template version are the same."""
        return (self.fingerprint, self.template_version) == (other.fingerprint, other.template_version)
