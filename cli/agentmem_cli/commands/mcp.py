"""`agentmem mcp`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from agent_memory.errors import ConfigurationError, MissingDependencyError, ValidationError
from agentmem_cli.context import Invocation
from agentmem_mcp.hosts import Host

if TYPE_CHECKING:
    from agentmem_cli.output import Output
    from agentmem_mcp.options import Options


def mcp(
    context: typer.Context,
    read_only: Annotated[
        bool, typer.Option("--read-only", help="Offer only the tools that change nothing.")
    ] = False,
    tools: Annotated[
        str | None,
        typer.Option("--tools", metavar="LIST", help="Offer only these, with commas between: recall,search."),
    ] = None,
    host: Annotated[
        Host | None,
        typer.Option(
            "--print",
            metavar="HOST",
            help=f"Print what makes a program start this server: {', '.join(Host)}.",
        ),
    ] = None,
    cost: Annotated[
        bool, typer.Option("--cost", help="Print what the tools' definitions take of a prompt, and end.")
    ] = False,
) -> None:
    """Serve an agent's memory as tools by the Model Context Protocol, on stdin and stdout.

    A coding agent starts it, and its model gets the tools recall, search, add, update and forget. It serves until
    stdin is closed.

    Examples:
        agentmem mcp --print claude
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
    if host:
        _print(host, asked, Invocation.of(context).output)
        return
    if cost:
        from agentmem_mcp import cost as costs

        Invocation.of(context).output.rows(costs.rows(start.offered(asked)), id="tool")
        return
    if not start.installed():
        raise MissingDependencyError("the MCP SDK", extra="mcp")
    start.run(asked)


def _print(host: Host, asked: Options, output: Output) -> None:
    """Print what a program takes to start the server; where that goes is told on stderr."""
    from agent_memory.redaction import redacted
    from agentmem_mcp import hosts, start
    from agentmem_mcp.hosts.server import this_server

    server = this_server(
        agent=asked.agent,
        db=asked.db,
        backend=asked.backend,
        offline=asked.offline,
        read_only=asked.read_only,
        tools=asked.tools,
    )
    made = hosts.entry(host, server)
    output.raw(made.text)
    output.note(made.where)
    for note in made.notes:
        output.note(note)
    if asked.backend and redacted(asked.backend) != asked.backend:
        output.note("the entry holds the password of --backend, and so does the file that it goes into")
    if not start.installed():
        missing = MissingDependencyError("the MCP SDK", extra="mcp")
        output.note(f"the server cannot start yet: {missing.message}: {missing.hint}")
    if server.left_out:
        output.note(
            f"{', '.join(server.left_out)}: set here, and not in the entry as it may hold a password. Codex passes "
            "few variables on and starts the server without; `agentmem config set` keeps a setting for every program"
        )
