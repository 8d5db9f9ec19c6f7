"""A step changes what it names or answers with, and nothing else; what is refused changes nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agent_memory.records import MemoryRecord, OperationRecord

from ..model import Change, Model, Step, ids_in, live
from ..worker import Look, Raised
from .broken import BrokenLawError, differences, few, said

_REFUSALS = frozenset(
    ["invalid", "ambiguous", "configuration", "not_found", "unsupported", "conflict", "embedding"]
)
"""Codes of errors that arguments may call for; any other error is a fault of the store."""
_OF_WHAT_WAS_PUT_AWAY = frozenset(["restore"])
"""Verbs that find only what is not there any more."""


def refused(model: Model, step: Step, answer: Raised, changes: Mapping[str, Change]) -> None:
    """Only the library's own refusals are raised, with a reason, and what is refused changes nothing."""
    what = f"{step.verb} raised {answer.kind}: {answer.message}"
    if answer.kind == "TypeError" and "multiple values" in answer.message and not changes:
        return  # an argument passed on that the verb itself gives
    if answer.code not in _REFUSALS:
        raise BrokenLawError(f"{what}\n{answer.trace}")
    if answer.code == "embedding" and not {"embedding", "items"} & step.arguments.keys():
        raise BrokenLawError(what)
    if answer.code == "conflict" and not (model.shredded or "import" in model.verbs.values()):
        raise BrokenLawError(f"{what}: and nobody else writes")
    if answer.code == "not_found" and step.verb.name not in _OF_WHAT_WAS_PUT_AWAY:
        there = live(model.there, step.moment).get(step.target or "")
        if there is not None and step.verb.face in ("", there.memory_type):
            raise BrokenLawError(f"{what}: and it is there")
    partial = "later operations are taken back" in answer.message
    if changes and not partial:
        raise BrokenLawError(f"{what}, and changed {differences(changes)}")


def answered(model: Model, step: Step, answer: Any, changes: Mapping[str, Change], look: Look) -> None:
    """A step changes what its answer tells of, and nothing else."""
    if not changes:
        return
    away = {item for item, change in changes.items() if change.put_away}
    # What was purged before may be counted among what is shredded.
    gone = len(model.purged) if step.arguments.get("shred") else 0
    if step.arguments.get("dry_run") is True:
        right = False
    elif isinstance(answer, list) and answer and all(isinstance(item, MemoryRecord) for item in answer):
        now = {item.id: said(item) for item in answer}
        if away:  # as they were
            right = changes.keys() == away <= now.keys()
        else:  # as they are
            right = all(item in now and said(look.there[item]) == now[item] for item in changes)
    elif isinstance(answer, list) and answer and all(isinstance(item, OperationRecord) for item in answer):
        ours = {version.memory_id for item in answer for version in model.operations.get(item.id, ())}
        right = changes.keys() <= ours
    elif isinstance(answer, MemoryRecord):
        right = changes.keys() <= {answer.id} and said(look.there[answer.id]) == said(answer)
    elif isinstance(answer, bool):
        right = answer and len(changes) == 1
    elif isinstance(answer, int):
        counted = [item for item in away if getattr(changes[item].before, "kind", "") != "summary"]
        right = len(counted) <= answer <= len(away) + gone
    elif isinstance(answer, dict):
        total = sum(item for item in answer.values() if isinstance(item, int))
        right = changes.keys() == away and len(away) <= total <= len(away) + gone
    elif hasattr(answer, "settled"):  # what was taken over from another store
        most = answer.added + answer.updated + (answer.settled if away else 0)
        right = len(changes) <= most and (not away or step.arguments.get("on_conflict") == "replace")
    elif isinstance(answer, str | tuple) or set(ids_in(answer)) & look.there.keys():
        right = all(_named(step, answer, item, change) for item, change in changes.items())
    else:
        right = False
    if not right:
        told = few(ids_in(answer)) if isinstance(answer, list) else repr(answer)
        raise BrokenLawError(f"{step.verb} answered {told} and changed {differences(changes)}")


def _named(step: Step, answer: Any, memory_id: str, change: Change) -> bool:
    """Return whether an answer of ids or of a text may go with a change."""
    named = set(ids_in(answer))
    record = change.after or change.before
    if not change.put_away:
        return memory_id in named or (isinstance(answer, str) and getattr(record, "kind", "") == "summary")
    # A chunk of the document or file of which this is a new version, or what had the key that is given.
    document = step.arguments.get("document_id")
    of_document = document is not None and getattr(record, "document_id", None) == document
    of_key = change.before is not None and change.before.key in {step.arguments.get("key")} - {None}
    return of_document or of_key or getattr(record, "path", None) in named - {None}
