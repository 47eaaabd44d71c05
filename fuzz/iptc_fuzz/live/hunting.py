"""The hunt: conversations drawn by hypothesis, findings told apart, shrunk, kept and written."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from hypothesis import HealthCheck, Phase, Verbosity, given, seed, settings

from iptc_conformance.driving.process import NothingJudgedError
from iptc_fuzz.live.drawing import actions
from iptc_fuzz.live.game import Game, Putting, PuttingMany
from iptc_fuzz.live.shrinking import CHECKS, Shrinker
from iptc_fuzz.live.sweep import sweep, tiny
from iptc_fuzz.live.trial import Bench, Key, Shown, case_of, document, told, waits
from iptc_fuzz.running import unrepresented

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from hypothesis.database import ExampleDatabase

    from iptc_conformance.cases.model import Case
    from iptc_conformance.driving.callee.testee import Testee
    from iptc_conformance.driving.caller.driver import Driver
    from iptc_conformance.driving.recorder import Recorder
    from iptc_conformance.driving.session import Settings
    from iptc_fuzz.live.drawing import Action

_ROUND = 25
_DATABASE_KEY = "iptc-fuzz-live-{role}"
_BESIDE = 48
_SMALL = 4
_HOPE = 6
"""What was seen so often among others, and never alone, is not looked into any more."""
_PATIENCE = 5
"""What rests on something that did not come in time has to show given so many times as long, too."""
_STEADY = (3, 15)
"""So many times more a smaller conversation has to show the finding, one time after the other. The second:
where the first has let one pass that shows it only at times."""
_SURE = 15
"""So many times the smallest conversation has to show the finding, one time after the other, or it is looked
for once more. Where that one falls short as well, the testee's fault itself comes and goes."""
_TRIES = 3
"""A finding that does not show again in so many tries is told as one that comes and goes."""


CALLEE = Game("callee", Bench, actions, case_of, told, CHECKS, sweep, sound=waits, tiny=tiny)
"""Conversations with a callee."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How long. `executions` 0: any number. `findings`: at most. `shrink_seconds`: for each finding."""

    seconds: float
    executions: int = 0
    findings: int = 1000
    shrink_seconds: float = 20


@dataclass(frozen=True, slots=True)
class Caught:
    """A finding as it is handed on. `flaky`: it did not show again."""

    key: Key
    case: Case
    flaky: bool = False


