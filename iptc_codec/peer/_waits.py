"""A coroutine whose waits are noticed: what it has not done by then it will not do at once."""

from __future__ import annotations

import functools
import types
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Generator

_T = TypeVar("_T")


@types.coroutine
def noticing_waits(work: Coroutine[Any, Any, _T], on_wait: Callable[[], None]) -> Generator[Any, Any, _T]:
    """Await `work`, and call `on_wait` before each of its waits: until then no other task has run."""
    step = functools.partial(work.send, None)
    while True:
        try:
            wait = step()
        except StopIteration as done:
            value: _T = done.value
            return value
        finally:
            del step  # it holds what was sent: an error would be in a ring with its traceback
        on_wait()
        try:
            answer = yield wait
        except BaseException as error:  # noqa: BLE001 - it is for the work to deal with
            step = functools.partial(work.throw, error)
        else:
            step = functools.partial(work.send, answer)
