"""The filter options of `search`, `recall`, `list`, `forget` and `export`, declared once."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Annotated, Any, NamedTuple

import typer

from agentmem_cli import options

Filters = Mapping[str, Any]
"""The filters that were given, under the names of the library; one that was not given is left out."""


class _Option(NamedTuple):
    """A filter option: as what it is declared, and how the library takes its value."""

    declared: Any
    name: str
    """Of the library's filter."""
    read: Callable[[Any], Any] | None = None


def _moment(text: str) -> Any:
    from agent_memory.clock import parse_moment

    return parse_moment(text)


_OPTIONS: Mapping[str, _Option] = {
    "types": _Option(options.Types, "types"),
    "tags": _Option(options.Tags, "tags"),
    "every_tag": _Option(
        Annotated[
            list[str] | None,
            typer.Option("--every-tag", metavar="TAG", help="Only with all of these tags."),
        ],
        "tags_all",
    ),
    "since": _Option(options.Since, "since", _moment),
    "until": _Option(options.Until, "until", _moment),
    "min_importance": _Option(
        Annotated[
            float | None,
            typer.Option(
                "--min-importance", metavar="0..1", min=0.0, max=1.0, help="Only this important or more."
            ),
        ],
        "min_importance",
    ),
    "where": _Option(options.Where, "metadata", options.where),
    "field": _Option(
        Annotated[
            list[str] | None,
            typer.Option(
                "--field",
                metavar="K=V",
                help="Only where the type's own field says so: outcome=failed, category=ui.",
            ),
        ],
        "fields",
        options.where,
    ),
    "key": _Option(
        Annotated[
            list[str] | None, typer.Option("--key", "-k", metavar="KEY", help="Only with one of these keys.")
        ],
        "key",
    ),
    "session": _Option(options.Session, "session"),
    "source": _Option(options.Source, "source"),
    "pinned": _Option(Annotated[bool, typer.Option("--pinned", help="Only pinned ones.")], "pinned"),
}


def filtered(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command all filter options, in the place of its parameter `filters`, which gets what they say."""
    parameters = list(inspect.signature(command, eval_str=True).parameters.values())
    place = next(at for at, parameter in enumerate(parameters) if parameter.name == "filters")
    taken = {parameter.name for parameter in parameters}
    parameters[place : place + 1] = [
        inspect.Parameter(
            name,
            inspect.Parameter.POSITIONAL_OR_KEYWORD,
            default=False if name == "pinned" else None,
            annotation=option.declared,
        )
        for name, option in _OPTIONS.items()
        if name not in taken
    ]

    @wraps(command)
    def call(**arguments: Any) -> None:
        values = {name: arguments.pop(name) for name in _OPTIONS if name in arguments and name not in taken}
        command(**arguments, filters=_read(values))

    call.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    call.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return call


def _read(values: Mapping[str, Any]) -> Filters:
    filters = {}
    for name, value in values.items():
        if value is None or value is False or value == []:
            continue
        option = _OPTIONS[name]
        filters[option.name] = value if option.read is None else option.read(value)
    return filters
