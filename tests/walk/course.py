"""Carrying steps out on a store, one after another, and comparing everything after each."""

from __future__ import annotations

import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from agent_memory.records import to_dict
from agent_memory.settings import Settings

from . import laws
from .mixing import Mix
from .model import Model, Step, holds, ids_in, live
from .pools import START, WORDS
from .processes import Worker, WorkerDiedError
from .script import Script, named
from .values import IN_FOLDER, File, Printed, Ref, Vector
from .verbs import Verb
from .worker import Look, Place, Raised

DISTINCT = tuple(dict.fromkeys(WORDS.values()))
WINDOW = 4
"""Messages that a conversation shows: few, so that walks get beyond it."""


@dataclass
class Ground:
    """Where walks take place: a backend, and the processes that work on it."""

    name: str
    workers: Sequence[Worker]
    settings: Callable[[Path], Settings]
    """Makes the settings of one walk from its folder."""
    persistent: bool = True
    walks: int = 0
    steps: int = 0
    tally: Counter[str] = field(default_factory=Counter)
    """How often each verb was called, and what was refused."""

    def close(self) -> None:
        """End the processes."""
        for worker in self.workers:
            worker.kill()


@dataclass(frozen=True)
class Plan:
    """One step that is to be taken, before anybody knows what is there."""

    verb: Verb
    given: Mapping[str, Any]
    """Arguments, with `Ref` and the like for what the walk itself makes."""
    actor: int = 0
    """Which process takes it."""
    reopens: bool = False
    """Whether the store is closed everywhere before."""
    later: timedelta = timedelta(0)
    """How much time has passed, beside the second that every step takes."""
    dies_after: int | None = None
    """After how many function calls the process kills itself in the middle of it."""
    killed: bool = False
    """Whether the process is killed after it."""


