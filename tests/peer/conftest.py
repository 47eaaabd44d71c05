"""Runs the async tests of this folder under trio, each within a bound."""

from __future__ import annotations

import inspect
from typing import Any

import pytest
import trio
import trio.testing

from tests.peer.peer_support import STREAMS, using_streams

_SECONDS = 120
"""Of the mock clock, which jumps ahead when every task waits: nobody ever sits them out."""

_REAL_SECONDS = 20


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run what goes over any stream twice: a socket is read in another way than all other streams.

    A module says by `OVER` that it is about one kind.
    """
    if any(hasattr(metafunc.module, helper) for helper in ("stream_pair", "serving", "calling", "pair")):
        metafunc.fixturenames.append("streams")
        metafunc.parametrize("streams", getattr(metafunc.module, "OVER", [*STREAMS]))


@pytest.fixture
def real_clock() -> None:
    """For tests over sockets: the mock clock would jump while bytes are under way in the kernel."""


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run a coroutine function as trio's main task."""
    function = pyfuncitem.obj
    if not inspect.iscoroutinefunction(function):
        return None
    arguments = {name: pyfuncitem.funcargs[name] for name in inspect.signature(function).parameters}
    real = "real_clock" in pyfuncitem.fixturenames
    case = getattr(pyfuncitem, "callspec", None)
    streams = case.params.get("streams", "memory") if case else "memory"

    async def bounded() -> None:
        with using_streams(streams), trio.fail_after(_REAL_SECONDS if real else _SECONDS):
            await _alone(function, arguments)

    trio.run(bounded, clock=None if real else trio.testing.MockClock(autojump_threshold=0))
    return True


async def _alone(function: Any, arguments: dict[str, Any]) -> None:
    """Run a test, then see that it has left no task behind, in whatever nursery."""
    before = trio.lowlevel.current_statistics().tasks_living
    await function(**arguments)
    # Closing a socket leaves nothing; a helper of trio's own may need a turn to end.
    await trio.testing.wait_all_tasks_blocked()
    assert trio.lowlevel.current_statistics().tasks_living == before
