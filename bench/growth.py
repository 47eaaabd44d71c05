"""What grows with what: cost by open calls, memory by open and by finished calls, many connections."""

from __future__ import annotations

import random
import resource
import sys
import time
import tracemalloc
from contextlib import AsyncExitStack
from functools import partial
from typing import TYPE_CHECKING, Any

import trio
import trio.testing

from bench import report
from bench.codec import Pass, race
from bench.memory import blocks, resident
from bench.processes import START_SECONDS, Child
from bench.report import say
from bench.rpc import OURS, SYSTEMS
from bench.scripts import Script
from bench.stats import Spread, number, ratio
from bench.systems.driving import HOST, IN_FLIGHT, expect
from bench.systems.ours import NS, exports
from iptc_codec import Ack, Connection, Hello, Item, Limits, Open, Result, Role
from iptc_codec.peer import open_peer, serve

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from iptc_codec.peer import Peer

_MESSAGES = 10_000
_LONGEST = 300.0
_MANY = Limits(open_calls=1 << 20)


# Cost of a message.


def messages_by_open_calls(sizes: Sequence[int], rounds: int, seconds: float) -> dict[str, list[float]]:
    """Seconds to take an item of any of so many open contexts, by their number; one figure a round."""
    variants = {str(size): partial(_items, size) for size in sizes}
    prepared = {name: make() for name, make in variants.items()}
    figures: dict[str, list[float]] = {name: [] for name in variants}
    for turn in range(rounds):
        for name, took in race(prepared, seconds, turn).items():
            figures[name].append(took / _MESSAGES)
    return figures


def _items(size: int) -> Callable[[], Pass]:
    script = Script()
    cids = [script.started() for _ in range(size)]
    script.spoken = [Item(12345, cid) for cid in random.Random(0).choices(cids, k=_MESSAGES)]  # noqa: S311
    conn, chunks = script.listener(), script.chunks()
    queues: dict[str, list[object]] = {cid: [] for cid in cids}

    def run() -> None:
        for chunk in chunks:
            for event in conn.events(chunk):
                if isinstance(event, Item):
                    queue = queues[event.cid]
                    queue.append(event)
                    queue.clear()

    return lambda: run  # the items change nothing: a pass needs no connection of its own


# Memory.


def memory_of_open_call(calls: int) -> dict[str, float]:
    """Bytes for each open call: in a `Connection`, and in two peers with the tasks of caller and callee."""
    tracemalloc.start()
    try:
        script = Script()
        before, _ = tracemalloc.get_traced_memory()
        conn = script.listener()
        for i in range(calls):
            conn.send(Open.of(NS, "echo", {}, conn.uid, f"0123456789abcdef-{i}"))
        after, _ = tracemalloc.get_traced_memory()
        codec = (after - before) / calls
        return {"codec": codec, "peers": trio.run(_memory_of_peers, calls)}
    finally:
        tracemalloc.stop()


async def _memory_of_peers(calls: int) -> float:
    served = exports()
    served.add(NS, trio.sleep_forever)
    async with trio.open_nursery() as nursery:
        peer = await _connected(nursery, served)
        await peer.call(NS, "echo", value=0)
        before, _ = tracemalloc.get_traced_memory()
        async with trio.open_nursery() as callers:
            for _ in range(calls):
                callers.start_soon(partial(peer.call, NS, "sleep_forever"))
            await _settled(peer)
            after, _ = tracemalloc.get_traced_memory()
            callers.cancel_scope.cancel()
        nursery.cancel_scope.cancel()
    return (after - before) / calls


async def _settled(peer: Peer) -> None:
    """A call is answered after those that were opened before it have been begun."""
    with trio.fail_after(_LONGEST):
        await trio.testing.wait_all_tasks_blocked(0.05)
        await peer.call(NS, "echo", value=0)


