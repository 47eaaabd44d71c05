"""Putting all cases of a role to one faulty peer, in memory and in virtual time."""

from __future__ import annotations

import signal
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from iptc_conformance.cases import load_cases
from iptc_conformance.driving.callee import embedded as callee_role
from iptc_conformance.driving.caller import embedded as caller_role

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import FrameType

    from faults.data import Fault, Role
    from iptc_conformance.cases.model import Case
    from iptc_conformance.driving.result import Result

STUCK_SECONDS = 60
"""A peer that spins without letting virtual time pass is given up after so long."""


class StuckError(Exception):
    """A case did not come to an end."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What one case made of a peer."""

    case: str
    verdict: str
    failed: tuple[str, ...]
    warned: tuple[str, ...]
    detail: str


@cache
def cases_of(role: Role) -> tuple[Case, ...]:
    """Return the cases of a role."""
    return tuple(case for case in load_cases() if case.role == role)


def judge(fault: Fault, cases: Sequence[Case]) -> list[Seen]:
    """Put each case to a fresh peer of its own."""
    return [_seen(fault, case) for case in cases]


def _seen(fault: Fault, case: Case) -> Seen:
    try:
        with _bounded(STUCK_SECONDS):
            (result,) = _results(fault, case)
    except StuckError:
        return Seen(case.id, "stuck", (), (), f"no end after {STUCK_SECONDS} s of real time")
    return Seen(case.id, result.verdict, result.failed, result.warned, result.detail)


def _results(fault: Fault, case: Case) -> list[Result]:
    if fault.role == "callee":
        return callee_role.judge_embedded([case], fault.type)
    return caller_role.judge_embedded([case], fault.type)


@contextmanager
def _bounded(seconds: int) -> Iterator[None]:
    def stop(_signal: int, _frame: FrameType | None) -> None:
        raise StuckError

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
