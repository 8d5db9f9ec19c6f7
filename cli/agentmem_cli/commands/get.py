"""`agentmem get`."""

from __future__ import annotations

import typer

from agent_memory.errors import MemoryNotFoundError
from agentmem_cli import options, text_input
from agentmem_cli.context import Invocation


def get(context: typer.Context, references: options.References = None) -> None:
    """Show memories by id, unique prefix of an id, or key.

    Those that are found are shown even if others are not; the exit code is then 3. As JSON one memory is an
    object, several are an array; `-o text` prints their texts alone. The id of a document stands for all its chunks.

    Examples:
        agentmem get 7f3k2m9q
        agentmem list --type fact -o id | xargs agentmem get --json
    """
    invocation = Invocation.of(context)
    wanted = text_input.references(references)
    with invocation.memory() as memory:
        named = memory.get_named(wanted)
        missing = [reference for reference, records in named.items() if not records]
        if len(named) == len(missing) == 1:
            memory.get_named(missing, count_access=False, missing_ok=False)
    shown = [record for records in named.values() for record in records]
    if invocation.flags.output == "text":  # asked for, not the form of a pipe
        invocation.output.texts(shown)
    else:
        invocation.output.full_records(shown, many=len(shown) + len(missing) > 1 or references == ["-"])
    if missing:
        raise MemoryNotFoundError("', '".join(missing))
