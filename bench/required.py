"""What was asked for, against what the benchmarks have found: codec, rpc, growth and fairness.

Reads their JSON files and prints a line for each requirement: the median of the rounds, its spread, what is
required, what the goal is, and whether it is met. Exits 0 whatever that says: these are figures, not tests.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bench import report
from bench.codec import LIMIT as UNTYPED
from bench.codec import STRICT
from bench.fairness import ALONE, BESIDE, BESIDE_BATCHES, BESIDE_LARGE
from bench.report import say
from bench.rpc import LIMIT, OURS, compared, compared_by_processor
from bench.stats import Spread, number, ratio

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    Results = dict[str, dict[str, Any]]
    """By benchmark: what its JSON file says."""
    Find = Callable[[Results], Spread | None]
    Measured = Sequence[dict[str, float]]
    Compare = Callable[[Measured, Measured], Spread | None]

TRACTOR, GRPC = "tractor 0.1.0a5", "grpcio aio"
NAMES = ("codec", "rpc", "growth", "fairness", "profiles")

_MIX = "mix of all kinds"
_BYTES_PER_CALL = 1.0
_BLOCKS_PER_CALL = 0.01


@dataclass(frozen=True)
class Row:
    """One requirement. `at_most`: smaller is better."""

    title: str
    required: float
    goal: float
    find: Find
    at_most: bool = False
    by_processor: Find | None = None
    """The same by what a message takes of the processors: for a machine that has other work as well."""

    def verdict(self, found: Spread) -> str:
        """How the median stands to the requirement."""
        if self._holds(found.median, self.goal):
            return "goal"
        return "met" if self._holds(found.median, self.required) else "NOT MET"

    def _holds(self, value: float, bound: float) -> bool:
        return value <= bound if self.at_most else value >= bound

    def cells(self, results: Results) -> list[str]:
        """The row as it is printed."""
        sign = "≤" if self.at_most else "≥"
        asked = [f"{sign} {number(self.required)}", f"{sign} {number(self.goal)}"]
        found = self.find(results)
        used = self.by_processor(results) if self.by_processor else None
        if found is None:
            return [self.title, "-", "-", *asked, "not measured", ""]
        noise = f"{found.noise:.0%}"
        return [self.title, str(found), noise, *asked, self.verdict(found), str(used or "")]


def _peer(title: str, required: float, goal: float, other: str, workload: str) -> Row:
    by_processor = _times(other, workload, compared_by_processor)
    return Row(title, required, goal, _times(other, workload, compared), by_processor=by_processor)


def _codec(what: str) -> Find:
    def find(results: Results) -> Spread | None:
        variants = _at(results, "codec", "figures", what, _MIX)
        return ratio(variants[STRICT], variants[UNTYPED]) if variants else None

    return find


def _times(other: str, workload: str, compare: Compare) -> Find:
    def find(results: Results) -> Spread | None:
        measured = _at(results, "rpc", "figures", workload) or {}
        both = OURS in measured and other in measured
        return compare(measured[OURS], measured[other]) if both else None

    return find


def _open_calls(results: Results) -> Spread | None:
    cost = _at(results, "growth", "messages_by_open_calls") or {}
    return ratio(cost["100000"], cost["1"]) if "100000" in cost else None


def _kept(results: Results) -> Spread | None:
    """Kept bytes per call as a multiple of what can be measured; the larger of what codec and peers keep."""
    kept = _at(results, "growth", "memory_of_finished_calls") or {}
    measurable = [
        max(found["bytes_per_call"] / _BYTES_PER_CALL, found["blocks_per_call"] / _BLOCKS_PER_CALL)
        for where, found in kept.items()
        if where == "peers" or found["calls"] >= 1_000_000
    ]
    return Spread.of([max(measurable)]) if len(measurable) == len(kept) and kept else None


def _small_call(situation: str) -> Find:
    def find(results: Results) -> Spread | None:
        found = _at(results, "fairness", "figures") or {}
        return ratio(found[situation]["p99"], found[ALONE]["p99"]) if situation in found else None

    return find


def _at(results: Results, *path: str) -> Any:
    found: Any = results
    for key in path:
        found = (found or {}).get(key)
    return found


ROWS = [
    Row(
        "strict decode, inlined / msgspec untyped, mix",
        1.10,
        1.00,
        _codec("decode"),
        at_most=True,
    ),
    Row("strict encode / msgspec dict encode, mix", 1.05, 0.95, _codec("encode"), at_most=True),
    _peer("one call at a time x tractor", 2.0, 2.6, TRACTOR, "call"),
    _peer("one call at a time x grpcio", 2.5, 3.7, GRPC, "call"),
    _peer("100 in flight x tractor", 5, 8, TRACTOR, "calls"),
    _peer("100 in flight x grpcio", 7, 11, GRPC, "calls"),
    _peer("small stream x tractor", 20, 40, TRACTOR, "small"),
    _peer("small stream x grpcio", 40, 90, GRPC, "small"),
    _peer("64 KiB stream x tractor", 15, 23, TRACTOR, "large"),
    _peer("64 KiB stream x grpcio", 3, 4.2, GRPC, "large"),
    _peer("echo, 32 in flight x tractor", 5, 8, TRACTOR, "echo32"),
    _peer("echo, 32 in flight x grpcio", 10, 20, GRPC, "echo32"),
    _peer("small stream, part of raw trio", 0.45, 0.7, LIMIT, "small"),
    _peer("64 KiB stream, part of raw trio", 0.85, 1.0, LIMIT, "large"),
    _peer("one call at a time, part of raw trio", 0.65, 0.85, LIMIT, "call"),
    Row("a message at 100k open calls / at 1", 4, 3, _open_calls, at_most=True),
    Row(
        f"kept per finished call / {_BYTES_PER_CALL:g} B or {_BLOCKS_PER_CALL:g} blocks",
        1,
        1,
        _kept,
        at_most=True,
    ),
    Row("p99 of a small call beside a stream / alone", 10, 4, _small_call(BESIDE), at_most=True),
    Row("the same, a stream read in batches", 10, 4, _small_call(BESIDE_BATCHES), at_most=True),
    Row("the same, a 64 KiB stream", 10, 4, _small_call(BESIDE_LARGE), at_most=True),
]


def read(folder: Path) -> Results:
    """All results that are there."""
    return {name: found for name in NAMES if (found := report.read(folder, name))}


HEAD = ["measure", "found", "noise", "required", "goal", "", "by processor time"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run from the command line; always 0."""
    folder = report.options(__doc__).parse_args(arguments).out
    results = read(folder)
    rows = [row.cells(results) for row in ROWS]
    say("\nrequired and found: median of the rounds [least-most]; noise: half the quartile distance / median")
    report.table(HEAD, rows)
    missed = sum(row[-2] == "NOT MET" for row in rows)
    say(f"\n{missed} of {len(rows)} not met, {sum(row[-2] == 'not measured' for row in rows)} not measured")
    return 0


if __name__ == "__main__":
    sys.exit(main())
