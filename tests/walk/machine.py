"""The walk itself: a few kinds of step, mostly those, and everything compared after each.

Even mixes of all verbs find little; most faults need a few verbs to meet again and again on the same memories. So a
walk draws two to five verbs of one or two types, and which options are in play.
"""

from __future__ import annotations

import os
import random
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from hypothesis import note
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from agent_memory.records import to_dict
from agent_memory.settings import Settings

from . import laws
from .model import Model, Step, holds, ids_in, live
from .pools import POOLS, START, WORDS
from .processes import Worker, WorkerDiedError
from .script import Script, named
from .values import IN_FOLDER, File, Hand, Printed, Ref, Vector, few, optional
from .verbs import Verb, all_verbs
from .worker import Look, Place, Raised

VERBS = all_verbs()
DISTINCT = tuple(dict.fromkeys(WORDS.values()))
WINDOW = 4
"""Messages that a conversation shows: few, so that walks get beyond it."""
MEETING = ("key", "purge", "shred")
"""Options that make one step take the place of another's memory: in play more often than others."""
IN_MEMORY = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
"""Where walks keep their files, where there is such a place: a walk needs no disk that is written to the platter."""


@dataclass
class Ground:
    """Where walks take place: a backend, and the processes that work on it."""

    name: str
    workers: Sequence[Worker]
    settings: Callable[[Path, int], Settings]
    """Makes the settings of one walk from its folder and its number."""
    persistent: bool = True
    failed: bool = False
    """Whether a step has failed since this was last set: what is then made shorter needs no look at the end."""
    walks: int = 0
    steps: int = 0
    tally: Counter[str] = field(default_factory=Counter)
    """How often each verb was called, and what was refused."""

    def close(self) -> None:
        """End the processes."""
        for worker in self.workers:
            worker.kill()


@dataclass(frozen=True)
class Mix:
    """What one walk mostly does, and how."""

    verbs: Sequence[Verb]
    spoken: Sequence[str]
    """Optional arguments in play."""
    pools: Mapping[str, Sequence[Any]]
    """What arguments may be."""
    style: str
    """`kept`: one handle; `fresh`: a new one for most steps; `two`: two processes with a handle each."""
    pending: bool
    """Whether embedding is left to searches and `index`."""
    kills: bool


def mix_of(number: int, *, persistent: bool) -> Mix:
    """Choose a mix of verbs of the whole memory and of one or two types, the same for the same number.

    Not left to hypothesis, which likes to repeat itself: a mix is worth most where it is unlike all before it.
    """
    chance = random.Random(number)
    # By name first: what every type has shall not crowd out what only one has.
    name = chance.choice(sorted({verb.name for verb in VERBS if verb.may_add}))
    verbs = [chance.choice([verb for verb in VERBS if verb.may_add and verb.name == name])]
    faces = {"", verbs[0].face or chance.choice(_FACES)}
    if chance.random() < 0.25:
        faces.add(chance.choice(_FACES))
    near = [verb for verb in VERBS if verb.face in faces]
    if chance.random() < 0.85:
        verbs.append(chance.choice([verb for verb in near if verb.finds]))
    verbs += chance.choices(near, [1 if verb.lists else 4 for verb in near], k=chance.randint(0, 2))
    # What a verb itself names counts for more than what it passes on.
    options = [
        name for verb in verbs for name in (*optional(verb), *2 * list(verb.parameters)) if name in POOLS
    ]
    spoken = chance.choices(options, k=chance.randint(0, 4)) if options else []
    spoken += [name for name in MEETING if name in options and chance.random() < 0.5]
    return Mix(
        verbs=list(dict.fromkeys(verbs)),
        spoken=list(dict.fromkeys(spoken)),
        pools=few(chance),
        style=chance.choice(["kept", "fresh", "fresh", "two"]) if persistent else "kept",
        pending=chance.random() < 0.5,
        kills=persistent and chance.random() < 0.1,
    )


_FACES = sorted({verb.face for verb in VERBS} - {""})


