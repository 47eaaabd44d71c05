"""tractor 0.1.0a5 under measurement, by its public interface.

Streams are contexts: those wait for a slow consumer, where a plain stream of this release loses items.
"""

from __future__ import annotations

import socket
import sys
import time

import tractor
import trio

from bench.others import tractor_functions as functions
from bench.systems.driving import FEW, HOST, IN_FLIGHT, MANY, announce, expect, obey

_MODULE = functions.__name__


class Driver:
    """The workloads over one portal."""

    def __init__(self, portal):
        self._portal = portal

    def runs(self):
        """All workloads by name."""
        return {
            "call": self.calls,
            "calls": self.calls_at_once,
            "small": self.small,
            "large": self.large,
            "echo1": self.echo_few,
            "echo32": self.echo_many,
        }

    async def calls(self, n, latencies):
        """One call at a time."""
        clock = time.perf_counter
        for i in range(n):
            start = clock()
            expect(await self._portal.run(functions.echo, value=i), i)
            latencies.append(clock() - start)

    async def calls_at_once(self, n, _):
        """Calls from 100 tasks."""
        async with trio.open_nursery() as nursery:
            for _task in range(IN_FLIGHT):
                nursery.start_soon(self.calls, n // IN_FLIGHT, [])

    async def small(self, n, _):
        """A stream of small items."""
        await self._stream(functions.numbers, n)

    async def large(self, n, _):
        """A stream of 64 KiB items."""
        await self._stream(functions.blocks, n)

    async def _stream(self, function, n):
        received = 0
        async with self._portal.open_context(function, n=n) as (ctx, _), ctx.open_stream() as stream:
            await stream.send(None)
            async for _item in stream:
                received += 1
        expect(received, n)

    async def echo_few(self, n, _):
        """Both ways, one item in flight."""
        await self._echo(n, FEW)

    async def echo_many(self, n, _):
        """Both ways, 32 items in flight."""
        await self._echo(n, MANY)

    async def _echo(self, n, in_flight):
        async with self._portal.open_context(functions.echoes) as (ctx, _), ctx.open_stream() as stream:
            for i in range(in_flight):
                await stream.send(i)
            for i in range(n):
                expect(await stream.receive(), i)
                if i + in_flight < n:
                    await stream.send(i + in_flight)


def _free_port():
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return probe.getsockname()[1]


async def _serve():
    port = _free_port()
    async with tractor.open_root_actor(
        arbiter_addr=(HOST, port), loglevel="critical", enable_modules=[_MODULE]
    ):
        announce(port)
        await trio.sleep_forever()


async def _drive(port):
    async with (
        tractor.open_root_actor(arbiter_addr=(HOST, port), loglevel="critical"),
        tractor.get_arbiter(HOST, port) as portal,
    ):
        await obey(Driver(portal).runs())


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        trio.run(_serve)
    else:
        trio.run(_drive, int(sys.argv[2]))
