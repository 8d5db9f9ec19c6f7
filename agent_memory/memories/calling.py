"""The door through which every call of a memory comes.

It opens the memory with the first call, and reads what is given (`memories/arguments.py`), so that each method begins
with what its signature promises, and what is wrong is told in one line that names the argument.
"""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from functools import wraps
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeVar, cast

from agent_memory.errors import ValidationError
from agent_memory.memories.arguments import Reader, reader
from agent_memory.memories.changes import Changes, OwnFields
from agent_memory.memories.filters import Filters, MoreFilters, TypeCountFilters, TypeFilters
from agent_memory.records import OWN_FIELDS, MemoryType

if TYPE_CHECKING:
    from agent_memory.memories.core import Core

F = TypeVar("F", bound=Callable[..., Any])
_LIFE = frozenset({"open", "close"})
_PACKED: Mapping[str, type] = {
    f"Unpack[{packed.__name__}]": packed
    for packed in (Changes, Filters, MoreFilters, TypeCountFilters, TypeFilters)
}
"""By annotation of a `**`, what says which names stand behind it."""
_BESIDE: Mapping[str, str] = {
    "created_at": "datetime | None",
    "expires_at": "datetime | None",
    "embedding": "Sequence[float] | None",
}
"""What a new memory may bring, and `add` has no argument for."""
_LISTED: Final = 12  # names that an error lists where none is near


