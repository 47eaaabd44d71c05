"""Drivers, and conversations put to them: one driver takes many, until one of them ends its connection."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

import trio
from trio.testing import MockClock

from iptc_conformance.driving.caller.case_run import run_case
from iptc_conformance.driving.caller.driver import DriverError
from iptc_conformance.driving.caller.embedded import Embedded
from iptc_conformance.driving.caller.host import Host
from iptc_conformance.driving.caller.pool import Pool
from iptc_fuzz.live.trial import patiently
from iptc_fuzz.live_caller.trial import BAD, shown

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Sequence

    from iptc_conformance.cases.model import Case
    from iptc_conformance.driving.caller.driver import Driver
    from iptc_conformance.driving.recorder import Recorder
    from iptc_conformance.driving.result import Result
    from iptc_conformance.driving.session import Settings
    from iptc_fuzz.live.trial import Shown

_T = TypeVar("_T")
_LANES = 3
_AHEAD = 2
_MOST_CASES = 200
"""So many conversations on one connection; the suite keeps what was said on it."""
_ENOUGH = 3
"""So many conversations in which something is wrong are looked into before others are begun."""
_HOPELESS = 20
"""If so many conversations in a row can't be judged, nobody is there to be asked."""
_STOP_SECONDS = 30


class Bench:
    """Drivers of one kind.

    A process is driven from a loop in a thread of its own, for it outlives a conversation. An embedded driver
    is made afresh for each, and its time is virtual.
    """

    def __init__(self, driver: Driver, settings: Settings, reached: Callable[[Recorder], None]) -> None:
        self._loop: _Loop | None = None
        self._lanes = _Lanes(driver, settings, reached)
        self._embedded = isinstance(driver, Embedded)

    def start(self) -> None:
        """Have a driver run.  Raises DriverError."""
        if not self._embedded:
            self._loop = _Loop(self._lanes)
            self._loop.call(self._lanes.begin)

    def stop(self) -> None:
        """Let go of all of them."""
        if self._loop is not None:
            self._loop.end()

    def fresh(self) -> None:
        """Have drivers that no conversation has harmed."""
        if self._loop is not None:
            self._loop.call(self._lanes.renew)

    def put(self, case: Case, patience: float = 1) -> Shown:
        """Put one case to a driver.  Raises DriverError."""
        return self._put_all([case], patience)[0]

    def put_all(self, cases: Sequence[Case]) -> list[Shown]:
        """Put cases side by side until something is wrong: what those have shown that were begun.

        Raises DriverError.
        """
        return self._put_all(cases)

    def _put_all(self, cases: Sequence[Case], patience: float = 1) -> list[Shown]:
        async def put() -> list[Result]:
            return await self._lanes.put_all(cases, patience)

        if self._loop is not None:
            results = self._loop.call(put)
        else:
            results = trio.run(self._lanes.alone, cases, clock=MockClock(autojump_threshold=0))
        return [shown(result.case, result) for result in results]


