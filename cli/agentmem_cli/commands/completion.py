"""`agentmem completion`."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from agentmem_cli.context import Invocation


class Shell(StrEnum):
    """The shells that scripts are made for."""

    BASH = "bash"
    ZSH = "zsh"
    FISH = "fish"
    POWERSHELL = "powershell"


def completion(
    context: typer.Context,
    shell: Annotated[Shell, typer.Argument(metavar="SHELL", help="bash, zsh, fish or powershell.")],
) -> None:
    """Print a shell's completion script; its first lines say where to put it.

    Examples:
        agentmem completion bash > ~/.local/share/bash-completion/completions/agentmem
        agentmem completion fish > ~/.config/fish/completions/agentmem.fish
    """
    from agentmem_cli.completion import script

    Invocation.of(context).output.raw(script(shell.value))
