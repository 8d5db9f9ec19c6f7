"""Where the program starts: only the standard library, until it is known what is wanted.

A Typer program of one command takes 150 ms before any work; what needs no Typer is answered here.
"""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line and exit with its code."""
    arguments = sys.argv[1:]
    if arguments in (["version"], ["--version"]):
        from agent_memory.version import __version__

        print(__version__)  # noqa: T201 - the one line that this command is for
        return
    if arguments[:1] == ["__complete"]:
        from agentmem_cli.completion.values import main as complete

        sys.exit(complete(arguments[1:]))
    from agentmem_cli import app

    sys.exit(app.main(arguments))
