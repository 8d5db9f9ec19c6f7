"""Where the program starts: only the standard library, until it is known what is wanted.

A Typer program of one command takes 150 ms before any work; what needs no Typer is answered here.
"""

from __future__ import annotations

import sys

from agentmem_cli import process, signals


def main() -> None:
    """Run the command line and end the process with its code."""
    process.begin()
    signals.end_at_once()
    from agentmem_cli import streams

    streams.prepare()
    code = 0
    try:
        code = run(sys.argv[1:])
        reason = streams.written_out()
    except OSError as error:  # of what is answered here; the others report their own
        reason = streams.refused(error)
    streams.finish(None if code else reason)  # what went wrong before has been said, and is the cause
    process.leave(code or int(reason is not None))


def run(arguments: list[str]) -> int:
    """Run what these arguments say, and return the exit code."""
    if arguments in (["version"], ["--version"]):
        from agent_memory.version import __version__

        print(__version__)  # noqa: T201 - the one line that this command is for
        return 0
    if arguments[:1] == ["__complete"]:
        from agentmem_cli.completion.values import main as complete

        return complete(arguments[1:])
    if "mcp" in arguments:
        from agentmem_mcp import start

        start.serve_if_plain(arguments)
    from agentmem_cli import app

    return app.main(arguments)
