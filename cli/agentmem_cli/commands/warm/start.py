"""`agentmem warm start`, which is `agentmem warm` too."""

from __future__ import annotations

import typer

from agentmem_cli.context import Invocation


def start(context: typer.Context) -> None:
    """Start a process that stays and answers commands at once, until 15 minutes pass without one.

    It is for this user, home folder and installation. With the setting warm it starts by itself, behind the answer
    of the next command.

    Examples:
        agentmem warm start
        agentmem config set warm true
    """
    from agentmem_cli.warm import asking

    invocation = Invocation.of(context)
    known, new = asking.start()
    if new:
        invocation.output.note(
            f"process {known['process']} answers from now on; `agentmem warm stop` ends it"
        )
    else:
        invocation.output.note(f"process {known['process']} answers already")
