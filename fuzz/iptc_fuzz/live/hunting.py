"""The hunt: conversations drawn by hypothesis, findings told apart, shrunk, kept and written."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from hypothesis import HealthCheck, Phase, Verbosity, given, seed, settings

from iptc_fuzz.live.drawing import actions
from iptc_fuzz.live.game import Game, Putting
from iptc_fuzz.live.shrinking import CHECKS, Shrinker
from iptc_fuzz.live.trial import Bench, Key, Shown, case_of, document, told

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
_TRIES = 3
"""A finding that does not show again in so many tries is told as one that comes and goes."""


CALLEE = Game("callee", Bench, actions, case_of, told, CHECKS)
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
    `on_change` is called after each execution. Raises NothingJudgedError where no testee can be had.
    """

    testee: Testee | Driver
    settings: Settings
    limits: Limits
    seed: int = 0
    database: ExampleDatabase | None = None
    on_change: Callable[[Hunt], None] = lambda _: None
    game: Game = CALLEE
    caught: dict[tuple[str, str, str], Caught] = field(default_factory=dict)
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
            for stored in list(self.database.fetch(self._key)) if self.database else ():
                self._once(bench, json.loads(stored))
            for first in self.game.first():
                if not self._over():
                    self._once(bench, first)
            number = 0
            while not self._over():
                self._round(bench, number)
                number += 1
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
            or bool(self.faults)
            or len(self.caught) >= limits.findings
            or bool(limits.executions and self.executions >= limits.executions)
        )

    def _round(self, bench: Putting, number: int) -> None:
        def once(drawn: list[Action]) -> None:
            if not self._over():
                self._once(bench, drawn)

        run: Any = seed(self.seed + number)(
            settings(
                max_examples=_ROUND,
                database=None,
                deadline=None,
                verbosity=Verbosity.quiet,
                phases=[Phase.generate],
                suppress_health_check=list(HealthCheck),
            )(given(self.game.draw())(once))
        )
        run()

    def _note(self, recorder: Recorder) -> None:
        self.clauses |= recorder.reached()

    def _put(self, bench: Putting, case: Case) -> Shown:
        self.executions += 1
        self.clauses |= {
            str(step[key]) for step in case.steps for key in ("clause", "be_clause") if key in step
        }
        shown = bench.put(case)
        if shown.fault is not None:
            self.faults.append(f"{json.dumps(document(case))}\n{shown.fault}")
        self.on_change(self)
        return shown

    def _once(self, bench: Putting, drawn: Sequence[Action]) -> None:
        """Put one conversation to the testee, and go after what is new in it."""
        shown = self._put(bench, self.game.case_of(drawn))
        for key in shown.keys:
            if key not in self.caught and len(self.caught) < self.limits.findings:
                self.caught[key] = self._pursue(bench, drawn, key, shown)
        if shown.keys:
            bench.fresh()

    def _pursue(self, bench: Putting, drawn: Sequence[Action], key: Key, first: Shown) -> Caught:
        """See whether a finding shows again, and make it small."""
        last = first

        def shows(case: Case) -> bool:
            nonlocal last
            now = self._put(bench, case)
            if key in now.keys:
                last = now
            return key in now.keys

        if not self._again(bench, first.case, shows):
            return Caught(key, self.game.told(first, key), flaky=True)
        small, case = Shrinker(shows, self.limits.shrink_seconds, self.game).shrink(drawn)
        certain = self._again(bench, case, shows)
        if self.database is not None:
            self.database.save(self._key, json.dumps(small).encode())
        return Caught(key, self.game.told(last, key), flaky=not certain)

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