class Call(NamedTuple):
    """What may be given to one method."""

    name: str
    order: tuple[str, ...]
    """Arguments that may be given without a name, in order."""
    required: tuple[str, ...]
    readers: Mapping[str, Reader | None]
    """Of each argument by name, those that stand behind a `**` among them."""
    free: bool
    """Whether some stand behind a `**`."""
    instead: Mapping[str, str]
    """Names that have another one here, or are set by the method itself."""

    def read(self, positional: Sequence[Any], named: Mapping[str, Any]) -> tuple[list[Any], dict[str, Any]]:
        """Return the arguments as the method is to get them.

        Raises:
            ValidationError: one is missing, unknown, given twice or of the wrong kind; the message names it.
        """
        if len(positional) > len(self.order):
            raise ValidationError(
                f"{self.name} takes {len(self.order)} arguments without a name, and {len(positional)} came",
                hint="name them: " + self._known(),
            )
        positions = [
            value if (read := self.readers[name]) is None else read(name, value)
            for name, value in zip(self.order, positional, strict=False)
        ]
        names = {}
        for name, value in named.items():
            if name not in self.readers or name in self.order[: len(positional)]:
                raise self._refused(name, positional)
            read = self.readers[name]
            names[name] = value if read is None else read(name, value)
        for name in self.required[len(positional) :]:
            if name not in named:
                raise ValidationError(
                    f"{self.name} needs '{name}'", hint=f"call {self.name}({self._needed()})"
                )
        return positions, names

    def item(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Return the arguments of one memory among several as `add` is to get them; None is not given.

        Raises:
            ValidationError: one is unknown or of the wrong kind; the message names it.
        """
        result = {}
        for name, value in arguments.items():
            if name not in self.readers:
                raise self._refused(name, ())
            read = self.readers[name]
            result[name] = value if read is None or value is None else read(name, value)
        return result

    def _refused(self, name: str, positional: Sequence[Any]) -> ValidationError:
        if name in self.order[: len(positional)]:
            return ValidationError(f"{self.name} got '{name}' twice", hint="leave one of them out")
        if name in self.instead:
            other = self.instead[name]
            return ValidationError(
                f"{self.name} has no argument '{name}'",
                hint=f"give '{other}'" if other else f"{self.name} sets it itself",
            )
        what = "no field and no argument" if self.free else "no argument"
        return ValidationError(f"{self.name} has {what} '{name}'", hint=self._near(name))

    def _near(self, name: str) -> str:
        from difflib import get_close_matches

        near = get_close_matches(str(name), [item for item in self.readers if isinstance(item, str)], 1)
        return f"did you mean '{near[0]}'?" if near else "use one of " + self._known()

    def _known(self) -> str:
        known = list(self.readers)
        return ", ".join(known[:_LISTED]) + (", …" if len(known) > _LISTED else "")

    def _needed(self) -> str:
        return ", ".join(f"{item}=…" for item in self.required)


def also(**annotations: str) -> Callable[[F], F]:
    """Note for a method which further names it takes behind its `**`, each with its annotation."""

    def noted(function: F) -> F:
        function._also = annotations  # type: ignore[attr-defined]
        return function

    return noted


def instead(**names: str) -> Callable[[F], F]:
    """Note for a method which arguments of `add` have another name there; under "" those that it sets itself."""

    def noted(function: F) -> F:
        function._instead = names  # type: ignore[attr-defined]
        return function

    return noted


def call_of(function: Callable[..., Any], owner: type) -> Call:
    """Learn what may be given to a method of a class, or of one that it is derived from."""
    parameters = list(inspect.signature(function).parameters.values())[1:]
    readers = {
        parameter.name: reader(parameter.name, parameter.annotation)
        for parameter in parameters
        if parameter.kind is not parameter.VAR_KEYWORD
    }
    instead: dict[str, str] = getattr(function, "_instead", {})
    behind = [parameter for parameter in parameters if parameter.kind is parameter.VAR_KEYWORD]
    for parameter in behind:
        further: dict[str, str] = getattr(function, "_also", {})
        for more, annotation in [*_behind(parameter, owner), *further.items()]:
            if more not in instead and more not in readers:
                readers[more] = reader(more, annotation)
    return Call(
        name=owner.__name__ if function.__name__ == "__init__" else function.__name__,
        order=tuple(
            parameter.name for parameter in parameters if parameter.kind is parameter.POSITIONAL_OR_KEYWORD
        ),
        required=tuple(
            parameter.name
            for parameter in parameters
            if parameter.default is parameter.empty and parameter not in behind
        ),
        readers=readers,
        free=bool(behind),
        instead=instead,
    )


def _behind(parameter: inspect.Parameter, owner: type) -> Iterable[tuple[str, Any]]:
    """List the names that a `**` stands for, each with its annotation."""
    record = getattr(owner, "record_class", None)
    if parameter.annotation in _PACKED:
        packed = _annotations(_PACKED[parameter.annotation])
        # What `update` may not take away it tells itself, of None as well.
        missing = " | Omitted" if parameter.name == "changes" else ""
        return [(name, annotation + missing) for name, annotation in packed.items()]
    types = MemoryType if record is None else (record.memory_type,)
    of_types = _annotations(OwnFields)
    own = [(field_.name, of_types[field_.name]) for kind in types for field_ in OWN_FIELDS[kind]]
    if parameter.name == "more":
        add = inspect.signature(owner.add).parameters.values()  # type: ignore[attr-defined]
        own = [*((item.name, item.annotation) for item in list(add)[2:] if item.name != "fields"), *own]
    return own if record is None else [*own, *_BESIDE.items()]


def _annotations(packed: type) -> dict[str, str]:
    """Return the names of a TypedDict with their annotations as text."""
    return {
        name: annotation if isinstance(annotation, str) else annotation.__forward_arg__
        for name, annotation in packed.__annotations__.items()
    }


def checked(function: F) -> F:
    """Check and convert the arguments of a method by its signature."""
    calls: dict[type, Call] = {}

    @wraps(function)
    def call(self: Any, /, *args: Any, **kwargs: Any) -> Any:
        known = calls.get(type(self)) or calls.setdefault(type(self), call_of(function, type(self)))
        positions, names = known.read(args, kwargs)
        return function(self, *positions, **names)

    return cast(F, call)


def _opening(function: F) -> F:
    """Check and convert the arguments of a coroutine method by its signature, and open the memory if needed."""
    calls: dict[type, Call] = {}

    @wraps(function)
    async def call(self: Called, /, *args: Any, **kwargs: Any) -> Any:
        core = self._core
        core.check_not_closed()
        known = calls.get(type(self)) or calls.setdefault(type(self), call_of(function, type(self)))
        positions, names = known.read(args, kwargs)
        if not core.ready:
            await core.open()
        return await function(self, *positions, **names)

    return cast(F, call)


def _iterating(function: F) -> F:
    """Do for an asynchronous generator what `_opening` does for a coroutine: check now, open with the first item."""
    calls: dict[type, Call] = {}

    @wraps(function)
    def call(self: Called, /, *args: Any, **kwargs: Any) -> Any:
        core = self._core
        core.check_not_closed()
        known = calls.get(type(self)) or calls.setdefault(type(self), call_of(function, type(self)))
        positions, names = known.read(args, kwargs)

        async def items() -> AsyncIterator[Any]:
            if not core.ready:
                await core.open()
            async for item in function(self, *positions, **names):
                yield item

        return items()

    return cast(F, call)


class Called:
    """A class whose public methods come through this door: coroutines and iterations open the memory as well."""

    _core: Core

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        for name, member in list(vars(cls).items()):
            if name.startswith("_") or name in _LIFE:
                continue
            if inspect.iscoroutinefunction(member):
                setattr(cls, name, _opening(member))
            elif inspect.isasyncgenfunction(member):
                setattr(cls, name, _iterating(member))
