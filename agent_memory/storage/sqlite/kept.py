"""What a store keeps in memory of its file from one request to the next, and how each part is known to hold still.

Each part names what it was read at, and is compared with that in the snapshot in which it is used: what another
process or thread has written is seen by the next request. All of it goes at once when the store is closed, except in
a process that has it `parked`, and when this process erases something: what was erased is in no memory afterwards.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from agent_memory.storage.sqlite.kept_memories import KeptMemories, KeptOwners
from agent_memory.storage.sqlite.kept_vectors import KeptVectors
from agent_memory.storage.sqlite.words import KeptStatistics

if TYPE_CHECKING:
    from agent_memory.storage.base import EmbeddingSpace
    from agent_memory.storage.sqlite.binary_quantisation import BinaryCodes
    from agent_memory.storage.sqlite.selection import Selection
    from agent_memory.storage.sqlite.vectors import Sample


@dataclass(slots=True)
class Kept:
    """What one store keeps."""

    vectors: KeptVectors = field(default_factory=KeptVectors)
    """Whole vectors, as far as they were read and there is room."""
    codes: BinaryCodes | None = None
    """The signs of all active vectors, at one generation of them."""
    in_step_at: tuple[int, int] | None = None
    """The space and the generation of vectors at which the vector index was found to be up to date."""
    sample: Sample | None = None
    """Vectors that stand for all, at one generation and until their number doubles."""
    selection: Selection | None = None
    """What the last selective filter left, until any memory changes."""
    version: tuple[int, int] | None = None
    """The version of the file that all below were read in: as this connection numbers others' writes, and its own."""
    memories: KeptMemories = field(default_factory=KeptMemories)
    owners: KeptOwners = field(default_factory=KeptOwners)
    statistics: KeptStatistics = field(default_factory=KeptStatistics)
    spaces: list[EmbeddingSpace] | None = None

    def begin(self, version: tuple[int, int] | None) -> None:
        """Begin with another version of the file; with None, whichever is read next."""
        self.version = version
        self.memories, self.owners = KeptMemories(), KeptOwners()
        self.statistics, self.spaces = KeptStatistics(), None

    def forget_vectors(self) -> None:
        """Forget every vector and what was made of them: some were deleted."""
        self.vectors.clear()
        self.codes = self.sample = None
