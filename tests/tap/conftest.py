"""Tests that are async functions run in trio."""

from __future__ import annotations

import inspect
from functools import partial
from typing import TYPE_CHECKING

import pytest
import trio
import trio.testing

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run a coroutine function under a clock that jumps over idle time."""
    function: Callable[..., object] = pyfuncitem.obj
    if not inspect.iscoroutinefunction(function):
        return None
    wanted = pyfuncitem._fixtureinfo.argnames
    arguments = {name: pyfuncitem.funcargs[name] for name in wanted}
    trio.run(partial(function, **arguments), clock=trio.testing.MockClock(autojump_threshold=0))
    return True
