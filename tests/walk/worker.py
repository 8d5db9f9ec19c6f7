"""The process that holds the store: it makes the calls that it is sent, and says what came of them.

A process of its own, since the SQLite library is chosen once per process, and so that killing it is real.
Requests come pickled on the standard input, and answers go so to the standard output.
"""

from __future__ import annotations

import io
import logging
import os
import pickle
import signal
import sys
import threading
import traceback
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, cast

from agent_memory import AgentMemoryError, SyncAgentMemory, clock
from agent_memory.recall.query import Mode
from agent_memory.records import MemoryRecord, MemoryType, OperationRecord, Status, Version
from agent_memory.settings import Settings
from agent_memory.transfer.lines import read_line


@dataclass(frozen=True)
class Place:
    """Which store, and how it is opened."""

    agent: str
    settings: Settings


@dataclass(frozen=True)
class Raised:
    """An error that came instead of a result."""

    kind: str
    message: str
    ours: bool
    """Whether it is one of the library's own."""
    trace: str
    code: str = ""
    """Its stable word, if it is one of the library's."""


@dataclass(frozen=True)
class Look:
    """All that can be seen of a store."""

    there: dict[str, MemoryRecord]
    """Every memory by id, as the export has it: archived and expired ones too."""
    gone: list[str]
    """Of which the export only notes that they were taken out."""
    listed: list[MemoryRecord]
    """Of any status, oldest first."""
    active: list[str]
    counts: dict[str, int]
    """By status (`None` for all), and by type for the active ones as the types' own `count` says it."""
    stats: dict[str, Any]
    log: list[OperationRecord]
    """Oldest first."""
    versions: dict[str, list[Version]]
    """By operation, for those that were not seen before: what each changed."""
    conversations: dict[str, list[str]]
    """By conversation, the ids of its messages as they are shown, oldest first."""
    faults: list[str]
    found: dict[str, list[str]]
    """By word: the ids that a keyword search gives, ten at most."""


@dataclass
class Process:
    """What the worker keeps between requests."""

    handles: dict[str, SyncAgentMemory] = field(default_factory=dict)

    def handle(self, name: str, place: Place) -> SyncAgentMemory:
        """Return an open handle, made if it is not there."""
        if name not in self.handles:
            self.handles[name] = SyncAgentMemory(place.agent, place.settings).open()
        return self.handles[name]

    def close(self, name: str | None = None) -> None:
        """Close a handle, or all."""
        for item in [name] if name is not None else list(self.handles):
            if item in self.handles:
                self.handles.pop(item).close()

    def call(
        self,
        name: str,
        place: Place,
        face: str,
        verb: str,
        arguments: Mapping[str, Any],
        dies_after: int | None = None,
    ) -> Any:
        """Make one call; with `dies_after` this process kills itself after so many function calls of its threads."""
        if dies_after is not None:
            self.close()  # the threads that open it anew are watched
            threading.setprofile(_Death(dies_after))
        try:
            memory = self.handle(name, place)
            answer = getattr(getattr(memory, face) if face else memory, verb)(**arguments)
            return list(answer) if isinstance(answer, Iterator) else answer
        finally:
            if dies_after is not None:
                threading.setprofile(None)  # type: ignore[arg-type]  # as the documentation has it
                self.close(name)

    def look(
        self, name: str, place: Place, seen: Sequence[str], words: Sequence[str], *, thorough: bool = True
    ) -> Look:
        """Look at everything, without changing anything; counts and conversations only where it is thorough."""
        memory = self.handle(name, place)
        there, gone = _exported(memory)
        log = memory.log(1_000_000)[::-1]
        counts: dict[str, int] = {}
        if thorough:
            statuses = (None, *(statu.value for statu in Status))
            counts = {str(status): memory.count(status=status) for status in statuses}
            counts |= {memory_type.value: memory.of(memory_type).count() for memory_type in MemoryType}
        return Look(
            there=there,
            gone=gone,
            listed=memory.list(None, status=None, descending=False),
            active=[item.id for item in memory.list(None)],
            counts=counts,
            stats=memory.get_stats(),
            log=log,
            versions={
                operation.id: _changes(memory, operation.id)
                for operation in log
                if operation.id not in set(seen)
            },
            conversations=_conversations(memory) if thorough else {},
            faults=memory.check(),
            found={
                word: [scored.memory.id for scored in memory.search(word, mode="keyword", count_access=False)]
                for word in words
            },
        )

    def dig(
        self, name: str, place: Place, empty: Place, queries: Sequence[tuple[str, str]]
    ) -> dict[str, Any]:
        """Embed what is owed, ask for every text, and take all over into an empty store."""
        memory = self.handle(name, place)
        memory.index()
        pending = memory.get_status()["owed_embeddings"]
        asked = {
            (mode, query): [
                scored.memory.id
                for scored in memory.search(query, mode=cast("Mode", mode), count_access=False)
            ]
            for mode, query in queries
        }
        export = io.BytesIO()
        memory.export_to(export, history=True, with_vectors=True)
        with SyncAgentMemory(empty.agent, empty.settings) as other:
            first = other.import_from(io.BytesIO(export.getvalue()))
            again = io.BytesIO()
            other.export_to(again, history=True, with_vectors=True)
            second = other.import_from(io.BytesIO(export.getvalue()))
            faults = other.check()
        return {
            "owed": pending,
            "asked": asked,
            "faults": memory.check(),
            "export": export.getvalue(),
            "again": again.getvalue(),
            "first": first,
            "second": second,
            "faults there": faults,
        }


