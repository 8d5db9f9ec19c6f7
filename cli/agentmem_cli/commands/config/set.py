"""`agentmem config set`."""

from __future__ import annotations

from typing import Annotated

import typer

from agent_memory.errors import ConfigurationError, ValidationError
from agentmem_cli.context import Invocation


def set_(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="SETTING", help="Its name, as in `agentmem config show`.")],
    value: Annotated[
        str | None, typer.Argument(metavar="VALUE", help="Words with commas between them for tags.")
    ] = None,
    unset: Annotated[
        bool, typer.Option("--unset", help="Take it out, so that the default counts again.")
    ] = False,
) -> None:
    """Set a setting in the user's config file; its comments stay.

    Examples:
        agentmem config set agent work
        agentmem config set embedding.provider --unset
    """
    from agent_memory.memories.opening import check_backend
    from agent_memory.text.incoming import decoded
    from agentmem_cli.settings import editing, files, find
    from agentmem_cli.settings.redaction import is_secret
    from agentmem_cli.settings.values import as_json, check_embedder, parse

    if unset == (value is not None):
        raise ValidationError("give either a value or --unset", hint=f"agentmem config set {name} VALUE")
    setting = find(name)
    if value is not None and is_secret(name):
        raise ConfigurationError(
            f"{name} is a secret, which a config file and the shell's history would keep",
            hint=f"give it in the environment as {setting.variable}",
        )
    invocation = Invocation.of(context)
    path = invocation.settings.user_config
    written = None if value is None else as_json(parse(setting, value))
    if name == "embedding.provider" and value is not None:
        check_embedder(value, "this command")
    if name == "backend" and value is not None:
        check_backend(value)
    text = decoded(files.read(path) or b"", str(path))
    files.write_private(path, editing.with_value(path, text, name, written))
    said = invocation.settings.origin(name)
    if value is not None and said.source in ("environment", "project"):
        invocation.output.note(f"{name} still comes from the {said}, which counts for more")
