"""The thread in which the pytest plugin runs the suite."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, cast

import trio

from iptc_conformance import pytest_running
from iptc_conformance.pytest_running import Runner

if TYPE_CHECKING:
    import pytest

    from iptc_conformance.cli.judging import Suite

SECONDS = 30


class NothingToDo:
    async def run(self) -> list[Any]:
        return []


def await_end(runner: Runner) -> None:
    """Wait until the runner's loop is over, whatever its thread does then."""
    until = time.monotonic() + SECONDS
    while time.monotonic() < until:
        try:
            if runner._token is not None:
                runner._token.run_sync_soon(lambda: None)
        except trio.RunFinishedError:
            return
        time.sleep(0.001)
    raise AssertionError("it goes on")


def test_a_run_is_stopped_that_has_just_ended_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pytest_running, "_STOP_SECONDS", 0)
    runner = Runner(lambda _cases, _report: cast("Suite", NothingToDo()))
    with runner._changed:  # which the thread wants, to say that it is over
        runner.start(())
        await_end(runner)
        assert runner._thread is not None
        assert runner._thread.is_alive()
        runner.stop()
    runner._thread.join(SECONDS)
    assert not runner._thread.is_alive()
