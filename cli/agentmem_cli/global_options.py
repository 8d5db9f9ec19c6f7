"""Options of the program that every command takes too: `agentmem --json list` is `agentmem list --json`.

They are declared once, as those of the program, and added to each command as it is built. Whoever parses them,
their values come together here.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from typing import Any, Final, NamedTuple

_VALUES: Final = "agentmem.global_options"
"""Under this name a context keeps, for itself and all below it, what was given."""


class Flags(NamedTuple):
    """The global options as they were typed."""

    agent: str | None = None
    db: str | None = None
    backend: str | None = None
    output: str | None = None
    quiet: bool = False
    verbose: bool = False
    debug: bool = False
    offline: bool = False
    yes: bool = False


def collect(options: Sequence[Any]) -> None:
    """Have the program's own options keep their values here, instead of handing them to its callback."""
    for option in options:
        option.expose_value = False
        option.callback = _keep


def add(command: Any, options: Sequence[Any]) -> None:
    """Give a command the program's options as well, unlisted in its help; where a name is taken, its own counts."""
    taken = {name for parameter in command.params for name in parameter.opts}
    for option in options:
        names = [name for name in option.opts if name not in taken]
        if names:
            added = copy(option)
            added.opts, added.hidden = names, True
            command.params.append(added)


def _keep(context: Any, option: Any, value: Any) -> Any:
    """Keep the value of one option where one was given: what stands behind a command counts for more."""
    if value not in (None, False):
        values = context.meta.setdefault(_VALUES, {})
        values[option.name] = value
        context.find_root().obj = _flags(dict(values))
    return value


def _flags(values: dict[str, Any]) -> Flags:
    json, ndjson = values.pop("json", False), values.pop("ndjson", False)
    output = "json" if json else "ndjson" if ndjson else values.pop("output", None)
    values.pop("output", None)
    return Flags(**values, output=output)
