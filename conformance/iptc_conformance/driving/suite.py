"""The whole suite: which case runs when, and what becomes of the others when the testee dies."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import trio

from iptc_conformance.driving.case_run import run_case
from iptc_conformance.driving.probing import missing_functions
from iptc_conformance.driving.result import Result
from iptc_conformance.driving.testee import Testee, TesteeError

if TYPE_CHECKING:
    from iptc_conformance.cases.model import Case
    from iptc_conformance.driving.session import Settings

AT_ONCE = 8
Report = Callable[[Result], None]
_LOST = frozenset({"crash", "hang", "untestable"})


@dataclass(slots=True)
class Suite:
    """One run: harmless cases side by side, then each alone those that may take the testee down."""

    testee: Testee
    cases: Sequence[Case]
    settings: Settings
    report: Report
    at_once: int = AT_ONCE
    results: list[Result] = field(default_factory=list)
    missing: dict[str, str] = field(default_factory=dict)
    _gone: str | None = None

    async def run(self) -> list[Result]:
        """Run every case and report each as it ends.  Raises TesteeError if nothing can be judged at all."""
        await self.testee.start()
        try:
            await self._run_all()
        finally:
            with trio.CancelScope(shield=True):
                await self.testee.stop()
        return self.results

    async def _run_all(self) -> None:
        needed = {func for case in self.cases for func in case.needs}
        self.missing = await missing_functions(needed, self.testee.address, self.settings)
        if not await self.testee.alive():
            await self._revive()
        runnable = [case for case in self.cases if self._supported(case)]
        harmless = sorted((case for case in runnable if not case.hostile), key=lambda case: not case.slow)
        while harmless:
            lost = await self._side_by_side(harmless)
            await self._alone(lost)
        await self._alone([case for case in runnable if case.hostile])

    def _supported(self, case: Case) -> bool:
        lacking = [f"{func} ({self.missing[func]})" for func in case.needs if func in self.missing]
        if lacking:
            detail = f"the testee does not serve {', '.join(lacking)}"
            self._add(Result(case, "unsupported", detail))
        return not lacking

    async def _side_by_side(self, cases: list[Case]) -> list[Case]:
        """Run cases together, taking them out of `cases`, until all are done or the testee is lost.

        Those that were running when it was lost are returned, unreported: only alone they tell which did it.
        """
        again: list[Case] = []
        lost = trio.Event()

        async def worker() -> None:
            while cases and not lost.is_set():
                case = cases.pop(0)
                result = await run_case(case, self.testee.address, self.settings)
                gone = result.verdict in _LOST or lost.is_set()
                if gone or (result.verdict == "fail" and not await self.testee.alive()):
                    again.append(case)
                    lost.set()
                else:
                    self._add(result)

        async with trio.open_nursery() as nursery:
            for _ in range(self.at_once):
                nursery.start_soon(worker)
        if lost.is_set():
            await self._revive()
        return again

    async def _alone(self, cases: list[Case]) -> None:
        for case in cases:
            if self._gone is not None:
                self._add(Result(case, "untestable", self._gone))
                continue
            result = await run_case(case, self.testee.address, self.settings)
            died = not await self.testee.alive()
            self._add(_as_crash(result) if died else result)
            if (
                died
                or result.verdict in {"crash", "hang", "untestable"}
                or (case.hostile and result.verdict == "fail")
            ):
                await self._revive()

    async def _revive(self) -> None:
        try:
            await self.testee.revive()
        except TesteeError as error:
            self._gone = f"the testee is gone: {error}"

    def _add(self, result: Result) -> None:
        self.results.append(result)
        self.report(result)


def _as_crash(result: Result) -> Result:
    """The testee did not survive this case, whatever else it showed."""
    detail = f"{result.detail}; the testee died" if result.detail else "the testee died"
    failed = result.failed or result.case.clauses[:1]
    verdict = result.verdict if result.verdict == "harness-fault" else "crash"
    return Result(
        case=result.case,
        verdict=verdict,
        detail=detail,
        failed=(*failed, *(() if "ROB-01r" in failed or not result.case.negative else ("ROB-01r",))),
        warned=result.warned,
        findings=result.findings,
        conversation=result.conversation,
        seconds=result.seconds,
    )
