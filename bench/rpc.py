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
    """Measure. A system that fails goes without figures for the rest of its round."""
    figures: Figures = {workload: {system.name: [] for system in systems} for workload in workloads}
    for turn in range(rounds):
        say(f"round {turn + 1} of {rounds}")
        with ExitStack() as stack:
            pairs = {system.name: stack.enter_context(pair(system)) for system in systems}
            for workload in workloads:
                for name in _turned(list(pairs), turn):
                    server, driver = pairs[name]
                    order = {"workload": workload, "seconds": seconds, "server": server.process.pid}
                    figures[workload][name].append(_answer(driver, order))
    return figures


def _turned(names: list[str], turn: int) -> list[str]:
    first = turn % len(names)
    return names[first:] + names[:first]


def _answer(driver: Child, order: dict[str, Any]) -> dict[str, float]:
    if driver.lost:
        return {}
    try:
        return driver.ask(order, _LONGEST)
    except ChildError as error:
        say(f"{error} ({order['workload']})")
        return {}


def rates(measured: Sequence[dict[str, float]]) -> list[float]:
    """Messages or calls per second, one figure for each round that has one."""
    return [one["count"] / one["seconds"] for one in measured if one]


def processor(measured: Sequence[dict[str, float]]) -> list[float]:
    """Microseconds of the processor a message, of both processes, one figure for each round that has one."""
    return [one["cpu"] / one["count"] * 1e6 for one in measured if "cpu" in one]


def compared(above: Sequence[dict[str, float]], below: Sequence[dict[str, float]]) -> Spread | None:
    """How many times the second's rate the first's is, by the rounds in which both have one."""
    both = [(one, other) for one, other in zip(above, below, strict=True) if one and other]
    return ratio(*map(rates, zip(*both, strict=True))) if both else None


def compared_by_processor(
    above: Sequence[dict[str, float]], below: Sequence[dict[str, float]]
) -> Spread | None:
    """How many times what the first takes of the processors for a message the second takes."""
    both = [
        (one, other) for one, other in zip(above, below, strict=True) if one.get("cpu") and other.get("cpu")
    ]
    return ratio(*map(processor, reversed(list(zip(*both, strict=True))))) if both else None


def summary(figures: Figures) -> None:
    """Print the medians, and the ratios to each of the others."""
    for workload, systems in figures.items():
        say(f"\n{WORKLOADS[workload]}, per second: median [least-most]; {OURS} / each, of the same round")
        rows = []
        ours = systems.get(OURS)
        for name, measured in systems.items():
            if not (own := rates(measured)):
                continue
            ratios = compared(ours, measured) if ours else None
            cpu = str(Spread.of(used)) if (used := processor(measured)) else "-"
            rows.append([name, str(Spread.of(own)), str(ratios or "-"), cpu, _latencies(measured)])
        report.table(["system", "per second", f"{OURS} /", "processor µs, both", "p50 / p99, µs"], rows)


def _latencies(measured: Sequence[dict[str, float]]) -> str:
    timed = [one for one in measured if "p50" in one]
    if not timed:
        return ""
    return " / ".join(number(Spread.of([one[p] * 1e6 for one in timed]).median) for p in ("p50", "p99"))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run from the command line; 0, or 1 if a system could not be started."""
    parser = report.timing(__doc__, rounds=7, seconds=0.3)
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