class _Lanes:
    """Hosts in use, one for each lane."""

    def __init__(self, driver: Driver, settings: Settings, reached: Callable[[Recorder], None]) -> None:
        self._driver = driver
        self._settings = settings
        self._reached = reached
        self._pool: Pool | None = None
        self._shared: list[tuple[Host, int]] = []
        self._untestable = 0

    async def serve(self, nursery: trio.Nursery, until: trio.Event) -> None:
        """Keep drivers ready until nobody needs them any more."""
        pool = self._pool = Pool(self._driver, nursery, _AHEAD)
        try:
            await until.wait()
        finally:
            with trio.CancelScope(shield=True):
                await pool.stop()
            nursery.cancel_scope.cancel()

    async def begin(self) -> None:
        """See that a driver starts.  Raises DriverError."""
        self._ready.expect(_AHEAD)
        self._shared.append((await self._take(), 0))

    async def renew(self) -> None:
        """Let go of the drivers that have had conversations."""
        await trio.lowlevel.checkpoint()
        for host, _ in self._shared:
            self._ready.let_go(host)
        self._shared.clear()

    async def put_all(self, cases: Sequence[Case], patience: float) -> list[Result]:
        """Results of the first cases, in their order, as many as were begun.  Raises DriverError."""
        results: dict[int, Result] = {}
        waiting = iter(enumerate(cases))
        failures: list[DriverError] = []

        async def lane() -> None:
            try:
                await self._lane(waiting, results, patience)
            except DriverError as error:  # kept out of the nursery, which would wrap it
                failures.append(error)

        async with trio.open_nursery() as nursery:
            for _ in range(min(_LANES, len(cases))):
                nursery.start_soon(lane)
        if failures:
            raise failures[0]
        return [results[at] for at in sorted(results)]

    async def alone(self, cases: Sequence[Case]) -> list[Result]:
        """The same with a driver of its own for each, one after the other."""
        results = []
        for case in cases:
            async with trio.open_nursery() as nursery:
                host = Host(self._driver.another())
                await host.start(nursery)
                results.append(await run_case(case, host, self._settings))
                self._reached(host.recorder)
                await host.stop()
                nursery.cancel_scope.cancel()
            if results[-1].verdict in BAD:
                break
        return results

    async def _lane(
        self, waiting: Iterator[tuple[int, Case]], results: dict[int, Result], patience: float
    ) -> None:
        for at, case in waiting:
            results[at] = await self._put(case, patience)
            bad = [result.verdict for result in results.values() if result.verdict in BAD]
            if len(bad) >= _ENOUGH or {"crash", "hang"} & set(bad):
                return

    async def _put(self, case: Case, patience: float) -> Result:
        result = await self._once(case, patience, fresh=case.hello is not None)
        if result.verdict == "untestable":  # what was before may be to blame
            result = await self._once(case, patience, fresh=True)
        self._untestable = self._untestable + 1 if result.verdict == "untestable" else 0
        if self._untestable >= _HOPELESS:
            raise DriverError(f"no conversation can be judged: {result.detail}")
        return result

    async def _once(self, case: Case, patience: float, *, fresh: bool) -> Result:
        host, count = self._shared.pop() if self._shared and not fresh else (await self._take(), 0)
        settings = replace(self._settings, timeout=self._settings.timeout * patience)
        result = replace(await run_case(patiently(case, patience), host, settings), case=case)
        self._reached(host.recorder)
        if _spent(case, host, result) or count >= _MOST_CASES:
            self._ready.let_go(host)
        else:
            self._shared.append((host, count + 1))
        return result

    async def _take(self) -> Host:
        host = await self._ready.take()
        self._ready.expect(1)
        return host

    @property
    def _ready(self) -> Pool:
        if self._pool is None:
            raise RuntimeError("not started yet")
        return self._pool


def _spent(case: Case, host: Host, result: Result) -> bool:
    """Whether a driver can't take another conversation, or should not.

    One that has failed may, if it still serves: a finding has to show again on a fresh one anyway.
    """
    serves = result.verdict in {"pass", "warn", "fail"} and not result.waited and host.usable
    return case.hostile or not serves or any(found.reaction == "close" for found in result.findings)


class _Loop:
    """A trio loop in a thread of its own."""

    def __init__(self, lanes: _Lanes) -> None:
        self._lanes = lanes
        self._running = threading.Event()
        self._token: trio.lowlevel.TrioToken | None = None
        self._until: trio.Event | None = None
        self._thread = threading.Thread(target=trio.run, args=(self._serve,), name="drivers")
        self._thread.start()
        self._running.wait(_STOP_SECONDS)

    def call(self, do: Callable[[], Awaitable[_T]]) -> _T:
        """Do something in the loop, and wait for it."""
        return trio.from_thread.run(do, trio_token=self._token)

    def end(self) -> None:
        """Let go of what runs in it, and wait for its end."""
        if self._token is not None and self._until is not None:
            self._token.run_sync_soon(self._until.set)
        self._thread.join(_STOP_SECONDS)

    async def _serve(self) -> None:
        self._token, self._until = trio.lowlevel.current_trio_token(), trio.Event()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._lanes.serve, nursery, self._until)
            await trio.lowlevel.checkpoint()
            self._running.set()
