"""How much of a memory is left at its age, as pure functions. All return a number in [0, 1], 1 for a new memory.

A memory's age runs from when what it tells of happened, where that was given, else from when its present version was
written. A pinned memory does not age. Decay only ever reorders what a search finds; nothing is deleted by it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise

from agent_memory import clock
from agent_memory.errors import ConfigurationError
from agent_memory.ranking.importance import check_value, clamped
from agent_memory.records import MemoryRecord, MemoryType

Duration = timedelta | float | str
"""A timedelta, a number of seconds, or text such as `12h` or `7d`."""

_NEW = timedelta(0)


class Decay(ABC):
    """A curve of what is left by age; `curve(record, now)` applies it to a memory."""

    @abstractmethod
    def left(self, age: timedelta) -> float:
        """Return what is left at an age, in [0, 1]."""

    def age(self, record: MemoryRecord, now: datetime) -> timedelta:
        """Return how old a memory is at a moment; what has yet to happen is new."""
        return max(_NEW, now - (record.occurred_at or record.updated_at))

    def __call__(self, record: MemoryRecord, now: datetime) -> float:
        """Return what is left of a memory at a moment, in [0, 1]."""
        return 1.0 if record.pinned else clamped(self.left(self.age(record, now)))


class NoDecay(Decay):
    """Everything stays as it was."""

    def left(self, age: timedelta) -> float:
        return 1.0


class Exponential(Decay):
    """Half is left after each half-life."""

    def __init__(self, half_life: Duration) -> None:
        """Take the half-life.

        Raises:
            ValidationError: it is not a positive duration.
        """
        self.half_life = clock.as_duration(half_life)

    def left(self, age: timedelta) -> float:
        return float(0.5 ** (age / self.half_life))


class Linear(Decay):
    """What is left falls evenly until the end of a lifetime, and stays as it is from then on."""

    def __init__(self, lifetime: Duration, least: float = 0.0) -> None:
        """Take the lifetime, and what is left at its end.

        Raises:
            ValidationError: the lifetime is not a positive duration.
            ConfigurationError: `least` is outside [0, 1].
        """
        self.lifetime = clock.as_duration(lifetime)
        self.least = check_value("least", least)

    def left(self, age: timedelta) -> float:
        return max(self.least, 1.0 - (1.0 - self.least) * min(1.0, age / self.lifetime))


class Stepped(Decay):
    """From each of some ages on, that much is left; 1 before the first."""

    def __init__(
        self,
        steps: Mapping[str, float]
        | Mapping[timedelta, float]
        | Mapping[float, float]
        | Iterable[tuple[Duration, float]],
    ) -> None:
        """Take what is left from each age on.

        Raises:
            ValidationError: an age is not a positive duration.
            ConfigurationError: there is no step, a value is outside [0, 1], or one rises with age.
        """
        pairs = steps.items() if isinstance(steps, Mapping) else steps
        self.steps = tuple(
            sorted((clock.as_duration(age), check_value("a step's value", left)) for age, left in pairs)
        )
        if not self.steps:
            raise ConfigurationError("stepped decay has no step", hint="give one such as {'7d': 0.5}")
        if any(later > earlier for (_, earlier), (_, later) in pairwise(self.steps)):
            raise ConfigurationError(
                "stepped decay rises with age", hint="give a smaller value for each later age"
            )

    def left(self, age: timedelta) -> float:
        return next((left for start, left in reversed(self.steps) if age >= start), 1.0)


class Custom(Decay):
    """A curve of your own; what it returns is brought into [0, 1]."""

    def __init__(self, function: Callable[[timedelta], float]) -> None:
        """Take a function from an age to what is left; it should not rise."""
        self.function = function

    def left(self, age: timedelta) -> float:
        return clamped(self.function(age))


class AccessRefreshed(Decay):
    """Another curve, begun anew each time that the memory is returned by a search or a `get`."""

    def __init__(self, curve: Decay) -> None:
        """Take the curve."""
        self.curve = curve

    def left(self, age: timedelta) -> float:
        return self.curve.left(age)

    def age(self, record: MemoryRecord, now: datetime) -> timedelta:
        age = self.curve.age(record, now)
        return age if record.accessed_at is None else min(age, max(_NEW, now - record.accessed_at))


@dataclass(frozen=True, kw_only=True)
class DecayPolicy:
    """Which curve is for which memory: that of a tag, else that of its type, else the default.

    Of several tags with a curve the one that leaves most counts. Call it with a memory and a moment.

    Raises:
        ConfigurationError: a type is none of the six.
    """

    default: Decay = field(default_factory=NoDecay)
    by_type: Mapping[MemoryType, Decay] | Mapping[str, Decay] = field(default_factory=dict)
    by_tag: Mapping[str, Decay] = field(default_factory=dict)

    def __post_init__(self) -> None:
        parsed = {MemoryType.parse(name): curve for name, curve in self.by_type.items()}
        object.__setattr__(self, "by_type", parsed)

    def __call__(self, record: MemoryRecord, now: datetime) -> float:
        """Return what is left of a memory at a moment, in [0, 1]."""
        tagged = [self.by_tag[tag](record, now) for tag in record.tags if tag in self.by_tag]
        if tagged:
            return max(tagged)
        return self.by_type.get(record.memory_type, self.default)(record, now)

    @classmethod
    def exponential(cls, half_life: Duration) -> DecayPolicy:
        """Make the policy under which half of every memory is left after each half-life."""
        return cls(default=Exponential(half_life))

    @classmethod
    def none(cls) -> DecayPolicy:
        """Make the policy under which nothing decays."""
        return cls()
