"""What holds after every step, whatever the step was.

The laws know no verb. They compare what a step answered, what its operations say in the journal, and what is there:
a step may change what it names or answers with, and nothing else; what was given can be read back; what the
journal tells is what happened; what is there is listed, counted, exported and found.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from agent_memory import clock
from agent_memory.records import (
    LongTermRecord,
    MemoryRecord,
    MemoryType,
    Status,
    Version,
    canonical_json,
    to_dict,
    version_to_dict,
)
from agent_memory.text.templates import normalise

from .model import Change, Model, Step, holds, ids_in, live
from .worker import Look, Raised

FEW = 5
"""Of so many memories with a word, each is among the first ten that are found by it: each may bring its answer."""


class BrokenLawError(AssertionError):
    """A law does not hold."""


def check(model: Model, step: Step, answer: Any, look: Look) -> None:
    """Compare what came of a step with what was before.

    Raises:
        BrokenLawError: something does not agree; the message says what.
    """
    changes = model.changes(look)
    sound(look)
    agreeing(look, step.moment)
    findable(look, step.moment)
    told(model, look)
    undone(model, look)
    merged(model, look)
    if isinstance(answer, Raised):
        refused(model, step, answer, changes)
        return
    if step.arguments.get("dry_run") is True:
        quiet(changes, look, "a dry run")
    answered(model, step, answer, changes, look)
    kept(model, step, answer, changes, look)
    found(step, answer, look)


def check_all(model: Model, said: Mapping[str, Any], moment: datetime) -> None:
    """Compare what a thorough look says: everything found, and the same again in another store.

    Raises:
        BrokenLawError: something does not agree.
    """
    if said["faults"] or said["faults there"]:
        raise BrokenLawError(f"check() finds {said['faults']}, after an import {said['faults there']}")
    if said["owed"]:
        raise BrokenLawError(f"index() leaves {said['owed']} to embed")
    for (mode, query), ids in said["asked"].items():
        if mode == "vector":
            _same_text_found(query, ids, model.there, moment)
        else:
            _each_found(f"a {mode} search for {query!r}", ids, query, model.there, moment)
    if said["export"] != said["again"]:
        raise BrokenLawError(f"exported {said['export'].decode()}, after an import {said['again'].decode()}")
    first, second = said["first"], said["second"]
    if first.added != len(model.there) or second.changed:
        raise BrokenLawError(f"an import of {len(model.there)} memories said {first}, and again {second}")


def _bag(text: str) -> list[str]:
    return sorted(re.findall(r"\w+", text.casefold()))


def _same_text_found(
    text: str, ids: Sequence[str], there: Mapping[str, MemoryRecord], moment: datetime
) -> None:
    active = live(there, moment)
    holders = [each.id for each in active.values() if _bag(each.content) == _bag(text)]
    missing = set(holders) - set(ids)
    if len(holders) <= FEW and missing:
        raise BrokenLawError(f"a vector search for {text!r} gives {_few(ids)} and not {_few(missing)}")


# --- what is there -----------------------------------------------------------------------------------------------


def sound(look: Look) -> None:
    """The store finds no fault with itself."""
    if look.faults:
        raise BrokenLawError(f"check() finds {look.faults}")


def agreeing(look: Look, moment: datetime) -> None:
    """What is listed, counted and exported is the same."""
    visible = {each.id: each for each in look.there.values() if not each.expired(moment)}
    listed = {each.id: each for each in look.listed}
    if listed.keys() != visible.keys() or len(look.listed) != len(listed):
        raise BrokenLawError(f"listed are {_few(listed)}, exported {_few(visible)}")
    for each in look.listed:
        if _said(each) != _said(visible[each.id]):
            raise BrokenLawError(f"exported as {_said(visible[each.id])}, listed as {_said(each)}")
    active = live(look.there, moment)
    if sorted(look.active) != sorted(active):
        raise BrokenLawError(f"listed as active are {_few(look.active)}, exported {_few(active)}")
    counts = {"None": len(visible)} | {
        status.value: sum(each.status is status for each in visible.values()) for status in Status
    }
    counts |= {kind.value: sum(each.memory_type is kind for each in active.values()) for kind in MemoryType}
    if look.counts and counts != look.counts:
        raise BrokenLawError(f"counted are {look.counts}, there are {counts}")
    beside = {
        "total": len(active),
        "archived": sum(each.status is not Status.ACTIVE for each in look.there.values()),
        "pinned": sum(each.pinned for each in active.values()),
        "expired": sum(each.status is Status.ACTIVE and each.expired(moment) for each in look.there.values()),
    }
    wrong = {name: look.stats[name] for name, number in beside.items() if look.stats[name] != number}
    if wrong:
        raise BrokenLawError(f"the statistics say {wrong}, there are {beside}")


def findable(look: Look, moment: datetime) -> None:
    """A text is found by its word."""
    for word, ids in look.found.items():
        _each_found(f"a keyword search for {word!r}", ids, word, look.there, moment)


def _each_found(
    what: str, ids: Sequence[str], word: str, there: Mapping[str, MemoryRecord], moment: datetime
) -> None:
    active = live(there, moment)
    hidden = [each for each in ids if each not in active]
    if hidden:
        raise BrokenLawError(f"{what} gives {hidden}, which are put away")
    holders = [each.id for each in active.values() if holds(each, word)]
    missing = {each for each in holders if getattr(active[each], "kind", "") != "summary"} - set(ids)
    if len(holders) <= FEW and missing:
        raise BrokenLawError(f"{what} gives {_few(ids)} and not {[active[each].content for each in missing]}")


def found(step: Step, answer: Any, look: Look) -> None:
    """What a search gives is there, and a text is among the first ten of its own search."""
    memories = [each.memory for each in answer if hasattr(each, "memory")] if isinstance(answer, list) else []
    for memory in memories:
        there = look.there.get(memory.id)
        if there is None or _said(there) != _said(memory):
            raise BrokenLawError(f"{step.verb} gives {_said(memory)}, there is {there and _said(there)}")
    query = step.arguments.get("query")
    asked = step.arguments.keys() - {"query", "mode", "explain", "count_access"}
    by_words = isinstance(query, str) and query.isalpha() and step.arguments.get("mode") != "vector"
    if step.verb.face == "" and isinstance(answer, list) and step.verb.finds and by_words and not asked:
        ids = [each.id for each in memories]
        _each_found(f"{step.verb}({query!r})", ids, str(query), look.there, step.moment)


# --- what the journal tells --------------------------------------------------------------------------------------


def told(model: Model, look: Look) -> None:
    """Nothing changes but by an operation that says so: the old state and the journal give the new one."""
    state = dict(model.there)
    for operation, versions in look.versions.items():
        verb = next(each.verb for each in look.log if each.id == operation)
        for version in versions:
            _apply(state, version, trusting=verb == "import")
    for each in {*state, *look.there}:
        expected, there = state.get(each), look.there.get(each)
        if expected is None or there is None:
            if expected is not there:
                raise BrokenLawError(
                    f"the journal leaves {each} as {_shown(expected)}, there is {_shown(there)}"
                )
        elif _said(expected) != _said(there) or expected.revision != there.revision:
            raise BrokenLawError(f"the journal leaves {_said(expected)}, there is {_said(there)}")


def _apply(state: dict[str, MemoryRecord], version: Version, *, trusting: bool) -> None:
    before, after = state.get(version.memory_id), version.after
    # Of short-term memory, and of what is shredded, the journal forgets what was before.
    forgotten = version.verb == "shred" or (before or after) is None or _short_term(before or after)
    upon = version.before
    if not trusting and not forgotten and _shown(before, whole=True) != _shown(upon, whole=True):
        raise BrokenLawError(
            f"{version.verb} of {version.memory_id} was made upon {_shown(upon)}, there was {_shown(before)}"
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
        back = {each.memory_id: each for each in look.versions[operation.undone_by or ""]}
        first: dict[str, Version] = {}
        last: dict[str, Version] = {}
        for version in model.operations.get(operation.id, ()):
            first.setdefault(version.memory_id, version)
            last[version.memory_id] = version
        for each, version in first.items():
            before, after = version.before, last[each].after
            if each not in back:
                short = _short_term(before) or _short_term(after)
                if not short and _shown(before) != _shown(after):
                    raise BrokenLawError(f"undoing {operation.verb} left {each} as {_shown(after)}")
            elif _shown(back[each].after) != _shown(before):
                raise BrokenLawError(
                    f"undoing {operation.verb} made {_shown(back[each].after)}, it was {_shown(before)}"
                )


def merged(model: Model, look: Look) -> None:
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
    words = [each for each in words if each.casefold() not in ("a", "an", "the")]
    return [words[0][:1].casefold() + words[0][1:], *words[1:]] if words else []


# --- what a step may do ------------------------------------------------------------------------------------------


def refused(model: Model, step: Step, answer: Raised, changes: Mapping[str, Change]) -> None:
    """Only the library's own refusals are raised, and what is refused changes nothing."""
    if answer.kind == "TypeError" and "multiple values" in answer.message and not changes:
        return  # an argument passed on that the verb itself gives
    if not answer.ours or answer.code not in (
        "invalid", "ambiguous", "configuration", "not_found", "unsupported", "conflict", "embedding"
    ):  # fmt: skip
        raise BrokenLawError(f"{step.verb} raised {answer.kind}: {answer.message}\n{answer.trace}")
    if answer.code == "embedding" and not {"embedding", "items"} & step.arguments.keys():
        raise BrokenLawError(f"{step.verb} raised {answer.kind}: {answer.message}")
    if answer.code == "conflict" and not (model.shredded or "import" in model.verbs.values()):
        raise BrokenLawError(f"{step.verb} raised {answer.kind}, and nobody else writes: {answer.message}")
    partial = (
        isinstance(step.arguments.get("count"), int) and "later operations are taken back" in answer.message
    )
    if changes and not partial:
        raise BrokenLawError(f"{step.verb} was refused ({answer.message}) and changed {_few(changes)}")


