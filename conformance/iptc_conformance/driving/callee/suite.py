"""The whole suite: which case runs when, and what becomes of the others when the testee dies."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import trio

from iptc_conformance.driving.callee.case_run import run_case
from iptc_conformance.driving.callee.probing import missing_functions
from iptc_conformance.driving.callee.testee import Testee, TesteeError
from iptc_conformance.driving.result import Result

if TYPE_CHECKING:
    from iptc_conformance.cases.model import Case
    from iptc_conformance.driving.session import Settings

AT_ONCE = 8
LANES = 4
HELLO_SECONDS = "IPTC_HELLO_SECONDS"
Report = Callable[[Result], None]
_LOST = frozenset({"crash", "hang", "untestable"})
_CONFIRMED = 3
"""After so many cases in a row that wait in vain alone as well, the others are taken at their word."""
_HOPELESS = 12
"""If so many cases have waited in vain and none has passed, the testee is not asked any more."""


@dataclass(slots=True)
class _Lane:
    """A testee that takes one case after the other."""

    testee: Testee
    gone: str | None = None

    async def refresh(self, *, lost: bool) -> None:
        """Have a testee that no case has harmed. One that is not ours to start again is kept if it lives."""
        if lost or self.testee.another() is not None:
            await self.revive()

    async def revive(self) -> None:
        """Start the testee again; note that it is gone for good if that fails."""
        try:
            await self.testee.revive()
        except TesteeError as error:
            self.gone = f"the testee is gone: {error}"


@dataclass(slots=True)
class Suite:
    """One run: harmless cases side by side, then each alone those that may take the testee down.

    Where the testee is a command, several processes of it take the cases of the second kind, one each.
    """

    testee: Testee
    cases: Sequence[Case]
    settings: Settings
    report: Report
    at_once: int = AT_ONCE
    lanes: int = LANES
    probe: bool = True
    """Whether to ask first which functions are served."""
    results: list[Result] = field(default_factory=list)
    missing: dict[str, str] = field(default_factory=dict)
    deaths: int = 0
    """How often the testee died while cases ran side by side, and survived each of them alone."""
    _died: bool = False

    async def run(self) -> list[Result]:
        """Run every case and report each as it ends. Raises TesteeError if nothing can be judged at all."""
        try:
            await self.testee.start()
            await self._run_all(_Lane(self.testee))
        finally:
            with trio.CancelScope(shield=True):
                await self.testee.stop()
        return self.results

    async def _run_all(self, lane: _Lane) -> None:
        needed = {func for case in self.cases for func in case.needs if self.probe}
        self.missing = await missing_functions(needed, self.testee, self.settings)
        if not await self.testee.alive():
            await lane.revive()
        runnable = [case for case in self.cases if self._supported(case)]
        hasty = [case for case in runnable if case.hello_seconds is not None and not case.hostile]
        harmless = [case for case in runnable if not case.hostile and case not in hasty]
        hostile = [case for case in runnable if case.hostile]
        unharmed = trio.Event()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._hastily, hasty)
            for _ in range(min(self.lanes, len(hostile)) - 1):
                if (more := self.testee.another()) is not None:
                    nursery.start_soon(self._further_lane, more, hostile, unharmed)
            await self._harmless(lane, harmless)
            if hostile and any(result.verdict != "pass" for result in self.results) and lane.gone is None:
                await lane.refresh(lost=False)
            unharmed.set()
            await self._alone(lane, hostile)
        await self._harmless(lane, hasty)
        for case in (*hasty, *harmless, *hostile):
            self._add(Result(case, "untestable", lane.gone or "no testee is left to ask"))

    async def _harmless(self, lane: _Lane, harmless: list[Case]) -> None:
        """Run cases side by side, those that take long first, until none is left or no testee."""
        harmless.sort(key=lambda case: not case.slow)
        while harmless and lane.gone is None:
            again = await self._side_by_side(lane, harmless)
            first = len(self.results)
            await self._once_more(lane, again)
            alone = self.results[first:]
            if self._died and not any(result.verdict == "crash" for result in alone):
                self.deaths += 1

    async def _hastily(self, cases: list[Case]) -> None:
        """Run the cases that wait for a testee to lose patience on one that was asked to lose it early.

        It is a process of its own. Where there can be none, or it shows anything but a pass, the cases are
        left to the others: it may not know the variable, or not take it well.
        """
        environment = {HELLO_SECONDS: f"{min((case.hello_seconds or 0 for case in cases), default=0):g}"}
        testee = self.testee.another(environment) if cases else None
        if testee is None:
            return
        try:
            await testee.start()
            async with trio.open_nursery() as nursery:
                for case in list(cases):
                    nursery.start_soon(self._one_hastily, testee, case, cases)
        except TesteeError:
            return
        finally:
            with trio.CancelScope(shield=True):
                await testee.stop()

    async def _one_hastily(self, testee: Testee, case: Case, cases: list[Case]) -> None:
        result = await run_case(case, testee, self.settings)
        if result.verdict == "pass":
            cases.remove(case)
            self._add(result)

    def _supported(self, case: Case) -> bool:
        lacking = [f"{func} ({self.missing[func]})" for func in case.needs if func in self.missing]
        if lacking:
            self._add(Result(case, "unsupported", f"the testee does not serve {', '.join(lacking)}"))
        return not lacking

    async def _side_by_side(self, lane: _Lane, cases: list[Case]) -> list[Result]:
        """Run cases together, taking them out of `cases`, until all are done or the testee is lost.

        Returned, unreported, are those that were running when it was lost, for only alone they tell which did
        it; and those that waited in vain, for only alone it is certain that they did not wait for each other.
        """
        again: list[Result] = []
        lost = trio.Event()
        self._died = False

        async def worker() -> None:
            while cases and not lost.is_set() and len(again) < _HOPELESS:
                case = cases.pop(0)
                result = await run_case(case, lane.testee, self.settings)
                gone = result.verdict in _LOST or lost.is_set()
                if gone or (result.verdict == "fail" and not await lane.testee.alive()):
                    again.append(result)
                    lost.set()
                elif result.waited or _by_our_delay(result):
                    again.append(result)
                else:
                    self._add(result)

        async with trio.open_nursery() as nursery:
            for _ in range(self.at_once):
                nursery.start_soon(worker)
        if lost.is_set():
            self._died = not await lane.testee.alive()
            await lane.revive()
        return again

    async def _once_more(self, lane: _Lane, together: list[Result]) -> None:
        """Run alone what came to nothing side by side, until the company is plainly not to blame."""
        confirmed = 0
        for at, result in enumerate(together):
            if confirmed == _CONFIRMED or lane.gone is not None:
                for rest in together[at:]:
                    self._add(rest)
                return
            await self._alone(lane, [result.case])
            confirmed = confirmed + 1 if lane.gone is None and self.results[-1].waited else 0

    async def _further_lane(self, testee: Testee, cases: list[Case], unharmed: trio.Event) -> None:
        """Start a testee, and take hostile cases once the harmless ones are done."""
        try:
            await testee.start()
            await unharmed.wait()
            await self._alone(_Lane(testee), cases)
        except TesteeError:
            return  # the first lane goes on, and tells if it can't either
        finally:
            with trio.CancelScope(shield=True):
                await testee.stop()

    async def _alone(self, lane: _Lane, cases: list[Case]) -> None:
        """Run cases one after the other, taking them out of `cases`, as long as the testee can be had."""
        while cases and lane.gone is None:
            if self._hopeless():
                lane.gone = f"{_HOPELESS} cases waited in vain, and none has passed"
                return
            case = cases.pop(0)
            result = await run_case(case, lane.testee, self.settings)
            if result.verdict == "untestable":
                await lane.revive()
                result = await run_case(case, lane.testee, self.settings)
            elif _by_our_delay(result):
                result = await run_case(case, lane.testee, self.settings)
            died = not await lane.testee.alive()
            self._add(_as_crash(result) if died and result.verdict != "untestable" else result)
            harmed = case.lingers or (case.hostile and result.verdict != "pass")
            if died or result.verdict in _LOST or harmed:
                await lane.refresh(lost=died or result.verdict in _LOST)

    def _hopeless(self) -> bool:
        lost = sum(result.waited or result.verdict in _LOST for result in self.results)
        return lost >= _HOPELESS and not any(result.verdict in {"pass", "warn"} for result in self.results)

    def _add(self, result: Result) -> None:
        self.results.append(result)
        self.report(result)


def _by_our_delay(result: Result) -> bool:
    """Whether a failure may be ours: the suite could not always run, and so kept its peer waiting."""
    return result.starved and (result.waited or result.verdict == "fail")


def _as_crash(result: Result) -> Result:
    """The testee did not survive this case, whatever else it showed."""
    detail = f"{result.detail}; the testee died" if result.detail else "the testee died"
    failed = result.failed or result.case.clauses[:1]
    verdict = result.verdict if result.verdict == "harness-fault" else "crash"
    return Result(
        case=result.case,
        verdict=verdict,
        detail=detail,
        failed=tuple(dict.fromkeys((*failed, "ROB-01r"))),
        warned=result.warned,
        findings=result.findings,
        conversation=result.conversation,
        lines=result.lines,
        left_out=result.left_out,
        seconds=result.seconds,
    )
