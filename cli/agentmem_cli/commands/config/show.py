"""`agentmem config show`."""

from __future__ import annotations

from typing import Annotated

import typer

from agentmem_cli.context import Invocation


def show(
    context: typer.Context,
    origin: Annotated[bool, typer.Option("--origin", help="Also say who set it, and where.")] = False,
) -> None:
    """Show every setting with its value; passwords are shown as ***.

    Examples:
        agentmem config show --origin
        agentmem config show --json | jq '.[] | select(.origin != "default")'
    """
    from agentmem_cli.settings.redaction import shown
    from agentmem_cli.settings.values import as_json, as_text

    invocation = Invocation.of(context)
    settings = invocation.settings
    write = as_json if invocation.output.form in ("json", "ndjson") else as_text
    rows = []
    for name in settings.names():
        row = {"name": name, "value": write(shown(name, settings.get(name)))}
        said = settings.origin(name)
        rows.append(row | ({"origin": said.source, "where": said.where} if origin else {}))
    invocation.output.rows(rows, id="name")
