"""`agentmem config get`."""

from __future__ import annotations

from typing import Annotated

import typer

from agentmem_cli.context import Invocation


def get(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="SETTING", help="Its name, as in `agentmem config show`.")],
) -> None:
    """Print one setting's value; nothing if it is not set.

    Examples:
        agentmem config get agent
        agentmem config get short_term_ttl
    """
    from agentmem_cli.settings.redaction import shown
    from agentmem_cli.settings.values import as_json

    invocation = Invocation.of(context)
    invocation.output.value(as_json(shown(name, invocation.settings.get(name))))
