"""Nothing changes but by an operation that says so, and what is taken back is as it was."""

from __future__ import annotations

from agent_memory.records import LongTermRecord, MemoryRecord, MemoryType, Status, Version
from agent_memory.text.templates import normalise

from ..model import Model
from ..worker import Look
from .broken import BrokenLawError, said, shown

_FROM_ELSEWHERE = "import"
"""What the journal calls versions that came from another store, with or without those before."""


def told(model: Model, look: Look) -> None:
    """The old state and the journal give the new one."""
    state = dict(model.there)
    verbs = {item.id: item.verb for item in look.log}
    for operation, versions in look.versions.items():
        for version in versions:
            _apply(state, version, trusting=verbs[operation] == _FROM_ELSEWHERE)
    for item in {*state, *look.there}:
        expected, there = state.get(item), look.there.get(item)
        if expected is None or there is None:
            if expected is not there:
                raise BrokenLawError(
                    f"the journal leaves {item} as {shown(expected)}, there is {shown(there)}"
                )
        elif said(expected) != said(there) or expected.revision != there.revision:
            raise BrokenLawError(f"the journal leaves {said(expected)}, there is {said(there)}")


def _apply(state: dict[str, MemoryRecord], version: Version, *, trusting: bool) -> None:
    before, after = state.get(version.memory_id), version.after
    # Of short-term memory, and of what is shredded, the journal forgets what was before.
    forgotten = version.verb == "shred" or (before or after) is None or _short_term(before or after)
    upon = version.before
    if not trusting and not forgotten and shown(before, whole=True) != shown(upon, whole=True):
        raise BrokenLawError(
            f"{version.verb} of {version.memory_id} was made upon {shown(upon)}, there was {shown(before)}"
        )
    if after is None:
        state.pop(version.memory_id, None)
    else:
        state[version.memory_id] = after


def _short_term(record: MemoryRecord | None) -> bool:
    return record is not None and record.memory_type is MemoryType.SHORT_TERM


def undone(model: Model, look: Look) -> None:
    """What an operation takes back is as it was before."""
    for operation in look.log:
        if operation.undone_by not in look.versions:
            continue
        back = {item.memory_id: item for item in look.versions[operation.undone_by or ""]}
        first: dict[str, Version] = {}
        last: dict[str, Version] = {}
        for version in model.operations.get(operation.id, ()):
            first.setdefault(version.memory_id, version)
            last[version.memory_id] = version
        for item, version in first.items():
            before, after = version.before, last[item].after
            if item not in back:
                short = _short_term(before) or _short_term(after)
                if not short and shown(before) != shown(after):
                    raise BrokenLawError(f"undoing {operation.verb} left {item} as {shown(after)}")
            elif shown(back[item].after) != shown(before):
                raise BrokenLawError(
                    f"undoing {operation.verb} made {shown(back[item].after)}, it was {shown(before)}"
                )


def merged(look: Look) -> None:
    """Only what says the same is replaced by another, and the other is there."""
    for versions in look.versions.values():
        for version in versions:
            after = version.after
            if version.verb != "supersede" or not isinstance(after, LongTermRecord):
                continue
            stays = look.there.get(after.superseded_by or "")
            if stays is None or stays.status is not Status.ACTIVE:
                raise BrokenLawError(
                    f"{after.content!r} was merged into {after.superseded_by}, which is not there"
                )
            if _plain(stays.content) != _plain(after.content):
                raise BrokenLawError(f"{after.content!r} was merged into {stays.content!r}")


def _plain(text: str) -> list[str]:
    """Return a text's words without what may differ: a full stop, articles, the case of the first letter."""
    words = normalise(text).removesuffix(".").split()
    words = [word for word in words if word.casefold() not in ("a", "an", "the")]
    return [words[0][:1].casefold() + words[0][1:], *words[1:]] if words else []