@dataclass(slots=True)
class Hunt:
    """One run against one testee.

    `database`: where small conversations with findings are kept, for the next run or for other machines.
    `caught`: the MUSTs that were broken. `warned`: the SHOULDs that were not kept, which are no faults.
    `once`: what was seen among others and not again alone. `gone`: why there is
    no testee any more. `on_change` is called after each execution,
    and `enough` says whether the hunt may end before its time.
    Raises NothingJudgedError where no testee can be had.
    """

    testee: Testee | Driver
    settings: Settings
    limits: Limits
    seed: int = 0
    database: ExampleDatabase | None = None
    on_change: Callable[[Hunt], None] = lambda _: None
    enough: Callable[[Hunt], bool] = lambda _: False
    game: Game = CALLEE
    caught: dict[tuple[str, str, str], Caught] = field(default_factory=dict)
    warned: dict[tuple[str, str, str], Caught] = field(default_factory=dict)
    once: dict[tuple[str, str, str], int] = field(default_factory=dict)
    gone: str | None = None
    executions: int = 0
    faults: list[str] = field(default_factory=list)
    clauses: set[str] = field(default_factory=set)
    seconds: float = 0
    _began: float = 0

    def run(self) -> list[Caught]:
        """Hunt until the limits are reached, and return what was caught."""
        self._began = time.monotonic()
        bench = self.game.bench(self.testee, self.settings, self._note)
        try:
            bench.start()
            self._all(bench, [json.loads(stored) for stored in self._stored()])
            self._all(bench, list(self.game.first()))
            number = 0
            while not self._over():
                self._all(bench, self._drawn(number))
                number += 1
        except NothingJudgedError as error:
            if not self.executions:
                raise
            self.gone = str(error)
        finally:
            bench.stop()
        return list(self.caught.values())

    @property
    def _key(self) -> bytes:
        return _DATABASE_KEY.format(role=self.game.role).encode()

    def _over(self) -> bool:
        self.seconds = time.monotonic() - self._began
        limits = self.limits
        return (
            self.seconds > limits.seconds
            or self.gone is not None
            or bool(self.faults)
            or self.enough(self)
            or self._certain() >= limits.findings
            or bool(limits.executions and self.executions >= limits.executions)
        )

    def _stored(self) -> list[bytes]:
        return list(self.database.fetch(self._key)) if self.database else []

    def _late(self) -> bool:
        self.seconds = time.monotonic() - self._began
        return self.seconds > self.limits.seconds or bool(self.faults)

    def _certain(self) -> int:
        return sum(not caught.flaky for caught in self.caught.values())

    def _drawn(self, number: int) -> list[list[Action]]:
        """A round of conversations, cast by the dice of this number."""
        drawn: list[list[Action]] = []

        def keep(one: list[Action]) -> None:
            drawn.append(one)

        run: Any = seed(self.seed + number)(
            settings(
                max_examples=_ROUND,
                database=None,
                deadline=None,
                verbosity=Verbosity.quiet,
                phases=[Phase.generate],
                suppress_health_check=list(HealthCheck),
            )(given(self.game.draw())(keep))
        )
        with unrepresented():
            run()
        return drawn

    def _note(self, recorder: Recorder) -> None:
        self.clauses |= recorder.reached()

    def _put(self, bench: Putting, case: Case, patience: float = 1) -> Shown:
        return self._seen(bench.put(case, patience))

    def _seen(self, shown: Shown) -> Shown:
        self.executions += 1
        self.clauses |= {
            str(step[key]) for step in shown.case.steps for key in ("clause", "be_clause") if key in step
        }
        if shown.fault is not None:
            self.faults.append(f"{json.dumps(document(shown.case))}\n{shown.fault}")
        self.on_change(self)
        return shown

    def _all(self, bench: Putting, waiting: Sequence[list[Action]]) -> None:
        """Put conversations to the testee, side by side if they can be, and go after what is new."""
        at = 0
        while at < len(waiting) and not self._over():
            some = waiting[at : at + self._most()]
            shown = self._some(bench, [self.game.case_of(drawn) for drawn in some])
            at += len(shown)
            pairs = zip(some, shown, strict=False)
            wrong = [(drawn, one) for drawn, one in pairs if one.keys or one.warned]
            alone = not isinstance(bench, PuttingMany)
            before = len(self.caught)
            for drawn, one in wrong:
                self._look_into(bench, drawn, one, alone=alone)
            if not any(self._news(one) for _, one in wrong):
                continue
            bench.fresh()
            if not alone and len(self.caught) == before:
                self._search(bench, some[: len(shown)])

    def _news(self, shown: Shown) -> bool:
        return any(key not in self.caught and self._hopeful(key) for key in shown.keys)

    def _search(self, bench: Putting, some: Sequence[list[Action]]) -> None:
        """One of these has harmed others: put each alone, and see."""
        for drawn in some:
            if self._over():
                return
            shown = self._put(bench, self.game.case_of(drawn))
            if self._news(shown):
                self._look_into(bench, drawn, shown, alone=True)
                return

    def _most(self) -> int:
        left = self.limits.executions - self.executions if self.limits.executions else _BESIDE
        return max(1, min(left, _BESIDE))

    def _some(self, bench: Putting, cases: list[Case]) -> list[Shown]:
        if isinstance(bench, PuttingMany):
            return [self._seen(shown) for shown in bench.put_all(cases)]
        return [self._put(bench, cases[0])]  # one at a time

    def _look_into(self, bench: Putting, drawn: Sequence[Action], shown: Shown, *, alone: bool) -> None:
        """Go after what is new in a conversation; what was seen among others has to show alone."""
        known = {*self.caught, *self.warned}
        new = [key for key in (*shown.keys, *shown.warned) if key not in known and self._hopeful(key)]
        if not new or self._late() or self._certain() >= self.limits.findings:
            return
        try:
            self._look_closer(bench, drawn, shown, new, alone=alone)
        except NothingJudgedError as error:
            self.gone = str(error)
            left = [key for key in new if key in shown.keys and key not in self.caught]
            self.caught |= {key: Caught(key, self.game.told(shown, key), flaky=True) for key in left}

    def _look_closer(
        self, bench: Putting, drawn: Sequence[Action], shown: Shown, new: list[Key], *, alone: bool
    ) -> None:
        if not alone:
            again = self._put(bench, shown.case)
            for key in {*new} - {*again.keys, *again.warned}:
                self.once[key] = self.once.get(key, 0) + 1
            shown = again
        for key in (*shown.keys, *shown.warned):
            into = self.warned if key in shown.warned else self.caught
            if key not in into and self._certain() < self.limits.findings:
                caught = self._pursue(bench, drawn, key, shown)
                if caught is not None:
                    into[key] = caught
                    self.on_change(self)

    def _hopeful(self, key: Key) -> bool:
        return self.once.get(key, 0) < _HOPE

    def _pursue(self, bench: Putting, drawn: Sequence[Action], key: Key, first: Shown) -> Caught | None:
        """See whether a finding shows again, and make it small. A SHOULD that does not is forgotten."""
        last = first

        def shows(case: Case, patience: float = 1) -> bool:
            nonlocal last
            now = self._put(bench, case, patience)
            if key in (*now.keys, *now.warned):
                last = now
                return True
            return False

        def steadily(times: int, case: Case) -> bool:
            # what shows by a race alone is no smaller finding; what was waited for is no race, and takes long
            nonlocal last
            before = last
            if shows(case) and (last.result.waited or all(shows(case) for _ in range(times))):
                return True
            last = before
            return False

        if not self._in_time(bench, first, shows):
            self.once[key] = self.once.get(key, 0) + 1
            return None
        if not self._again(bench, first.case, shows):
            return None if key in first.warned else Caught(key, self.game.told(first, key), flaky=True)
        seconds = self.limits.shrink_seconds / (4 if key in first.warned else 1)
        small, case = self._small(drawn, first.case, steadily, seconds, key.verdict)
        if case == first.case:
            last = first
        certain = case == first.case or self._again(bench, case, shows)
        if certain and not self._in_time(bench, last, shows):
            return Caught(key, self.game.told(first, key))  # the small one only takes its time
        if self.database is not None:
            self.database.save(self._key, json.dumps(small).encode())
        return Caught(key, self.game.told(last, key), flaky=not certain)

    def _small(
        self,
        drawn: Sequence[Action],
        first: Case,
        steadily: Callable[[int, Case], bool],
        seconds: float,
        verdict: str,
    ) -> tuple[Sequence[Action], Case]:
        """The smallest conversation that shows the finding, each time if there is one: actions and case."""
        until = time.monotonic() + seconds
        for times in _STEADY:
            shows = partial(steadily, times)
            left = until - time.monotonic()
            begin = (self._tiny(first, shows) if left > 0 else None) or drawn
            small, case = Shrinker(shows, left, self.game, verdict).shrink(begin)
            if case == first or steadily(_SURE, case):
                break
        return small, case

    def _tiny(self, case: Case, shows: Callable[[Case], bool]) -> Sequence[Action] | None:
        """The first of the smallest conversations that shows the finding too."""
        if len(case.steps) <= _SMALL:
            return None
        return next((one for one in self.game.tiny() if shows(self.game.case_of(one))), None)

    def _in_time(self, bench: Putting, found: Shown, shows: Callable[[Case, float], bool]) -> bool:
        """Whether the testee is at fault, and not merely slow, or on a machine that is busy."""
        if not found.result.waited:
            return True
        bench.fresh()
        return shows(found.case, _PATIENCE)

    def _again(self, bench: Putting, case: Case, shows: Callable[[Case], bool]) -> bool:
        for _ in range(_TRIES):
            bench.fresh()
            if shows(case):
                return True
        return False


def write(caught: Caught, folder: Path) -> Path:
    """Write a finding as a case file."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{caught.case.id}.json"
    path.write_text(json.dumps(document(caught.case), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return path
