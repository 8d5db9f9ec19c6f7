"""Drawing the steps of a walk, so that the same seed gives the same walk."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from .course import Course, Ground, Plan
from .laws import BrokenLawError
from .mixing import VERBS, Mix
from .processes import WorkerDiedError
from .values import Draw, Hand
from .verbs import Verb

_LATER = (timedelta(minutes=2), timedelta(days=1), timedelta(days=400))


class Walk(RuleBasedStateMachine):
    """One walk; a subclass says on which ground, and what it mostly does."""

    ground: Ground
    mix: Mix
    failed: list[Course]
    """Takes the walks in which something did not agree."""

    def __init__(self) -> None:
        super().__init__()
        self._course = Course(self.ground, self.mix)
        self._last: Verb | None = None
        self._sound = True

    @initialize(salt=st.integers(0, 2**16))
    def begin(self, salt: int) -> None:
        """Take no step at all in the simplest walk, with which hypothesis begins: one verb over and over."""
        self._salt = salt

    @rule(data=st.data())
    def step(self, data: st.DataObject) -> None:
        """Take one step."""
        if not self._salt:
            return
        try:
            self._course.take(self._plan(data.draw))
        except (BrokenLawError, WorkerDiedError):
            self._sound = False
            self.failed.append(self._course)
            raise

    def teardown(self) -> None:
        """Compare thoroughly at the end, and take everything away."""
        with self._course:
            try:
                if self._sound:
                    self._course.end()
            except (BrokenLawError, WorkerDiedError):
                self.failed.append(self._course)
                raise

    def _plan(self, draw: Draw) -> Plan:
        verb: Verb = draw(st.sampled_from(self.mix.verbs))
        if self._last is not None and draw(st.integers(0, 2)) == 2:
            verb = self._last  # people repeat themselves
        self._last = verb
        if draw(st.integers(0, 19)) == 19:
            verb = draw(st.sampled_from(VERBS))
        several = self.mix.style != "kept" and len(self.ground.workers) > 1
        later = draw(st.integers(0, 19)) == 19
        dies = self.mix.kills and draw(st.integers(0, 9)) == 9
        return Plan(
            verb,
            Hand(draw, self.mix.pools, self.mix.spoken).arguments(verb),
            actor=int(several and draw(st.integers(0, 3)) == 3),
            reopens=self.mix.style == "fresh" and draw(st.integers(0, 9)) != 9,
            later=draw(st.sampled_from(_LATER)) if later else timedelta(0),
            dies_after=draw(st.integers(1, 20_000)) if dies else None,
            killed=self.mix.kills and draw(st.integers(0, 9)) == 9,
        )