def quiet(changes: Mapping[str, Change], look: Look, what: str) -> None:
    """Nothing changed."""
    if changes:
        raise BrokenLawError(f"{what} changed {_differences(changes)}")


def answered(model: Model, step: Step, answer: Any, changes: Mapping[str, Change], look: Look) -> None:
    """A step changes what its answer tells of, and nothing else."""
    if not changes:
        return
    away = {each for each, change in changes.items() if change.put_away}
    named = set(ids_in(answer))
    if isinstance(answer, list) and answer and all(isinstance(each, MemoryRecord) for each in answer):
        if changes.keys() - named or changes.keys() != away:
            raise BrokenLawError(
                f"{step.verb} answered with {_few(named)} and changed {_differences(changes)}"
            )
    elif isinstance(answer, str | tuple) or named & look.there.keys():
        _only(model, step, answer, changes, look)
    elif isinstance(answer, bool):
        if not answer or len(changes) > 1:
            raise BrokenLawError(f"{step.verb} answered {answer} and changed {_differences(changes)}")
    elif isinstance(answer, int):
        counted = [each for each in away if getattr(changes[each].before, "kind", "") != "summary"]
        gone = len(model.purged) if step.arguments.get("shred") else 0
        if not len(counted) <= answer <= len(away) + gone:
            raise BrokenLawError(
                f"{step.verb} answered {answer} and put away {len(away)}: {_differences(changes)}"
            )
    elif isinstance(answer, dict):
        gone = len(model.purged) if step.arguments.get("shred") else 0
        total = sum(each for each in answer.values() if isinstance(each, int))
        if not len(away) <= total <= len(away) + gone or changes.keys() - away:
            raise BrokenLawError(f"{step.verb} answered {answer} and changed {_differences(changes)}")
    elif isinstance(answer, MemoryRecord):
        if changes.keys() - {answer.id}:
            raise BrokenLawError(f"{step.verb} answered with {answer.id} and changed {_differences(changes)}")
        if _said(look.there[answer.id]) != _said(answer):
            raise BrokenLawError(
                f"{step.verb} answered {_said(answer)}, there is {_said(look.there[answer.id])}"
            )
    elif hasattr(answer, "settled"):
        most = answer.added + answer.updated + (answer.settled if away else 0)
        if len(changes) > most or (away and step.arguments.get("on_conflict") != "replace"):
            raise BrokenLawError(f"{step.verb} answered {answer} and changed {_differences(changes)}")
    elif isinstance(answer, list) and all(hasattr(each, "undone_by") for each in answer) and answer:
        ours = {version.memory_id for each in answer for version in model.operations.get(each.id, ())}
        if changes.keys() - ours:
            raise BrokenLawError(f"{step.verb} took back {answer} and changed {_differences(changes)}")
    else:
        quiet(changes, look, f"{step.verb}, which answered {answer!r},")


