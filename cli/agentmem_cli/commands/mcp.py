"""`agentmem mcp`."""

from __future__ import annotations

from typing import Annotated

import typer

from agent_memory.errors import ConfigurationError, MissingDependencyError, ValidationError
from agentmem_cli.context import Invocation


def mcp(
    context: typer.Context,
    read_only: Annotated[
        bool, typer.Option("--read-only", help="Offer only the tools that change nothing.")
    ] = False,
    tools: Annotated[
        str | None,
        typer.Option("--tools", metavar="LIST", help="Offer only these, with commas between: recall,search."),
    ] = None,
    cost: Annotated[
        bool, typer.Option("--cost", help="Print what the tools' definitions take of a prompt, and end.")
    ] = False,
) -> None:
    """Serve an agent's memory as tools by the Model Context Protocol, on stdin and stdout.

    A coding agent starts it, and its model gets the tools recall, search, add, update and forget. It serves until
    stdin is closed.

    Examples:
        claude mcp add -s user agentmem -- agentmem mcp
        agentmem -a work mcp --read-only
    """
    from agentmem_mcp import options, start

    flags = Invocation.of(context).flags
    asked = options.Options(
        agent=flags.agent,
        db=flags.db,
        backend=flags.backend,
        offline=flags.offline,
        read_only=read_only,
        tools=options.names(tools) if tools is not None else None,
    )
    if unknown := start.unknown(asked):
        from agentmem_mcp.answers import tool_names

        raise ConfigurationError.unknown("tool", unknown[0], tool_names())
    if not start.offered(asked):
        raise ValidationError("no tool is left to offer", hint="name others with --tools, or leave it out")
    if cost:
        from agentmem_mcp import cost as costs

        Invocation.of(context).output.rows(costs.rows(start.offered(asked)), id="tool")
        return
    if not start.installed():
        raise MissingDependencyError("the MCP SDK", extra="mcp")
    start.run(asked)
