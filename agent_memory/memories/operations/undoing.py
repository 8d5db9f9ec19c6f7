"""Undoing operations: restoring what each of them changed."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from agent_memory.errors import ConflictError, ValidationError
from agent_memory.memories.core import Core
from agent_memory.records import MemoryRecord, OperationRecord, Version, same_version
from agent_memory.storage.base import journal_store
from agent_memory.storage.changes import Add, Change, Remove, Replace
from agent_memory.storage.renewal import renewed
from agent_memory.text.names import with_normal_names
from agent_memory.verbs import Verb

logger = logging.getLogger("agent_memory")
_NOT_TAKEN_BACK: Final = (Verb.UNDO, Verb.CLEANUP, Verb.IMPORT, Verb.RENEW)


async def undo(
    core: Core, chosen: int | Sequence[OperationRecord], *, dry_run: bool
) -> list[OperationRecord]:
    """Take back the latest operations that still stand, newest first, each as an operation of its own.

    Args:
        core: the memory.
        chosen: how many, or the operations themselves.
        dry_run: only return which they would be.

    Returns:
        The operations that were taken back.

    Raises:
        ValidationError: the number is below 1, or something cannot be brought back.
        ConflictError: a memory was changed since by an operation that stays.
    """
    if not isinstance(chosen, int):
        operations = list(chosen)
    elif chosen < 1:
        raise ValidationError(f"cannot undo {chosen} operations", hint="give a number from 1")
    else:
        operations = await _standing(core, chosen)
    taken_back: list[OperationRecord] = []
    for operation in operations:
        if not dry_run:
            try:
                await _take_back(core, operation)
            except (ConflictError, ValidationError) as error:
                if taken_back:
                    error.hint = f"{len(taken_back)} later operations are taken back, this one is not"
                raise
        taken_back.append(operation)
    return taken_back


async def _standing(core: Core, count: int) -> list[OperationRecord]:
    """List the latest operations that there is something to take back of."""
    limit = 4 * count + 16
    while True:
        operations = await journal_store(core.store).operations(limit)
        # Of working memory the journal keeps one version: what changed nothing else has left no entries.
        standing = [
            operation
            for operation in operations
            if operation.undone_by is None and operation.verb not in _NOT_TAKEN_BACK and operation.changes
        ]
        if len(standing) >= count or len(operations) < limit:
            _tell_of_imports(operations, standing[:count])
            return standing[:count]
        limit *= 4


def _tell_of_imports(latest: Sequence[OperationRecord], chosen: Sequence[OperationRecord]) -> None:
    """Warn of the imports that are newer than the oldest operation that is taken back."""
    newer = latest[: latest.index(chosen[-1])] if chosen else latest
    imports = sum(operation.verb == Verb.IMPORT and operation.changes > 0 for operation in newer)
    if imports:
        logger.warning(
            f"undo passes over {imports} import{'s' if imports > 1 else ''}:"
            " the history of a memory has what was replaced"
        )


async def _take_back(core: Core, operation: OperationRecord) -> None:
    versions = await journal_store(core.store).changes_of(operation.id)
    first_and_last: dict[str, tuple[Version, Version]] = {}
    for version in versions:
        first = first_and_last[version.memory_id][0] if version.memory_id in first_and_last else version
        first_and_last[version.memory_id] = (first, version)
    present = await core.store.get(list(first_and_last))
    changes: list[Change] = []
    for memory_id, (first, last) in first_and_last.items():
        current = present.get(memory_id)
        before, after = _in_present_form(first.before, last.after, current)
        if not _still(after, current):
            raise ConflictError(memory_id)
        if before is not None and current is not None:
            changes.append(Replace(replace(before, revision=current.revision), Verb.UNDO))
        elif before is not None:
            changes.append(Add(before, brought_back=True, verb=Verb.UNDO))
        elif current is not None and last.verb not in (Verb.PURGE, Verb.SHRED):
            changes.append(Remove(current))
        elif first.before is None and last.verb == Verb.SHRED:
            raise ValidationError("what was shredded cannot be brought back", hint="undo ends here")
    # Keys may pass from one memory to another: what gives one up goes first.
    changes.sort(key=lambda change: isinstance(change, Add))
    await core.write(Verb.UNDO, changes, embed=[], undoes=operation.id)


def _in_present_form(
    before: MemoryRecord | None, after: MemoryRecord | None, current: MemoryRecord | None
) -> tuple[MemoryRecord | None, MemoryRecord | None]:
    """Return what an operation found and left as it would be now: an earlier version may have written it."""
    before = None if before is None else with_normal_names(before)
    after = None if after is None else with_normal_names(after)
    if after is None or current is None or same_version(after, current):
        return before, after
    if same_version(renewed(after), current):
        return None if before is None else renewed(before), renewed(after)
    return before, after


def _still(left: MemoryRecord | None, current: MemoryRecord | None) -> bool:
    """Return whether a memory is as an operation left it; one undone and redone since then is."""
    if left is None or current is None:
        return left is current
    return same_version(left, current)