def _only(model: Model, step: Step, answer: Any, changes: Mapping[str, Change], look: Look) -> None:
    """A step that answers with ids touches these alone; one that answers with a text, a summary at most."""
    named = set(ids_in(answer))
    document = step.arguments.get("document_id")
    for each, change in changes.items():
        record = change.after or change.before
        if each in named and not change.put_away:
            continue
        if change.put_away and document is not None and getattr(record, "document_id", None) == document:
            continue  # a chunk of the document of which this is a new version
        if change.put_away and getattr(record, "path", None) in named - {None}:
            continue  # the same, of a file
        if not change.put_away and getattr(record, "kind", "") == "summary" and isinstance(answer, str):
            continue
        raise BrokenLawError(f"{step.verb} answered {answer!r} and changed {_differences({each: change})}")


# --- what was given ----------------------------------------------------------------------------------------------

_NOT_STORED = frozenset(
    [
        *("id", "items", "type", "types", "query", "limit", "count", "document_id"),
        *("force", "progress", "embedding", "dry_run", "purge", "shred", "defaults", "objects"),
        *("status", "agent_id", "updated_at", "accessed_at", "access_count", "position", "superseded_by"),
    ]
)
_STAYING = ("tags", "source", "importance", "pinned", "occurred_at", "key", "session", "expires_at")


