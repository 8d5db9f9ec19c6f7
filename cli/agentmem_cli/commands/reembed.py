"""`agentmem reembed`."""

from __future__ import annotations

from typing import Annotated

import typer

from agentmem_cli import confirm, options
from agentmem_cli.context import Invocation
from agentmem_cli.output import plain


def reembed(
    context: typer.Context,
    provider: Annotated[
        str | None,
        typer.Argument(
            metavar="PROVIDER",
            help="local, multilingual, fastembed, openai or dummy; the present one if left out.",
        ),
    ] = None,
    model: Annotated[
        str | None, typer.Option("--model", metavar="MODEL", help="Which of its models.")
    ] = None,
    dry_run: options.DryRun = False,
) -> None:
    """Embed everything with another embedder, then switch to it.

    Says first how much that is, and asks. Until it is done, searches use the old vectors; a run that was stopped
    goes on where it was.

    Examples:
        agentmem reembed fastembed --model BAAI/bge-small-en-v1.5
        agentmem reembed multilingual --dry-run
    """
    invocation = Invocation.of(context)
    # Where no embedder is named there is no choice to keep, and an agent without a file stays without one.
    invocation.dry_run = dry_run or (provider is None and model is None)
    settings = invocation.settings
    config = (
        dict(settings.options("embedding")) if provider in (None, settings.get("embedding.provider")) else {}
    )
    if model is not None:
        provider, config["model"] = provider or settings.get("embedding.provider"), model
    with invocation.memory() as memory:
        cost = memory.cost_of_reembedding(provider, config)
        what = f"embed {plain.many(cost.texts, 'text')} with {cost.space}{_about(cost.seconds)}"
        if dry_run:
            invocation.output.note(f"would {what}")
            return
        if cost.texts == 0 or confirm.ask(invocation, what):
            with invocation.progress("embedding", unit="pieces") as report:
                space = memory.reembed(provider, config, progress=report)
            failed = memory.get_status()["failed_embeddings"]
            told = {"embedded": cost.texts - failed, "embedded_with": str(space)}
            invocation.output.details(told | {"failed": failed} if failed else told)
            if failed:
                invocation.output.note(f"{failed} cannot be embedded: `agentmem status` says why")
                raise typer.Exit(1)


def _about(seconds: float | None) -> str:
    if seconds is None:
        return ", sent to that service"
    if seconds < 2:
        return ""
    return f", about {seconds:.0f} s" if seconds < 90 else f", about {seconds / 60:.0f} min"
