"""A coroutine whose first wait is noticed: what it has not done by then it will not do at once."""

from __future__ import annotations

import functools
import types
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Generator

_T = TypeVar("_T")


@types.coroutine
def noticing_first_wait(
    work: Coroutine[Any, Any, _T], on_wait: Callable[[], None]
) -> Generator[Any, Any, _T]:
    """Await `work`, and call `on_wait` when it first waits for anything; never, if it does not."""
    try:
        wait = work.send(None)
    except StopIteration as done:
        value: _T = done.value
        return value
    on_wait()
    while True:
        try:
            answer = yield wait
        except BaseException as error:  # noqa: BLE001 - it is for the work to deal with
            step = functools.partial(work.throw, error)
        else:
            step = functools.partial(work.send, answer)
        try:
            wait = step()
        except StopIteration as done:
            value = done.value
            return value