def kept(model: Model, step: Step, answer: Any, changes: Mapping[str, Change], look: Look) -> None:
    """What a step stored has what was given, and keeps what was not."""
    ids = ids_in(answer)
    if isinstance(answer, MemoryRecord) and step.arguments.keys() <= {"id"}:
        return
    if isinstance(answer, tuple) and hasattr(answer, "written"):
        ids = ids_in(answer.written)
    if (
        not ids
        or not set(ids) <= look.there.keys()
        or not (step.verb.may_add or isinstance(answer, MemoryRecord))
    ):
        return
    if isinstance(answer, MemoryRecord) and step.arguments.get("id") is None:
        return
    if step.verb.returns.startswith("Listing[MemoryRecord]"):
        return
    items = step.arguments.get("items", step.arguments.get("objects"))
    given = (
        [{"content": each} if isinstance(each, str) else dict(each) for each in items]
        if items is not None
        else [dict(step.arguments)] * len(ids)
    )
    if items is not None and len(ids) != len(given):
        raise BrokenLawError(f"{step.verb} answered {answer} to {len(given)} items")
    last = {memory_id: number for number, memory_id in enumerate(ids)}
    several = items is None and len(ids) > 1
    if several and len(set(ids)) < len({look.there[each].content for each in ids}):
        raise BrokenLawError(f"{step.verb} was given {dict(step.arguments)} and answered {ids}")
    for number, (memory_id, arguments) in enumerate(zip(ids, given, strict=True)):
        if last[memory_id] != number:
            continue  # a later item of the same call has overwritten it
        record, before = look.there[memory_id], model.there.get(memory_id)
        _readable(step, record, before, arguments, several=several)
        if before is not None and before.status is Status.ACTIVE and items is None:
            _unsaid_stays(step, before, record, arguments)


def _readable(
    step: Step, record: MemoryRecord, before: MemoryRecord | None, given: Mapping[str, Any], *, several: bool
) -> None:
    flat = to_dict(record)
    everything = canonical_json(flat)
    for name, value in given.items():
        if name in _NOT_STORED or value is None:
            continue
        if name in _SPECIAL:
            right = _SPECIAL[name](record, before, value, step)
        elif name in flat:
            right = _same(flat[name], value) or (
                name == "content" and _text_kept(record, before, value, several)
            )
        elif isinstance(value, str):
            right = (
                _text_kept(record, before, value, several)
                or canonical_json(value.strip())[1:-1] in everything
            )
        else:
            right = True
        if not right:
            raise BrokenLawError(f"{step.verb} was given {name}={value!r} and stored {_said(record)}")


def _text_kept(record: MemoryRecord, before: MemoryRecord | None, text: str, several: bool) -> bool:
    if record.content == text or (several and normalise(record.content) in normalise(text)):
        return True
    return before is not None and normalise(before.content) == normalise(text) == normalise(record.content)


def _same(stored: Any, given: Any) -> bool:
    if isinstance(given, timedelta):
        given = given.total_seconds()
    if isinstance(given, datetime):
        given = clock.to_text(clock.as_utc(given))
    if isinstance(given, str):
        given = given.strip()
        return bool(
            stored == given or (isinstance(stored, str) and stored.strip() == given) or stored == [given]
        )
    if isinstance(given, list | tuple) and isinstance(stored, list):
        return set(map(canonical_json, given)) <= set(map(canonical_json, stored))
    return canonical_json(stored) == canonical_json(given)


