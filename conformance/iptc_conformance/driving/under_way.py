"""Which cases run at the moment, for whoever watches a run."""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_RUNNING: ContextVar[dict[str, None] | None] = ContextVar("running", default=None)


@contextmanager
def watching() -> Iterator[dict[str, None]]:
    """The ids of the cases that run, oldest first; it changes as long as the block lasts."""
    running: dict[str, None] = {}
    token = _RUNNING.set(running)
    try:
        yield running
    finally:
        _RUNNING.reset(token)


@contextmanager
def under_way(case_id: str) -> Iterator[None]:
    """Say that a case runs."""
    running = _RUNNING.get()
    if running is None:
        yield
        return
    running[case_id] = None
    try:
        yield
    finally:
        running.pop(case_id, None)