async def _connected(nursery: trio.Nursery, served: Any) -> Peer:
    """A peer that is connected, over loopback, to one that serves; both run in the nursery."""
    listeners = await nursery.start(partial(serve, served, f"tcp://{HOST}:0", limits=_MANY))
    port = listeners[0].socket.getsockname()[1]

    async def hold(task_status: trio.TaskStatus[Peer]) -> None:
        async with open_peer(f"tcp://{HOST}:{port}", limits=_MANY) as peer:
            task_status.started(peer)
            await trio.sleep_forever()

    held: Peer = await nursery.start(hold)
    return held


def memory_of_finished_calls(codec_calls: int, peer_calls: int) -> dict[str, dict[str, float]]:
    """What so many finished calls leave behind, after as many as are remembered by design."""
    return {"codec": _kept_by_codec(codec_calls), "peers": trio.run(_kept_by_peers, peer_calls)}


def _kept_by_codec(calls: int) -> dict[str, float]:
    caller = Connection(("caller", "0" * 32))
    callee = Connection(("callee", "1" * 32), Role.ACCEPTOR)
    callee.receive(caller.send(Hello(*caller.uid)))
    caller.receive(callee.send(Hello(*callee.uid)))

    def run(count: int) -> None:
        for i in range(count):
            cid = caller.fresh_cid()
            expect(len(callee.receive(caller.send(Open.of(NS, "echo", {"value": i}, caller.uid, cid)))), 1)
            answer = callee.send(Ack("asyncfunc", cid)) + callee.send(Result(i, cid))
            expect(len(caller.receive(answer)), 2)

    run(2 * Limits().finished_calls)
    before = blocks(), resident()
    run(calls)
    return _kept(calls, before, (blocks(), resident()))


