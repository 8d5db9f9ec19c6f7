"""Where the program starts: only the standard library, until it is known what is wanted.

A Typer program of one command takes 150 ms before any work; what needs no Typer is answered here, and what a warm
process can answer is answered there.
"""

import os
import sys

from agentmem_cli.warm import place

_NEVER_WARM = frozenset({"__complete", "warm", "mcp"})
"""First words of commands that run here: each is quick by itself, or is about processes."""


def main() -> None:
    """Run the command line and end the process with its code."""
    arguments = sys.argv[1:]
    path = place.socket_path()
    if path is not None and place.is_there(path) and _may_be_warm(arguments):
        from agentmem_cli.warm import client

        code = client.run(path, arguments)
        if code is not None:
            os._exit(code)  # nothing is left to be written or closed
    from agentmem_cli import process, signals

    process.begin()
    signals.end_at_once()
    code = answer(arguments)
    starting = sys.modules.get("agentmem_cli.warm.starting")
    if starting is not None and path is not None and starting.wanted:
        starting.start_quietly(path)
    process.leave(code)


def _may_be_warm(arguments: list[str]) -> bool:
    if arguments in (["version"], ["--version"]) or not place.may_ask(arguments):
        return False
    # Global options may stand before the command; what their values are is not known yet.
    words = arguments if arguments[:1] and arguments[0].startswith("-") else arguments[:1]
    # `config edit` starts an editor, which needs the terminal of its own session.
    return not _NEVER_WARM.intersection(words) and not ("config" in words and "edit" in arguments)


def answer(arguments: list[str]) -> int:
    """Run what these arguments say on this process's streams, and return the exit code."""
    from agentmem_cli import streams

    streams.prepare()
    code = 0
    try:
        code = run(arguments)
        reason = streams.written_out()
    except OSError as error:  # of what is answered here; the others report their own
        reason = streams.refused(error)
    streams.finish(None if code else reason)  # what went wrong before has been said, and is the cause
    return code or int(reason is not None)


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