class Walk(RuleBasedStateMachine):
    """One walk; a subclass says on which ground, and what it mostly does."""

    ground: Ground
    mix: Mix

    def __init__(self) -> None:
        super().__init__()
        self.ground.walks += 1
        self._number = self.ground.walks
        self._folder = Path(tempfile.mkdtemp(prefix="walk-", dir=IN_MEMORY))
        self._model = Model()
        self._moment = START
        self._count = 0
        self._salt = 0
        self._actor = 0
        settings = self.ground.settings(self._folder, self._number)
        settings = replace(settings, embed_on_write=not self.mix.pending)
        self._place = Place(f"walk-{self._number}", settings)
        self._script = Script(self._place.agent, settings, str(self._folder))

    @rule(data=st.data())
    def step(self, data: st.DataObject) -> None:
        """Make one step and compare."""
        if not self._salt:
            self._salt = data.draw(st.integers(0, 2**16))
        if not self._salt:
            return  # hypothesis begins with what is simplest, the same step again and again: no walk is worth less
        try:
            self._step(data.draw)
        except (laws.BrokenLawError, WorkerDiedError) as error:
            self.ground.failed = True
            note(f"\n{self._script}\n# {error}\n")
            raise

    def teardown(self) -> None:
        """Compare thoroughly at the end, and take everything away."""
        try:
            if not self.ground.failed and self._count:
                self._dig()
        except (laws.BrokenLawError, WorkerDiedError) as error:
            note(f"\n{self._script}\n# {error}\n")
            raise
        finally:
            for worker in self.ground.workers:
                with suppress(WorkerDiedError):
                    worker.ask("close")
            shutil.rmtree(self._folder, ignore_errors=True)

    # --- one step --------------------------------------------------------------------------------------------

    def _step(self, draw: Callable[[st.SearchStrategy[Any]], Any]) -> None:
        verb = draw(st.sampled_from(self.mix.verbs))
        if draw(st.integers(0, 9)) == 9:
            verb = draw(st.sampled_from(VERBS))
        self._before(draw)
        self._moment += timedelta(seconds=1, microseconds=137)
        if draw(st.integers(0, 19)) == 19:
            self._moment += draw(
                st.sampled_from([timedelta(minutes=2), timedelta(days=1), timedelta(days=400)])
            )
        given = Hand(draw, self.mix.pools, self.mix.spoken, len(self._model.seen)).arguments(verb)
        arguments = {name: self._resolved(name, value) for name, value in given.items()}
        handle = f"memory{self._actor or ''}"
        worker = self.ground.workers[self._actor]
        self._count += 1
        self.ground.steps += 1
        self.ground.tally[str(verb)] += 1
        self._script.opened(handle)
        self._script.step(self._count, handle, verb, arguments, self._moment)
        plain = {name: _plain(value) for name, value in arguments.items()}
        answer = worker.ask(
            "call",
            self._moment,
            name=handle,
            place=self._place,
            face=verb.face,
            verb=verb.name,
            arguments=plain,
        )
        if isinstance(answer, Raised):
            self._script.refused(f"{answer.kind}: {answer.message}")
            self.ground.tally[f"{verb} refused: {answer.kind}: {answer.message[:100]}"] += 1
        look = self._look()
        laws.check(self._model, Step(verb, plain, self._moment), answer, look)
        first = ids_in(answer)
        self._model.take(look, first)
        self._script.learnt(self._count, answer, handle, [each.id for each in look.listed])
        if self.mix.kills and draw(st.integers(0, 9)) == 9:
            worker.kill()
            self._script.killed(str(worker))

    def _before(self, draw: Callable[[st.SearchStrategy[Any]], Any]) -> None:
        """Choose who makes the step, and whether the store is opened anew for it."""
        if self.mix.style == "kept":
            return
        before = self._actor
        if len(self.ground.workers) > 1:
            self._actor = int(draw(st.integers(0, 3)) == 3)
        if self.mix.style == "fresh" and draw(st.integers(0, 9)) != 9:
            for number, worker in enumerate(self.ground.workers):
                worker.ask("close")
                self._script.closed(f"memory{number or ''}")
        if before != self._actor:
            self._script.process(str(self.ground.workers[self._actor]))

    def _resolved(self, name: str, value: Any) -> Any:
        if isinstance(value, list) and not isinstance(value, Vector):
            return [self._resolved(name, each) for each in value]
        if isinstance(value, Ref):
            return self._named(value)
        if isinstance(value, Printed):
            record = self._model.there.get(self._named(value.ref))
            return to_dict(record) if record is not None else {"content": "wren"}
        if isinstance(value, File):
            path = self._folder / value.name
            path.parent.mkdir(exist_ok=True)
            path.write_text(value.text)
            self._script.written(str(path), value.text)
            return str(path)
        if name in IN_FOLDER and isinstance(value, str) and value != "memory":
            scheme, separator, rest = value.rpartition("://")
            return f"{scheme}{separator}{self._folder / rest}"
        return value

    def _named(self, ref: Ref) -> str:
        if ref.place < 0:
            return "zzzzzzzzzzzzzzzzzzzz"
        memory_id = self._model.seen[ref.place]
        record = self._model.there.get(memory_id)
        if ref.form == "prefix":
            return named(ref, memory_id, memory_id[:8])
        if ref.form == "key" and record is not None and record.key:
            return named(ref, memory_id, record.key)
        return named(Ref(ref.place, "id"), memory_id, memory_id)

    # --- looking ---------------------------------------------------------------------------------------------

    def _look(self) -> Look:
        worker = self.ground.workers[self._actor]
        handle = f"memory{self._actor or ''}"
        look = worker.ask(
            "look",
            self._moment,
            name=handle,
            place=self._place,
            seen=list(self._model.operations),
            words=self._words(),
            thorough=self._count % 4 == 0,
        )
        if isinstance(look, Raised):
            raise laws.BrokenLawError(
                f"looking at everything raised {look.kind}: {look.message}\n{look.trace}"
            )
        assert isinstance(look, Look)
        return look

    def _words(self) -> list[str]:
        """Choose whose words to ask for: those of the newest memories, and now and then one in turn."""
        newest = [self._model.there[each] for each in self._model.seen[-2:] if each in self._model.there]
        words = [word for word in DISTINCT for each in newest if holds(each, word)]
        if self._count % 4 == 0:
            words.append(DISTINCT[self._count // 4 % len(DISTINCT)])
        return list(dict.fromkeys(words))

    def _dig(self) -> None:
        active = live(self._model.there, self._moment)
        texts = list(dict.fromkeys(each.content for each in active.values()))[:12]
        queries = [("hybrid", word) for word in DISTINCT] + [("vector", text) for text in texts]
        worker = self.ground.workers[self._actor]
        empty = Place(self._place.agent, Settings(backend="memory", embedding_provider="dummy"))
        handle = "watch" if self.ground.persistent else "memory"
        said = worker.ask("dig", self._moment, name=handle, place=self._place, empty=empty, queries=queries)
        if isinstance(said, Raised):
            raise laws.BrokenLawError(f"in the end {said.kind}: {said.message}\n{said.trace}")
        laws.check_all(self._model, said, self._moment)


def _plain(value: Any) -> Any:
    """Return a value as it is sent: names of memories are mere texts then."""
    if isinstance(value, list):
        return [_plain(each) for each in value]
    return str(value) if isinstance(value, str) else value
