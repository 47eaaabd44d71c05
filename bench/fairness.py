"""What a small call waits for: beside a stream at full speed, and beside a consumer that takes nothing.

Two processes on loopback, ours in both. In every round each situation in turn, in another order each round:
a call at a time, each timed, while the situation lasts.
"""

from __future__ import annotations

import sys
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import trio

from bench import report
from bench.processes import START_SECONDS, Child
from bench.report import say
from bench.rpc import OURS, SYSTEMS
from bench.stats import Spread, ratio
from bench.systems.driving import HOST, expect, quantiles
from bench.systems.ours import NS
from iptc_codec.peer import open_peer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence
    from contextlib import AbstractAsyncContextManager

    from iptc_codec.peer import Peer

    Situation = Callable[[Peer, Peer], AbstractAsyncContextManager[None]]
    """Around the calls: gets the connection on which they are made, and another one."""

ALONE, BESIDE = "alone", "beside a small stream"
BESIDE_BATCHES = "beside a small stream, in batches"
BESIDE_LARGE = "beside a 64 KiB stream"

_ENDLESS = 1 << 50
_LONGEST = 60.0


@asynccontextmanager
async def _nothing(_same: Peer, _other: Peer) -> AsyncIterator[None]:
    yield


def _stream(func: str, *, same: bool = True, batches: bool = False) -> Situation:
    @asynccontextmanager
    async def beside(peer: Peer, other: Peer) -> AsyncIterator[None]:
        async def consume(task_status: trio.TaskStatus[None]) -> None:
            async with (peer if same else other).stream(NS, func, n=_ENDLESS) as items:
                await items.receive()
                task_status.started()
                async for _items in items.batches() if batches else items:
                    pass

        async with trio.open_nursery() as nursery:
            await nursery.start(consume)
            yield
            nursery.cancel_scope.cancel()

    return beside


@asynccontextmanager
async def _stuck(peer: Peer, _other: Peer) -> AsyncIterator[None]:
    async with peer.stream(NS, "numbers", n=_ENDLESS) as items:
        await items.receive()
        yield


SITUATIONS: dict[str, Situation] = {
    ALONE: _nothing,
    BESIDE: _stream("numbers"),
    BESIDE_BATCHES: _stream("numbers", batches=True),
    BESIDE_LARGE: _stream("blocks"),
    "small stream on another connection": _stream("numbers", same=False),
    "beside a stuck consumer": _stuck,
}


async def _round(port: int, seconds: float, turn: int) -> dict[str, dict[str, float]]:
    names = list(SITUATIONS)
    first = turn % len(names)
    found = {}
    for name in names[first:] + names[:first]:
        with trio.fail_after(_LONGEST):
            async with open_peer(f"tcp://{HOST}:{port}") as peer, open_peer(f"tcp://{HOST}:{port}") as other:
                await _latencies(peer, 0.1)
                async with SITUATIONS[name](peer, other):
                    latencies = await _latencies(peer, seconds)
        found[name] = {**quantiles(latencies), "most": max(latencies), "calls": len(latencies)}
    return found


async def _latencies(peer: Peer, seconds: float) -> list[float]:
    """How long each call took, over about so many seconds; at least one."""
    latencies: list[float] = []
    clock = time.perf_counter
    until = clock() + seconds
    while not latencies or clock() < until:
        start = clock()
        expect(await peer.call(NS, "echo", value=7), 7)
        latencies.append(clock() - start)
    return latencies


Figures = dict[str, dict[str, list[float]]]
"""By situation and quantile: seconds, one figure a round."""


def measure(rounds: int, seconds: float) -> Figures:
    """Every situation in every round."""
    figures: Figures = {name: {} for name in SITUATIONS}
    for turn in range(rounds):
        say(f"round {turn + 1} of {rounds}")
        server = Child(SYSTEMS[OURS], "serve")
        try:
            found = trio.run(_round, int(server.line(START_SECONDS)), seconds, turn)
        finally:
            server.end()
        for name, figures_of_it in found.items():
            for figure, value in figures_of_it.items():
                figures[name].setdefault(figure, []).append(value)
    return figures


HEAD = ["situation", "p50, µs", "p99, µs", "longest, µs", f"p99 / p99 {ALONE}"]


def rows(figures: Figures) -> list[list[str]]:
    """Microseconds a call, and the ratio of the 99th percentile to that alone."""
    return [
        [
            name,
            *(str(Spread.of([one * 1e6 for one in found[figure]])) for figure in ("p50", "p99", "most")),
            str(ratio(found["p99"], figures[ALONE]["p99"])),
        ]
        for name, found in figures.items()
    ]


def summary(figures: Figures) -> None:
    """Print them."""
    say("\na small call: median of the rounds [least-most]")
    report.table(HEAD, rows(figures))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run from the command line."""
    asked = report.timing(__doc__, rounds=7, seconds=1.5).parse_args(arguments)
    figures = measure(asked.rounds, asked.seconds)
    summary(figures)
    result: dict[str, Any] = {"rounds": asked.rounds, "seconds": asked.seconds, "figures": figures}
    say(f"\n{report.write(asked.out, 'fairness', result)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