class Course:
    """One walk over a new store."""

    def __init__(self, ground: Ground, mix: Mix) -> None:
        ground.walks += 1
        self.model = Model()
        self.taken: list[Plan] = []
        self._ground = ground
        self._folder = Path(tempfile.mkdtemp(prefix="walk-"))
        self._moment = START
        self._actor = 0
        self._named: list[str | None] = []
        """What the present step names: ids, and None for each that it names by a key."""
        settings = replace(ground.settings(self._folder), embed_on_write=not mix.pending)
        self._place = Place(f"walk-{ground.walks}", settings)
        self.script = Script(self._place.agent, settings, str(self._folder))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for worker in self._ground.workers:
            with suppress(WorkerDiedError):
                worker.ask("close")
        shutil.rmtree(self._folder, ignore_errors=True)

    # --- one step --------------------------------------------------------------------------------------------

    def take(self, plan: Plan) -> None:
        """Take a step and compare.

        Raises:
            BrokenLawError, WorkerDiedError: something does not agree, or there is no answer.
        """
        self.taken.append(plan)
        self._begin(plan)
        arguments = {name: self._resolved(name, value) for name, value in plan.given.items()}
        plain = {name: _plain(value) for name, value in arguments.items()}
        target = self._named[0] if len(self._named) == 1 else None
        step = Step(plan.verb, plain, self._moment, target)
        self._ground.steps += 1
        self._ground.tally[str(plan.verb)] += 1
        self.script.opened(self._handle)
        self.script.step(len(self.taken), self._handle, plan.verb, arguments, self._moment)
        answer = self._made(step, plan)
        look = self._look()
        laws.check(self.model, step, answer, look)
        self.model.take(look, ids_in(answer))
        self.script.learnt(len(self.taken), answer, self._handle, [item.id for item in look.listed])
        if plan.killed:
            self._worker.kill()
            self.script.killed(str(self._worker))

    def _begin(self, plan: Plan) -> None:
        self._named.clear()
        self._moment += timedelta(seconds=1, microseconds=137) + plan.later
        if plan.reopens:
            for number, worker in enumerate(self._ground.workers):
                worker.ask("close")
                self.script.closed(f"memory{number or ''}")
        if plan.actor != self._actor:
            self._actor = plan.actor
            self.script.process(str(self._worker))

    def _made(self, step: Step, plan: Plan) -> Any:
        """Make the call and return what came of it."""
        try:
            answer = self._worker.ask(
                "call",
                self._moment,
                name=self._handle,
                place=self._place,
                face=step.verb.face,
                verb=step.verb.name,
                arguments=step.arguments,
                dies_after=plan.dies_after,
            )
        except WorkerDiedError:
            if plan.dies_after is None:
                raise
            self.script.killed(str(self._worker), within=True)
            return laws.UNKNOWN
        if plan.dies_after is not None:
            self.script.closed(self._handle)
        if isinstance(answer, Raised):
            self.script.refused(f"{answer.kind}: {answer.message}")
            self._ground.tally[f"{step.verb} refused: {answer.kind}: {answer.message[:100]}"] += 1
        return answer

    @property
    def _worker(self) -> Worker:
        return self._ground.workers[self._actor]

    @property
    def _handle(self) -> str:
        return f"memory{self._actor or ''}"

    # --- arguments -------------------------------------------------------------------------------------------

    def _resolved(self, name: str, value: Any) -> Any:
        if isinstance(value, list) and not isinstance(value, Vector):
            return [self._resolved(name, item) for item in value]
        if isinstance(value, Ref):
            return self._name_of(value)
        if isinstance(value, Printed):
            record = self.model.there.get(self._name_of(value.ref))
            return to_dict(record) if record is not None else {"content": "wren"}
        if isinstance(value, File):
            path = self._folder / value.name
            path.parent.mkdir(exist_ok=True)
            path.write_text(value.text)
            self.script.written(str(path), value.text)
            return str(path)
        if name in IN_FOLDER and isinstance(value, str) and value != "memory":
            scheme, separator, rest = value.rpartition("://")
            return f"{scheme}{separator}{self._folder / rest}"
        return value

    def _name_of(self, ref: Ref) -> str:
        seen = self.model.seen
        if not seen:
            self._named.append(None)
            return "zzzzzzzzzzzzzzzzzzzz"
        memory_id = seen[-1 - min(ref.back, len(seen) - 1)]
        self._named.append(None if ref.form == "key" else memory_id)
        record = self.model.there.get(memory_id)
        if ref.form == "prefix":
            return named(ref.form, memory_id, memory_id[:8])
        if ref.form == "key" and record is not None and record.key:
            return named(ref.form, memory_id, record.key)
        return named("id", memory_id, memory_id)

    # --- looking ---------------------------------------------------------------------------------------------

    def _look(self) -> Look:
        look = self._worker.ask(
            "look",
            self._moment,
            name=self._handle,
            place=self._place,
            seen=list(self.model.operations),
            words=self._words(),
            thorough=len(self.taken) % 4 == 0,
        )
        if isinstance(look, Raised):
            raise laws.BrokenLawError(
                f"looking at everything raised {look.kind}: {look.message}\n{look.trace}"
            )
        assert isinstance(look, Look)
        return look

    def _words(self) -> list[str]:
        """Choose whose words to ask for: those of the newest memories, and now and then one in turn."""
        newest = [self.model.there[item] for item in self.model.seen[-2:] if item in self.model.there]
        words = [word for word in DISTINCT for item in newest if holds(item, word)]
        turn, thorough = divmod(len(self.taken), 4)
        if not thorough:
            words.append(DISTINCT[turn % len(DISTINCT)])
        return list(dict.fromkeys(words))

    def end(self) -> None:
        """Look at everything more thoroughly, and take it over into another store.

        Raises:
            BrokenLawError, WorkerDiedError: something does not agree, or there is no answer.
        """
        if not self.taken:
            return
        active = live(self.model.there, self._moment)
        texts = list(dict.fromkeys(record.content for record in active.values()))[:12]
        queries = [("hybrid", word) for word in DISTINCT] + [("vector", text) for text in texts]
        said = self._worker.ask(
            "dig",
            self._moment,
            name="watch" if self._ground.persistent else self._handle,
            place=self._place,
            empty=Place(
                self._place.agent, replace(self._place.settings, backend="memory", backend_config={})
            ),
            queries=queries,
        )
        if isinstance(said, Raised):
            raise laws.BrokenLawError(f"in the end {said.kind}: {said.message}\n{said.trace}")
        laws.check_all(self.model, said, self._moment)


def _plain(value: Any) -> Any:
    """Return a value as it is sent: names of memories are mere texts then."""
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return str(value) if isinstance(value, str) else value
