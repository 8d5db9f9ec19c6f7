"""`agentmem storage distribute`."""

from __future__ import annotations

from typing import Annotated

import typer

from agent_memory.errors import ValidationError
from agentmem_cli.context import Invocation

_BEFORE = """\
-- Run on the coordinator of a Citus cluster, while no program uses these tables and after a backup:
--   agentmem storage distribute {flag} | psql -v ON_ERROR_STOP=1 postgresql://COORDINATOR/DATABASE
-- These statements were tested without Citus.
"""


def distribute(
    context: typer.Context,
    schema: Annotated[
        bool,
        typer.Option("--schema", help="Keep the schema whole on one server; each group of agents has one."),
    ] = False,
    row: Annotated[
        bool,
        typer.Option("--row", help="Spread the agents of one schema over the servers, each of them whole."),
    ] = False,
) -> None:
    """Print the SQL that distributes the tables over several servers with Citus; run none of it.

    For memories in PostgreSQL. The schema is the one in the settings (backend_config.schema). The statements were
    tested without Citus; docs/scaling.md says which layout is for what.

    Examples:
        agentmem storage distribute --schema
        agentmem storage distribute --row > distribute.sql
    """
    from agent_memory.storage.registry import BACKENDS

    if schema == row:
        raise ValidationError("one of --schema and --row is needed", hint="give one of them")
    invocation = Invocation.of(context)
    BACKENDS.load("postgres")  # says what to install where its driver is not
    from agent_memory.storage.postgres import distributing

    name = str(invocation.settings.options("backend_config").get("schema", "agentmem"))
    statements = distributing.by_schema(name) if schema else distributing.by_row(name)
    output = invocation.output
    if output.form in ("json", "ndjson", "csv"):
        output.rows([{"statement": statement} for statement in statements], id="statement")
    else:
        text = "".join(f"{statement};\n" for statement in statements)
        output.raw(_BEFORE.format(flag="--schema" if schema else "--row") + text)
    output.note("nothing was run; these statements were tested without Citus")
