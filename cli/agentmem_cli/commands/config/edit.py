"""`agentmem config edit`."""

from __future__ import annotations

import typer

from agent_memory.errors import ConfigurationError

_TEMPLATE = """\
# Settings of agentmem. `agentmem config show --origin` lists them all.
# agent = "default"
# output = "table"
"""


def edit(context: typer.Context) -> None:
    """Open the user's config file in VISUAL or EDITOR, and check it afterwards.

    Examples:
        agentmem config edit
        EDITOR=nano agentmem config edit
    """
    import os
    import shlex
    import subprocess
    import sys

    from agentmem_cli import signals
    from agentmem_cli.settings import files, resolve
    from agentmem_cli.settings.values import check_embedder

    path = files.user_config()
    if not path.exists():
        files.write_private(path, _TEMPLATE)
    editor = os.environ.get("VISUAL") or os.environ.get("EDITOR")
    if not editor:
        if sys.stdin is None or not (sys.stdin.isatty() and sys.stdout.isatty()):
            raise ConfigurationError(
                "there is no terminal for an editor",
                hint="`agentmem config set SETTING VALUE` changes one, or set EDITOR",
            )
        editor = "notepad" if os.name == "nt" else "vi"
    try:
        words = shlex.split(editor)
    except ValueError as error:
        raise ConfigurationError(
            f"the quotes in {editor} do not fit together", hint="set EDITOR to your editor"
        ) from error
    try:
        with signals.interrupts_are_for_others():
            done = subprocess.run([*words, str(path)], check=False)
    except OSError as error:
        raise ConfigurationError(f"cannot start {editor}", hint="set EDITOR to your editor") from error
    if done.returncode:
        raise ConfigurationError(f"{editor} ended with {done.returncode}", hint=f"the file is {path}")
    settings = resolve({})  # says what is wrong with it, and where
    provider = "embedding.provider"
    check_embedder(settings.get(provider), str(settings.origin(provider)))