async def _kept_by_peers(calls: int) -> dict[str, float]:
    async with trio.open_nursery() as nursery:
        peer = await _connected(nursery, exports())

        async def run(count: int) -> None:
            for i in range(count):
                await peer.call(NS, "echo", value=i)

        async def run_at_once(count: int) -> None:
            async with trio.open_nursery() as callers:
                for _ in range(IN_FLIGHT):
                    callers.start_soon(run, count // IN_FLIGHT)

        # As many at once as later: a peer may keep for its next calls what the busiest moment has needed.
        await run_at_once(4 * Limits().finished_calls)
        before = blocks(), resident()
        await run_at_once(calls)
        after = blocks(), resident()
        nursery.cancel_scope.cancel()
    return _kept(calls, before, after)


def _kept(calls: int, before: tuple[int, int], after: tuple[int, int]) -> dict[str, float]:
    blocks_kept, bytes_kept = (then - now for now, then in zip(before, after, strict=True))
    return {
        "calls": calls,
        "blocks": blocks_kept,
        "bytes": bytes_kept,
        "blocks_per_call": blocks_kept / calls,
        "bytes_per_call": bytes_kept / calls,
    }


# Connections.


def rate_by_connections(
    sizes: Sequence[int], rounds: int, seconds: float
) -> dict[str, dict[str, list[float]]]:
    """Calls per second, 100 in flight over so many connections; bytes of the server for each of them."""
    allow_files(2 * max(sizes) + 100)
    figures: dict[str, dict[str, list[float]]] = {str(n): {"rate": [], "bytes": []} for n in sizes}
    for turn in range(rounds):
        for size in (*sizes[turn % len(sizes) :], *sizes[: turn % len(sizes)]):
            server = Child(SYSTEMS[OURS], "serve")
            try:
                port = int(server.line(START_SECONDS))
                rate, held = trio.run(_over_connections, port, server.process.pid, size, seconds)
            finally:
                server.end()
            figures[str(size)]["rate"].append(rate)
            figures[str(size)]["bytes"].append(held)
    return figures


def allow_files(count: int) -> None:
    """Let this process, and those that it starts, have so many files open, as far as the system allows."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY:
        count = min(count, hard)
    if soft != resource.RLIM_INFINITY and soft < count:
        resource.setrlimit(resource.RLIMIT_NOFILE, (count, hard))


async def _over_connections(port: int, server: int, size: int, seconds: float) -> tuple[float, float]:
    with trio.fail_after(_LONGEST):
        async with AsyncExitStack() as stack:
            address = f"tcp://{HOST}:{port}"
            first = await stack.enter_async_context(open_peer(address))
            await first.call(NS, "echo", value=0)
            before = resident(server)
            peers = [first, *[await stack.enter_async_context(open_peer(address)) for _ in range(size - 1)]]
            held = (resident(server) - before) / max(1, size - 1)
            return await _rate(peers, seconds), held


async def _rate(peers: Sequence[Peer], seconds: float) -> float:
    done = 0
    until = time.perf_counter() + seconds

    async def caller(start: int) -> None:
        nonlocal done
        i = start
        while time.perf_counter() < until:
            await peers[i % len(peers)].call(NS, "echo", value=i)
            i += IN_FLIGHT
            done += 1

    start = time.perf_counter()
    async with trio.open_nursery() as nursery:
        for i in range(IN_FLIGHT):
            nursery.start_soon(caller, i)
    return done / (time.perf_counter() - start)


Table = tuple[list[str], list[list[str]]]


def tables(result: dict[str, Any]) -> dict[str, Table]:
    """Head and rows of what has been measured, by title."""
    cost, kept = result["messages_by_open_calls"], result["memory_of_finished_calls"]
    base = cost[min(cost, key=int)]
    columns = ["calls", "blocks", "bytes", "blocks_per_call", "bytes_per_call"]
    return {
        "An item of any of the open calls, at the codec": (
            ["open calls", "ns", "ratio to the fewest"],
            [
                [n, str(Spread.of([t * 1e9 for t in took])), str(ratio(took, base))]
                for n, took in cost.items()
            ],
        ),
        "Bytes for each open call": (
            ["in a Connection", "in two peers, with the tasks of caller and callee"],
            [[f"{result['memory_of_open_call'][where]:.0f}" for where in ("codec", "peers")]],
        ),
        "Kept after calls that have finished": (
            ["where", *(column.replace("_", " ") for column in columns)],
            [[where, *(number(found[column]) for column in columns)] for where, found in kept.items()],
        ),
        "100 calls in flight over many connections": (
            ["connections", "calls per second", "server bytes a connection"],
            [
                [n, str(Spread.of(found["rate"])), number(Spread.of(found["bytes"]).median)]
                for n, found in result["connections"].items()
            ],
        ),
    }


def summary(result: dict[str, Any]) -> None:
    """Print what has been measured."""
    for title, (head, rows) in tables(result).items():
        say(f"\n{title}")
        report.table(head, rows)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run from the command line."""
    parser = report.timing(__doc__, rounds=5, seconds=0.3)
    parser.add_argument("--quick", action="store_true", help="thousands instead of a million")
    asked = parser.parse_args(arguments)
    quick = asked.quick
    result: dict[str, Any] = {"rounds": asked.rounds, "seconds": asked.seconds}
    say("memory of finished calls")  # first: nothing else has left memory behind yet that could be taken back
    kept = (10_000, 2000) if quick else (1_000_000, 300_000)
    result["memory_of_finished_calls"] = memory_of_finished_calls(*kept)
    say("messages by open calls")
    sizes = [1, 100, 1000] if quick else [1, 1000, 10_000, 100_000]
    result["messages_by_open_calls"] = messages_by_open_calls(sizes, asked.rounds, asked.seconds)
    say("memory of open calls")
    result["memory_of_open_call"] = memory_of_open_call(200 if quick else 5000)
    say("connections")
    counts = [1, 10] if quick else [1, 100, 1000]
    result["connections"] = rate_by_connections(counts, asked.rounds, asked.seconds)
    summary(result)
    say(f"\n{report.write(asked.out, 'growth', result)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
