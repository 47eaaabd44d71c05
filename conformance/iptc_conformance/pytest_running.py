"""The suite in a thread of its own, so that cases run side by side while pytest takes them one by one."""

from __future__ import annotations

import threading
import traceback
from contextlib import suppress
from typing import TYPE_CHECKING

import trio

from iptc_conformance.driving.process import NothingJudgedError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from iptc_conformance.cases import Case
    from iptc_conformance.cli.judging import Suite
    from iptc_conformance.driving.result import Result

_LOOK_SECONDS = 1.0
_STOP_SECONDS = 30.0


class SuiteBroken(Exception):  # noqa: N818  (it is raised in place of a result)
    """There is no result: nothing could be judged (`ours` False), or the suite has a fault of its own."""

    def __init__(self, text: str, *, ours: bool) -> None:
        super().__init__(text)
        self.ours = ours


class Runner:
    """Runs suites and hands out the result of each case as soon as there is one."""

    def __init__(self, suite_of: Callable[[Sequence[Case], Callable[[Result], None]], Suite]) -> None:
        self._suite_of = suite_of
        self._results: dict[str, Result] = {}
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._token: trio.lowlevel.TrioToken | None = None
        self._scope = trio.CancelScope()
        self._broken: SuiteBroken | None = None
        self.suite: Suite | None = None

    @property
    def started(self) -> bool:
        """Whether cases were asked for."""
        return self._thread is not None

    @property
    def results(self) -> list[Result]:
        """Those that are there."""
        return list(self._results.values())

    def start(self, cases: Sequence[Case]) -> None:
        """Begin with these cases."""
        self.suite = self._suite_of(cases, self._add)
        self._thread = threading.Thread(target=self._run, name="iptc", daemon=True)
        self._thread.start()

    def result(self, case: Case) -> Result:
        """Wait for a case.  Raises SuiteBroken if it will never come."""
        with self._changed:
            while case.id not in self._results:
                if self._thread is None or not self._thread.is_alive():
                    raise self._broken or SuiteBroken(f"{case.id} has not run", ours=True)
                self._changed.wait(_LOOK_SECONDS)
            return self._results[case.id]

    def stop(self) -> None:
        """End what still runs, the processes of the peer included."""
        if self._thread is None or not self._thread.is_alive():
            return
        if self._token is not None:
            with suppress(trio.RunFinishedError):  # it has just ended by itself
                self._token.run_sync_soon(self._scope.cancel)
        self._thread.join(_STOP_SECONDS)

    def _add(self, result: Result) -> None:
        with self._changed:
            self._results[result.case.id] = result
            self._changed.notify_all()

    def _run(self) -> None:
        try:
            trio.run(self._main)
        except NothingJudgedError as error:
            self._broken = SuiteBroken(f"nothing judged: {error}", ours=False)
        except BaseException:  # noqa: BLE001  (told by whoever waits for a result)
            self._broken = SuiteBroken(traceback.format_exc(), ours=True)
        with self._changed:
            self._changed.notify_all()

    async def _main(self) -> None:
        self._token = trio.lowlevel.current_trio_token()
        with self._scope:
            if self.suite is not None:
                await self.suite.run()
