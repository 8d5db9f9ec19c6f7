"""What a document store keeps beside its documents: counters, settings and the embedding spaces."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any

from agent_memory import clock
from agent_memory.errors import IntegrityError, ValidationError
from agent_memory.records import canonical_json
from agent_memory.storage.base import EmbeddingSpace
from agent_memory.text.analysis import ANALYSER

if TYPE_CHECKING:
    from agent_memory.text.templates import TextHash
    from agent_memory.vectors import Vector


@dataclass(frozen=True, slots=True)
class Manifest:
    """One agent's counters, settings and spaces; a new one with every write."""

    agent_id: str
    version: int = 0
    """Moves with every write."""
    last_sequence: int = 0
    last_hlc: int = 0
    settings: Mapping[str, str] = field(default_factory=dict)
    spaces: Sequence[EmbeddingSpace] = ()
    vectors: Mapping[int, int] = field(default_factory=dict)
    """By space: how many vectors were ever stored in it."""
    form: int = 1
    """The number of the form that memories are in (`storage.renewal`)."""
    analyser: int = 1
    """Whose rules words are indexed by, but for memories at places above `renewed_up_to`, up to `outdated_up_to`."""
    renewed_up_to: int = 0
    outdated_up_to: int = 0
    attempts: Mapping[int, int] = field(default_factory=dict)
    """By space: at how many texts that are not embedded whole there were attempts; so most writes need not look."""

    def to_json(self) -> str:
        """Return it as canonical JSON."""
        return canonical_json(
            {
                "agent_id": self.agent_id,
                "version": self.version,
                "last_place": self.last_sequence,
                "last_hlc": self.last_hlc,
                "settings": dict(self.settings),
                "spaces": [_space_to_dict(space) for space in self.spaces],
                "vectors": {str(space): count for space, count in self.vectors.items()},
                "form": self.form,
                "analyser": self.analyser,
                "renewed_up_to": self.renewed_up_to,
                "outdated_up_to": self.outdated_up_to,
                "attempts": {str(space): count for space, count in self.attempts.items()},
            }
        )

    @classmethod
    def from_json(cls, text: str) -> Manifest:
        """Read what `to_json` wrote.

        Returns:
            The manifest.

        Raises:
            IntegrityError: it is something else.
        """  # noqa: DOC501
        try:
            return cls._read(text)
        except (TypeError, ValueError, KeyError, AttributeError) as error:
            raise IntegrityError.damaged("the head of this agent's memories", str(error)) from error

    @classmethod
    def _read(cls, text: str) -> Manifest:
        data = json.loads(text)
        spaces = [_space_from_dict(item) for item in data.pop("spaces")]
        vectors = {int(space): count for space, count in data.pop("vectors").items()}
        attempts = {int(space): count for space, count in data.pop("attempts", {}).items()}
        data["last_sequence"] = data.pop("last_place")
        return cls(**data, spaces=spaces, vectors=vectors, attempts=attempts)

    def outdated(self) -> Manifest:
        """Return it with all words being those of an older analyser."""
        return replace(self, analyser=ANALYSER, renewed_up_to=0, outdated_up_to=self.last_sequence)

    def with_setting(self, name: str, value: str | None) -> Manifest:
        """Return it with one setting changed, or forgotten for None."""
        settings = {item: text for item, text in self.settings.items() if item != name}
        return replace(self, settings=settings if value is None else {**settings, name: value})

    # --- embedding spaces ----------------------------------------------------------------------------------

    def current(self) -> EmbeddingSpace | None:
        """Return the space that searches use."""
        return next((space for space in self.spaces if space.current), None)

    def known(self, space: EmbeddingSpace | None) -> EmbeddingSpace:
        """Return a space as it is kept, the current one for None.

        Raises:
            ValidationError: it is not known, or there is none.
        """
        if space is None:
            kept = self.current()
        else:
            kept = next((item for item in self.spaces if item.same_as(space) and item.id == space.id), None)
        if kept is None:
            raise ValidationError("the store does not know this embedding space", hint="call add_space first")
        return kept

    def alike(self, space: EmbeddingSpace) -> EmbeddingSpace | None:
        """Return the known space with the same fingerprint and template version."""
        return next((item for item in self.spaces if item.same_as(space)), None)

    def with_space(self, space: EmbeddingSpace) -> Manifest:
        """Return it with one more space; the first is current."""
        number = max((item.id for item in self.spaces), default=0) + 1
        new = replace(space, id=number, current=not self.spaces)
        return replace(self, spaces=[*self.spaces, new])

    def switched(self, space: EmbeddingSpace) -> Manifest:
        """Return it with another space being the current one."""
        chosen = self.known(space)
        return replace(self, spaces=[replace(item, current=item.id == chosen.id) for item in self.spaces])


def _space_to_dict(space: EmbeddingSpace) -> dict[str, object]:
    values = {field_.name: getattr(space, field_.name) for field_ in fields(space)}
    version = values.pop("template_version")
    return values | {"recipe": version, "created_at": clock.to_text(space.created_at)}


def _space_from_dict(values: Mapping[str, Any]) -> EmbeddingSpace:
    named = {("template_version" if name == "recipe" else name): value for name, value in values.items()}
    return EmbeddingSpace(**{**named, "created_at": clock.from_text(named["created_at"])})


def check_vectors(space: EmbeddingSpace, vectors: Mapping[TextHash, Sequence[Vector]]) -> None:
    """Raise a ValidationError if a text has no vector, or one that is not of this space's dimension."""
    for segments in vectors.values():
        if not segments:
            raise ValidationError("a text was given no vector at all", hint="leave it out instead")
        for segment in segments:
            check_vector(space, segment)


def check_vector(space: EmbeddingSpace, vector: Vector) -> None:
    """Raise a ValidationError if a vector is not of this space's dimension."""
    if len(vector) != 4 * space.dimension:
        raise ValidationError(
            f"a vector of {len(vector) // 4} dimensions does not belong to {space}",
            hint="embed with the model of the store",
        )