class _Death:
    """Kills this process after so many function calls: at the same place again, if the same is done again."""

    def __init__(self, calls: int) -> None:
        self._left = calls

    def __call__(self, frame: object, event: str, argument: object) -> None:
        self._left -= 1
        if self._left <= 0:
            os.kill(os.getpid(), signal.SIGKILL)


def _exported(memory: SyncAgentMemory) -> tuple[dict[str, MemoryRecord], list[str]]:
    file = io.BytesIO()
    memory.export_to(file)
    there: dict[str, MemoryRecord] = {}
    gone = []
    for line in file.getvalue().decode().splitlines()[1:-1]:
        item = read_line(line)
        if item.record is None:
            gone.append(item.id)
        else:
            there[item.id] = item.record
    return there, gone


def _conversations(memory: SyncAgentMemory) -> dict[str, list[str]]:
    talk = memory.conversation
    return {
        conversation.value: [
            message.id for message in talk.get_messages(None, conversation_id=conversation.value)
        ]
        for conversation in talk.get_conversations()
    }


def _changes(memory: SyncAgentMemory, operation: str) -> list[Version]:
    return memory.run(lambda: memory.backend.changes_of(operation))


def _raised(error: Exception) -> Raised:
    return Raised(
        kind=type(error).__name__,
        message=str(error),
        ours=isinstance(error, AgentMemoryError),
        trace=traceback.format_exc(limit=-6),
        code=getattr(error, "code", ""),
    )


def main() -> None:
    """Answer requests until there are no more."""
    requests, answers = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever else is printed stays out of the answers
    logging.disable(logging.WARNING)
    process = Process()
    while True:
        try:
            what, moment, arguments = pickle.load(requests)
        except EOFError:
            break
        try:
            if moment is None:
                answer = getattr(process, what)(**arguments)
            else:
                with clock.fixed(datetime.fromisoformat(moment)):
                    answer = getattr(process, what)(**arguments)
        except Exception as error:
            answer = _raised(error)
        try:
            said = pickle.dumps(answer)
        except Exception:  # what a module keeps to itself, such as an embedder, is told in words
            said = pickle.dumps(repr(answer))
        answers.write(said)
        answers.flush()
