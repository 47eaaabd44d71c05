"""The reference peer under measurement, by its public interface alone."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

import trio

from bench.systems.driving import FEW, HOST, IN_FLIGHT, LARGE, MANY, announce, expect, obey
from iptc_codec.peer import Exports, Peer, ServedContext, open_peer, serve

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from bench.systems.driving import Run

NS = "bench"


async def echo(value: object) -> object:
    """Return the value."""
    return value


async def numbers(n: int) -> AsyncIterator[int]:
    """Yield 0 … n-1."""
    for i in range(n):
        yield i


async def blocks(n: int) -> AsyncIterator[bytes]:
    """Yield n items of 64 KiB."""
    for _ in range(n):
        yield LARGE


async def echoes(ctx: ServedContext) -> None:
    """Send every item back."""
    await ctx.started()
    async with ctx.stream() as stream:
        async for item in stream:
            await stream.send(item)


def exports() -> Exports:
    """What the server serves."""
    exported = Exports()
    for function in (echo, numbers, blocks):
        exported.function(NS)(function)
    exported.context(NS)(echoes)
    return exported


class Driver:
    """The workloads over one peer."""

    def __init__(self, peer: Peer) -> None:
        self._peer = peer

    def runs(self) -> dict[str, Run]:
        """All workloads by name."""
        return {
            "call": self.calls,
            "calls": self.calls_at_once,
            "small": self.small,
            "small_batches": self.small_batches,
            "large": self.large,
            "echo1": self.echo_few,
            "echo32": self.echo_many,
        }

    async def calls(self, n: int, latencies: list[float]) -> None:
        """One call at a time."""
        clock = time.perf_counter
        for i in range(n):
            start = clock()
            expect(await self._peer.call(NS, "echo", value=i), i)
            latencies.append(clock() - start)

    async def calls_at_once(self, n: int, _: list[float]) -> None:
        """Calls from 100 tasks."""
        async with trio.open_nursery() as nursery:
            for _task in range(IN_FLIGHT):
                nursery.start_soon(self.calls, n // IN_FLIGHT, [])

    async def small(self, n: int, _: list[float]) -> None:
        """A stream of small items, one by one."""
        await self._stream("numbers", n)

    async def large(self, n: int, _: list[float]) -> None:
        """A stream of 64 KiB items, one by one."""
        await self._stream("blocks", n)

    async def _stream(self, func: str, n: int) -> None:
        received = 0
        async with self._peer.stream(NS, func, n=n) as items:
            async for _item in items:
                received += 1
        expect(received, n)

    async def small_batches(self, n: int, _: list[float]) -> None:
        """A stream of small items, in batches."""
        received = 0
        async with self._peer.stream(NS, "numbers", n=n) as items:
            async for batch in items.batches():
                received += len(batch)
        expect(received, n)

    async def echo_few(self, n: int, _: list[float]) -> None:
        """Both ways, one item in flight."""
        await self._echo(n, FEW)

    async def echo_many(self, n: int, _: list[float]) -> None:
        """Both ways, 32 items in flight."""
        await self._echo(n, MANY)

    async def _echo(self, n: int, in_flight: int) -> None:
        async with self._peer.context(NS, "echoes") as (ctx, _), ctx.stream() as stream:
            for i in range(in_flight):
                await stream.send(i)
            for i in range(n):
                expect(await stream.receive(), i)
                if i + in_flight < n:
                    await stream.send(i + in_flight)


async def _serve() -> None:
    async with trio.open_nursery() as nursery:
        listeners = await nursery.start(serve, exports(), f"tcp://{HOST}:0")
        announce(listeners[0].socket.getsockname()[1])


async def _drive(port: int) -> None:
    async with open_peer(f"tcp://{HOST}:{port}") as peer:
        await obey(Driver(peer).runs())


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        trio.run(_serve)
    else:
        trio.run(_drive, int(sys.argv[2]))
