"""Calls and streams: the reference peer beside other libraries, and beside the limit.

A server and a driver process for each system, on loopback. In every round new ones are started, and each
workload is run by all systems in turn, in another order each round.
"""

from __future__ import annotations

import sys
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from bench import report
from bench.processes import ChildError, System, pair
from bench.report import ROOT, say
from bench.stats import Spread, number, ratio

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.processes import Child

OURS, LIMIT, DIRECT = "iptc", "raw trio", "raw trio, direct"

_TRACTOR = ROOT / ".venv-tractor"
_OTHERS = ROOT / ".venv-bench"

SYSTEMS = {
    system.name: system
    for system in (
        System(OURS, "bench.systems.ours"),
        System(LIMIT, "bench.systems.raw", options=("streams",)),
        System(DIRECT, "bench.systems.raw", options=("calls",)),
        System("tractor 0.1.0a5", "bench.others.tractor_0_1_0a5", _TRACTOR),
        System("grpcio aio", "bench.others.grpc_aio", _OTHERS),
        System("rpyc", "bench.others.rpyc_threads", _OTHERS),
        System("Pyro5", "bench.others.pyro5_threads", _OTHERS),
    )
}

WORKLOADS = {
    "call": "one call at a time",
    "calls": "100 calls in flight",
    "small": "stream, small items",
    "small_batches": "the same, in batches",
    "large": "stream, 64 KiB items",
    "echo1": "echo, 1 in flight",
    "echo32": "echo, 32 in flight",
}

_LONGEST = 60.0
"""Seconds that one measurement may take, calibration included."""

Figures = dict[str, dict[str, list[dict[str, float]]]]
"""By workload and system: what each round has measured, `{}` for what the library cannot do."""


def run(systems: Sequence[System], workloads: Sequence[str], rounds: int, seconds: float) -> Figures:
    """Measure. Raises `ChildError`."""
    figures: Figures = {workload: {system.name: [] for system in systems} for workload in workloads}
    for number_ in range(rounds):
        say(f"round {number_ + 1} of {rounds}")
        with ExitStack() as stack:
            drivers = {system.name: stack.enter_context(pair(system)) for system in systems}
            for workload in workloads:
                _round(drivers, workload, number_, seconds, figures[workload])
    return figures


def _round(
    drivers: dict[str, Child],
    workload: str,
    turn: int,
    seconds: float,
    into: dict[str, list[dict[str, float]]],
) -> None:
    names = list(drivers)
    first = turn % len(names)
    for name in names[first:] + names[:first]:
        order = {"workload": workload, "seconds": seconds}
        into[name].append(drivers[name].ask(order, _LONGEST))


def rates(measured: Sequence[dict[str, float]]) -> list[float]:
    """Messages per second, or calls, one figure a round; empty if the library cannot do it."""
    return [one["count"] / one["seconds"] for one in measured if one]


def summary(figures: Figures) -> None:
    """Print the medians, and the ratios to each of the others."""
    for workload, systems in figures.items():
        say(f"\n{WORKLOADS[workload]}, per second: median [least-most]; {OURS} / each, of the same round")
        rows = []
        ours = rates(systems.get(OURS, []))
        for name, measured in systems.items():
            if not (own := rates(measured)):
                continue
            ratios = str(ratio(ours, own)) if ours else "-"
            rows.append([name, str(Spread.of(own)), ratios, _latencies(measured)])
        report.table(["system", "per second", f"{OURS} /", "p50 / p99, µs"], rows)


def _latencies(measured: Sequence[dict[str, float]]) -> str:
    if not all("p50" in one for one in measured):
        return ""
    return " / ".join(number(Spread.of([one[p] * 1e6 for one in measured]).median) for p in ("p50", "p99"))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run from the command line; 0, or 1 if a system failed."""
    parser = report.options(__doc__, rounds=7, seconds=0.3)
    parser.add_argument("--system", action="append", choices=list(SYSTEMS), help="only this one; repeatable")
    parser.add_argument("--workload", action="append", choices=list(WORKLOADS), help="only this; repeatable")
    asked = parser.parse_args(arguments)
    systems = [SYSTEMS[name] for name in asked.system or SYSTEMS]
    for system in systems:
        if not system.installed:
            say(f"left out, for want of its environment (see `make bench`): {system.name}")
    systems = [system for system in systems if system.installed]
    try:
        figures = run(systems, asked.workload or list(WORKLOADS), asked.rounds, asked.seconds)
    except ChildError as error:
        say(f"{error}")
        return 1
    summary(figures)
    result: dict[str, Any] = {"rounds": asked.rounds, "seconds": asked.seconds, "figures": figures}
    say(f"\n{report.write(asked.out, 'rpc', result)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
