"""`agentmem skill add`."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from agent_memory.errors import ValidationError
from agentmem_cli import options, text_input
from agentmem_cli.context import Invocation
from agentmem_cli.output import SHORT_ID


def add(
    context: typer.Context,
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="Its name; adding it again stores a new version.")
    ],
    text: options.Text = None,
    triggers: Annotated[
        list[str] | None, typer.Option("--trigger", metavar="WORDS", help="What in a situation calls for it.")
    ] = None,
    steps: Annotated[
        list[str] | None,
        typer.Option("--step", metavar="TEXT", help="One step of a workflow, instead of a text."),
    ] = None,
    category: Annotated[
        str | None, typer.Option("--category", metavar="NAME", help="What kind of skill.")
    ] = None,
    importance: options.Importance = None,
    tags: options.NewTags = None,
    metadata: options.Metadata = None,
    source: options.Source = None,
) -> None:
    """Store a skill: how something is done, in a text or in steps.

    Examples:
        agentmem skill add free-disk "docker system prune, then retry" --trigger "disk full"
        agentmem skill add release --step "run the tests" --step "tag" --step "push"
    """
    invocation = Invocation.of(context)
    more: dict[str, Any] = {
        "triggers": triggers,
        **options.only_given(importance=importance),
        "category": category,
        "tags": invocation.tags(tags),
        "metadata": options.metadata(metadata),
        "source": source,
    }
    if steps and text is not None:
        raise ValidationError("give a text or steps, not both", hint="say the text as one more --step")
    pattern = "" if steps else text_input.one(text)
    with invocation.memory() as memory:
        before = memory.procedural.get_skill(name)
        if steps:
            id = memory.procedural.record_workflow(name, steps, **more)
        else:
            id = memory.procedural.record_skill(name, pattern, **more)
        after = memory.get(id, count_access=False)
    invocation.output.id(id)
    if before is not None and after is not None and before.id == id:
        if before.revision == after.revision:
            invocation.output.note(f"already known: {id[:SHORT_ID]}")
        else:
            invocation.output.note(f"new version of {id[:SHORT_ID]} (agentmem history {id[:SHORT_ID]})")