def _tags_kept(record: MemoryRecord, before: MemoryRecord | None, given: Any, step: Step) -> bool:
    tags = {given} if isinstance(given, str) else set(given)
    taken = step.arguments.get("remove_tags") or ()
    return tags - ({taken} if isinstance(taken, str) else set(taken)) <= set(record.tags)


def _tags_taken(record: MemoryRecord, before: MemoryRecord | None, given: Any, step: Step) -> bool:
    return not ({given} if isinstance(given, str) else set(given)) & set(record.tags)


def _metadata_kept(record: MemoryRecord, before: MemoryRecord | None, given: Any, step: Step) -> bool:
    return all(
        name in record.metadata and canonical_json(record.metadata[name]) == canonical_json(value)
        for name, value in given.items()
    )


def _lives(record: MemoryRecord, before: MemoryRecord | None, given: Any, step: Step) -> bool:
    return record.expires_at == step.moment + clock.as_duration(given)


def _happened(record: MemoryRecord, before: MemoryRecord | None, given: Any, step: Step) -> bool:
    return record.occurred_at == given


def _pinned(record: MemoryRecord, before: MemoryRecord | None, given: Any, step: Step) -> bool:
    return record.pinned or not given


def _conversation(record: MemoryRecord, before: MemoryRecord | None, given: Any, step: Step) -> bool:
    both = {step.arguments.get("session"), step.arguments.get("conversation_id")}
    return record.session == given or (len(both) == 2 and record.session in both)


def _any(record: MemoryRecord, before: MemoryRecord | None, given: Any, step: Step) -> bool:
    return True


_SPECIAL: Mapping[str, Callable[[MemoryRecord, MemoryRecord | None, Any, Step], bool]] = {
    "tags": _tags_kept,
    "add_tags": _tags_kept,
    "remove_tags": _tags_taken,
    "metadata": _metadata_kept,
    "extra_metadata": _metadata_kept,
    "ttl": _lives,
    "at": _happened,
    "pinned": _pinned,
    "conversation_id": _conversation,
    "session": _conversation,
    "chunks": _any,
}


def _unsaid_stays(step: Step, before: MemoryRecord, record: MemoryRecord, given: Mapping[str, Any]) -> None:
    speaks_of = {"ttl": "expires_at", "at": "occurred_at", "name": "key", "conversation_id": "session"}
    said = {speaks_of.get(name, name) for name in given}
    if {"add_tags", "remove_tags"} & given.keys():
        said.add("tags")
    for name in _STAYING:
        was, now = getattr(before, name), getattr(record, name)
        if name in said or was == now or (name == "tags" and set(was) <= set(now)):
            continue
        if name == "expires_at" and (
            before.memory_type is MemoryType.SHORT_TERM or before.expired(step.moment)
        ):
            continue  # a default time to live begins anew
        raise BrokenLawError(
            f"{step.verb} was given {dict(given)} and changed {name} from {was!r} to {now!r}"
        )


# --- words for people --------------------------------------------------------------------------------------------


def _said(record: MemoryRecord) -> dict[str, Any]:
    """Return what a version consists of, in the one form that JSON gives it."""
    said = version_to_dict(record)
    said["importance"] = float(record.importance)
    return {name: list(value) if isinstance(value, tuple) else value for name, value in said.items()}


def _shown(record: MemoryRecord | None, *, whole: bool = False) -> dict[str, Any] | None:
    if record is None:
        return None
    return {name: value for name, value in _said(record).items() if whole or name != "updated_at"}


def _few(ids: Any) -> str:
    listed = list(ids)
    return f"{len(listed)} {listed[:3]}"


def _differences(changes: Mapping[str, Change]) -> str:
    lines = []
    for each, change in changes.items():
        if change.before is None or change.after is None:
            lines.append(f"{each}: {_shown(change.before)} -> {_shown(change.after)}")
            continue
        names = [own.name for own in dataclasses.fields(change.before)]
        pairs = [(name, getattr(change.before, name), getattr(change.after, name, None)) for name in names]
        told = ", ".join(f"{name} {was!r} -> {now!r}" for name, was, now in pairs if was != now)
        lines.append(f"{each} ({change.before.content!r}): {told}")
    return "; ".join(lines)
