"""One conversation put to a live testee: the case that it is, and what was found."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any, NamedTuple

import trio
from trio.testing import MockClock

from iptc_conformance import _specdata
from iptc_conformance.cases.model import Case
from iptc_conformance.driving.callee.case_run import run_case
from iptc_conformance.driving.callee.embedded import Embedded
from iptc_conformance.driving.callee.expecting import WAITING
from iptc_conformance.driving.callee.suite import HELLO_SECONDS
from iptc_fuzz.live.table import script_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from iptc_conformance.cases.model import Step
    from iptc_conformance.driving.callee.testee import Testee
    from iptc_conformance.driving.recorder import Recorder
    from iptc_conformance.driving.result import Result
    from iptc_conformance.driving.session import Settings
    from iptc_fuzz.live.drawing import Action

_OWN = "ROB-01r"
_LIKELY = (_OWN, "OPN-02s", "OPN-10s", "STR-06s", "TRM-01s")
"""What a step that names no clause may be about: the first unless the engine knows better."""
_CLOSED = "ROB-04r"
_BAD = frozenset({"fail", "crash", "hang"})
_STUCK = frozenset({"crash", "hang", "untestable"})
_HELLO_SECONDS = "2"
"""For so long a testee is asked to wait for a hello: each that stays away costs that time."""
_LANES = 6
_NOT_ASKING = {"order", "close"}
"""Steps that neither wait nor ask for anything."""
_ENOUGH = 3
"""So many conversations in which something is wrong are looked into before others are begun."""


class Key(NamedTuple):
    """By which findings are told apart."""

    clause: str
    side: str
    verdict: str

    def __str__(self) -> str:
        return f"{self.verdict} {self.clause} by the {self.side}"


@dataclass(frozen=True, slots=True)
class Shown:
    """What one conversation has shown: MUSTs broken, what the case came to, and SHOULDs not kept."""

    case: Case
    result: Result
    keys: tuple[Key, ...]
    warned: tuple[Key, ...] = ()

    @property
    def fault(self) -> str | None:
        """What was wrong with the fuzzer itself."""
        return self.result.detail if self.result.verdict == "harness-fault" else None


def every_duty() -> tuple[str, ...]:
    """All that a sender may break: what a conversation that breaks rules is allowed until it was judged."""
    return tuple(clause for clause in _specdata.clauses() if clause.endswith("s"))


def case_of(actions: Sequence[Action]) -> Case:
    """The case that a list of actions makes."""
    script = script_of(actions)
    steps = tuple(_plain(step, script.heavy) for step in script.steps)
    text = json.dumps([script.first, steps], sort_keys=True)
    return Case(
        id=f"fuzz-{hashlib.sha256(text.encode()).hexdigest()[:12]}",
        area="ROB",
        title="A conversation that a fuzzer has found",
        clauses=_LIKELY,
        level="MUST",
        role="callee",
        needs=tuple(sorted(script.functions)),
        steps=steps,
        connections=tuple(script.first),
        hint="found by `iptc fuzz callee`, and shrunk",
        hostile=script.broken,
        violates=every_duty() if script.broken else (),
        hello_seconds=script.hello_seconds,
    )


def _plain(step: dict[str, Any], heavy: bool) -> dict[str, Any]:  # noqa: FBT001
    """A step without what goes without saying."""
    left_out = {"within"} if not heavy else set()
    if step.get("on") == "a" and "together" not in step:
        left_out.add("on")
    plain = {key: value for key, value in step.items() if key not in left_out}
    for inside in ("together", "steps"):
        if inside in plain:
            plain[inside] = [_plain(part, heavy) for part in plain[inside]]
    return plain


def waits(case: Case, verdict: str) -> bool:
    """Whether a case still waits for something behind the last that it sends, if a verdict needs that.

    Otherwise an answer and this end's leaving race, and the same side may win each time for as long as the
    machine is as busy as it is. A wait on another connection counts too: it takes longer than most answers.
    Behind every case the testee is asked whether it lives, and behind one that breaks rules for an exchange.
    """
    return verdict == "crash" or case.negative or _waits(case.steps)


def _waits(steps: Sequence[Step]) -> bool:
    last = next((step for step in reversed(steps) if not _NOT_ASKING & step.keys()), {})
    if "repeat" in last:
        return _waits(last["steps"])
    if "connect" in last:
        return bool(last.get("await", "hello" not in last))
    return any(verb in WAITING for verb in last)


def patiently(case: Case, patience: float) -> Case:
    """The case with each wait of its own so many times as long."""
    return case if patience == 1 else replace(case, steps=tuple(_longer(case.steps, patience)))


def _longer(steps: Sequence[Step], patience: float) -> list[Step]:
    longer: list[Step] = []
    for step in steps:
        waits: Step = {"within": patience * step["within"]} if "within" in step else {}
        inside: Step = {key: _longer(step[key], patience) for key in ("together", "steps") if key in step}
        longer.append({**step, **waits, **inside})
    return longer


class _Unfenced(Case):
    """A case as it is put among others: whether the testee has survived it, the others show."""

    @property
    def negative(self) -> bool:
        """It is not fenced, which would cost more than the case itself."""
        return False


def _unfenced(case: Case) -> Case:
    return _Unfenced(**{one.name: getattr(case, one.name) for one in fields(case)} | {"hostile": False})


class Bench:
    """A testee, and conversations put to it one after the other."""

    def __init__(self, testee: Testee, settings: Settings, reached: Callable[[Recorder], None]) -> None:
        self._testee = testee.another({HELLO_SECONDS: _HELLO_SECONDS}) or testee
        self._settings = settings
        self._reached = reached
        self._embedded = isinstance(testee, Embedded)
        self._down = False

    def start(self) -> None:
        """Have it run.  Raises TesteeError."""
        if not self._embedded:
            trio.run(self._testee.start)

    def stop(self) -> None:
        """Let go of it."""
        if not self._embedded:
            trio.run(self._testee.stop)

    def fresh(self) -> None:
        """Have one that no conversation has harmed, where that is ours to have.  Raises TesteeError."""
        if not self._embedded and self._testee.another() is not None:
            self._down = True
            self._up()

    def _up(self) -> None:
        """Have one that was down again: late, so that what was seen of its end is told in any case."""
        if self._down:
            trio.run(self._testee.revive)
            self._down = False

    def put(self, case: Case, patience: float = 1) -> Shown:
        """Put one case to it.  Raises TesteeError if the testee is down, and cannot be had again."""
        self._up()
        if self._embedded:
            clock = MockClock(autojump_threshold=0)
            result, lives = trio.run(self._in_memory, case, clock=clock)
        else:
            result, lives = trio.run(self._alone, case, patience)
            self._down = not lives or result.verdict in _STUCK
        return shown(case, result, lives=lives)

    def put_all(self, cases: Sequence[Case]) -> list[Shown]:
        """Put cases side by side until something is wrong: what those have shown that were begun.

        Whoever gets a finding from here has to see it again with `put`. Raises TesteeError.
        """
        self._up()
        if self._embedded:
            results, lives = trio.run(self._all_in_memory, cases, clock=MockClock(autojump_threshold=0))
        else:
            results, lives = trio.run(self._beside, cases)
            self._down = not lives or any(result.verdict in _STUCK for result in results)
        return [shown(case, result, lives=lives) for case, result in zip(cases, results, strict=False)]

    async def _beside(self, cases: Sequence[Case]) -> tuple[list[Result], bool]:
        """Results of the first cases, in their order, as many as were begun; and whether it lives."""
        results: dict[int, Result] = {}
        waiting = iter(enumerate(cases))

        async def lane() -> None:
            for at, case in waiting:
                results[at] = await run_case(_unfenced(case), self._testee, self._settings, self._reached)
                bad = [result for result in results.values() if result.verdict in _BAD | _STUCK]
                if len(bad) >= _ENOUGH or any(result.verdict in _STUCK for result in bad):
                    return

        async with trio.open_nursery() as nursery:
            for _ in range(_LANES):
                nursery.start_soon(lane)
        return [results[at] for at in sorted(results)], await self._testee.alive()

    async def _all_in_memory(self, cases: Sequence[Case]) -> tuple[list[Result], bool]:
        await self._testee.start()
        try:
            return await self._beside(cases)
        finally:
            await self._testee.stop()

    async def _alone(self, case: Case, patience: float = 1) -> tuple[Result, bool]:
        settings = replace(self._settings, timeout=self._settings.timeout * patience)
        result = await run_case(patiently(case, patience), self._testee, settings, self._reached)
        return result, await self._testee.alive()

    async def _in_memory(self, case: Case) -> tuple[Result, bool]:
        await self._testee.start()
        try:
            return await self._alone(case)
        finally:
            await self._testee.stop()


def shown(case: Case, result: Result, *, lives: bool) -> Shown:
    """What a result says."""
    verdict = result.verdict if lives or result.verdict == "harness-fault" else "crash"
    by_judge = [finding for finding in result.findings if finding.side == "acceptor"]
    shoulds = [*result.warned, *(finding.clause for finding in by_judge if finding.level == "SHOULD")]
    warned = tuple(Key(clause, "callee", "warn") for clause in dict.fromkeys(shoulds))
    if verdict not in _BAD:
        return Shown(case, result, (), warned)
    clauses = list(result.failed) or [_OWN]
    if verdict == "fail" and _CLOSED in result.warned:
        seen = {finding.clause for finding in by_judge}
        clauses = [clause for clause in clauses if clause in seen]
    return Shown(case, result, tuple(Key(clause, "callee", verdict) for clause in clauses), warned)


def told(found: Shown, key: Key) -> Case:
    """The case of a finding as it is written: about its clause, and saying what it breaks itself."""
    broken = {finding.clause for finding in found.result.findings if finding.side == "initiator"}
    clauses = (key.clause, *(clause for clause in _LIKELY if clause != key.clause))
    detail = (found.result.detail or "it died").splitlines()[0][:200]
    return replace(
        found.case,
        area=key.clause[:3],
        id=f"fuzz-{key.clause.lower()}-{found.case.id.split('-')[-1]}",
        title=f"{key}: {detail}",
        clauses=clauses,
        level="SHOULD" if key.verdict == "warn" else "MUST",
        violates=tuple(sorted(broken)) if found.case.violates else (),
    )


def document(case: Case) -> dict[str, Any]:
    """A case as a file of its own."""
    entry: dict[str, Any] = {
        "id": case.id,
        "title": case.title,
        "clauses": list(case.clauses),
        "level": case.level,
        "role": case.role,
        "needs": list(case.needs),
        "hint": case.hint,
        "steps": list(case.steps),
    }
    if case.hello_seconds is not None:
        entry["hello_seconds"] = case.hello_seconds
    if case.hello is not None:
        entry["hello"] = case.hello
    if case.connections != ("a",):
        entry["connections"] = list(case.connections)
    if case.hostile:
        entry["hostile"] = True
    if case.violates:
        entry["violates"] = list(case.violates)
    return {"version": 1, "area": case.area, "cases": [entry]}
