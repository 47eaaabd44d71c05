"""Targets side by side, each in a process of its own: what they find and reach comes back to this one."""

from __future__ import annotations

import multiprocessing
import os
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from iptc_fuzz.cells import Reached, reached
from iptc_fuzz.running import Outcome, Profile, run_target
from iptc_fuzz.targets.registry import TARGETS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence


_LONGEST_FIRST = ("peer", "seats", "dialogues", "frames", "chunks", "schema", "roundtrip", "pair")
"""In this order they fill the processes best."""


class _Done(NamedTuple):
    outcome: Outcome
    reached: Reached


def cores() -> int:
    """How many processes are worth having."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def run_targets(
    names: Sequence[str], profile: Profile, jobs: int, on_round: Callable[[Outcome], None]
) -> Iterator[Outcome]:
    """Run targets, at most `jobs` at once, and yield their outcomes in the order of their names.

    The executions of a target depend on the profile alone, so `jobs` changes nothing but the time.
    `on_round` is called after each round where there is one process. Raises DatabaseError.
    """
    if jobs < 2 or len(names) < 2:
        for name in names:
            yield run_target(TARGETS[name], profile, on_round)
        return
    with _pool(min(jobs, len(names))) as pool:
        running = {name: pool.submit(_job, name, profile) for name in sorted(names, key=_LONGEST_FIRST.index)}
        for name in names:
            done = running[name].result()
            reached.add(done.reached)
            yield done.outcome


def _job(name: str, profile: Profile) -> _Done:
    reached.cells.clear()  # of the job before, which were told
    reached.clauses.clear()
    return _Done(run_target(TARGETS[name], profile, lambda _: None), reached)


@contextmanager
def _pool(size: int) -> Iterator[ProcessPoolExecutor]:
    """Processes that end with the block, however it ends: whoever is interrupted waits for none."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(size, mp_context=context) as pool:
        try:
            yield pool
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            for process in multiprocessing.active_children():
                process.terminate()
            raise
