"""The whole suite of the caller role: which case runs on which driver, and what becomes of the others."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import trio

from iptc_conformance.driving.caller.case_run import UNSUPPORTED, run_case
from iptc_conformance.driving.caller.driver import DriverError
from iptc_conformance.driving.caller.pool import Pool
from iptc_conformance.driving.result import Result

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from iptc_conformance.cases.model import Case
    from iptc_conformance.driving.caller.driver import Driver
    from iptc_conformance.driving.caller.host import Host
    from iptc_conformance.driving.session import Settings

LANES = 4
HELLO_SECONDS = "IPTC_HELLO_SECONDS"
"""Asks a driver to lose its patience with a silent callee early; one that does not know it takes its time."""
_CONFIRMED = 3
"""After so many cases in a row that wait in vain alone as well, the others are taken at their word."""
_HOPELESS = 12
"""If so many cases have waited in vain and none has passed, the driver is not asked any more."""
_LOST = frozenset({"crash", "hang", "untestable"})


def needs_its_own(case: Case) -> bool:
    """Whether a case takes a driver of its own: the connection may end, or begins otherwise than usual."""
    return case.hostile or case.hello is not None or case.hello_seconds is not None


@dataclass(slots=True)
class Suite:
    """One run. `driver` is never started itself: it makes others of its kind."""

    driver: Driver
    cases: Sequence[Case]
    settings: Settings
    report: Callable[[Result], None]
    lanes: int = LANES
    results: list[Result] = field(default_factory=list)
    missing: dict[str, str] = field(default_factory=dict)
    """The ops that the driver says it does not support, with what it said."""
    deaths: int = 0
    """None here: on a driver there is one case at a time."""
    _gone: str | None = None

    async def run(self) -> list[Result]:
        """Run every case and report each as it ends. Raises DriverError if nothing can be judged at all."""
        failure: DriverError | None = None
        async with trio.open_nursery() as nursery:
            pool = Pool(self.driver, nursery, min(self.lanes, len(self.cases)))
            try:
                await self._run_all(pool)
            except DriverError as error:  # kept out of the nursery, which would wrap it
                failure = error
            finally:
                with trio.CancelScope(shield=True):
                    await pool.stop()
            nursery.cancel_scope.cancel()
        if failure is not None:
            raise failure
        return self.results

    async def _run_all(self, pool: Pool) -> None:
        own = sum(needs_its_own(case) and case.hello_seconds is None for case in self.cases)
        pool.expect(min(self.lanes, len(self.cases)) + own)
        first = await pool.take()  # whether there is anything to judge shows before anything is judged
        first.greet(first.uid)
        waiting = sorted(self.cases, key=lambda case: not case.slow)
        again: list[Result] = []
        async with trio.open_nursery() as nursery:
            for lane in range(max(1, min(self.lanes, len(waiting)))):
                nursery.start_soon(self._lane, pool, waiting, again, first if lane == 0 else None)
        await self._once_more(pool, again)
        for case in waiting:
            self._add(Result(case, "untestable", self._gone or "no driver is left to ask"))

    async def _lane(self, pool: Pool, waiting: list[Case], again: list[Result], shared: Host | None) -> None:
        """Take one case after the other, keeping a driver for all that leave it usable."""
        while waiting and self._gone is None:
            if self._hopeless(again):
                self._gone = f"{_HOPELESS} cases waited in vain, and none has passed"
                break
            case = waiting.pop(0)
            result, shared = await self._put(pool, case, shared)
            if result is None:
                waiting.insert(0, case)
            elif result.waited:
                again.append(result)
            else:
                self._add(result)
        if shared is not None:
            pool.let_go(shared)

    async def _put(self, pool: Pool, case: Case, shared: Host | None) -> tuple[Result | None, Host | None]:
        """Put one case to a driver: its result, None if no driver starts any more; and the one to share."""
        own = needs_its_own(case)
        try:
            host = await self._host_for(case, pool) if own or shared is None else shared
        except DriverError as error:
            self._gone = f"no driver is left to ask: {error}"
            return None, shared
        result = await run_case(case, host, self.settings)
        if result.verdict == "untestable" and host is shared:
            pool.let_go(host)  # what was before may be to blame
            return await self._put(pool, case, None)
        if own or not host.usable or result.verdict not in {"pass", "warn"}:
            pool.let_go(host)
            return result, shared if host is not shared else None
        return result, host

    async def _host_for(self, case: Case, pool: Pool) -> Host:
        if case.hello_seconds is None:
            return await pool.take()
        return await pool.special({HELLO_SECONDS: f"{case.hello_seconds:g}"})

    async def _once_more(self, pool: Pool, again: list[Result]) -> None:
        """Run alone what waited in vain in company, until the company is plainly not to blame."""
        confirmed = 0
        for first in again:
            if confirmed == _CONFIRMED or self._gone is not None:
                self._add(first)
                continue
            result, shared = await self._put(pool, first.case, None)
            if shared is not None:
                pool.let_go(shared)
            self._add(result or first)
            confirmed = confirmed + 1 if result is None or result.waited else 0

    def _hopeless(self, again: list[Result]) -> bool:
        lost = len(again) + sum(result.verdict in _LOST for result in self.results)
        return lost >= _HOPELESS and not any(result.verdict in {"pass", "warn"} for result in self.results)

    def _add(self, result: Result) -> None:
        if result.verdict == "unsupported":
            what, _, why = result.detail.removeprefix(UNSUPPORTED).partition(": ")
            self.missing.setdefault(what, why)
        self.results.append(result)
        self.report(result)
