"""rpyc under measurement: blocking, a thread for each connection.

Its streams are remote iterators, a round trip for each item; both ways at once it has none.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections import deque

import rpyc
from rpyc.utils.server import ThreadedServer

from bench.systems.driving import HOST, IN_FLIGHT, LARGE, announce, expect, obey


class Bench(rpyc.Service):
    """What is served."""

    def exposed_echo(self, value):
        """Return the value."""
        return value

    def exposed_numbers(self, n):
        """Give 0 … n-1."""
        return iter(range(n))

    def exposed_blocks(self, n):
        """Give n items of 64 KiB."""
        return (LARGE for _ in range(n))


class Driver:
    """The workloads over one connection."""

    def __init__(self, connection):
        self._root = connection.root
        self._echo = rpyc.async_(connection.root.echo)

    def runs(self):
        """What it has a way to do, by name."""
        return {"call": self.calls, "calls": self.calls_at_once, "small": self.small, "large": self.large}

    async def calls(self, n, latencies):
        """One call at a time."""
        clock = time.perf_counter
        echo = self._root.echo
        for i in range(n):
            start = clock()
            expect(echo(i), i)
            latencies.append(clock() - start)

    async def calls_at_once(self, n, _):
        """100 calls in flight from one thread, by its asynchronous results."""
        pending = deque()
        for i in range(n):
            if len(pending) == IN_FLIGHT:
                expect(pending.popleft().value, i - IN_FLIGHT)
            pending.append(self._echo(i))
        for i, result in enumerate(pending, n - len(pending)):
            expect(result.value, i)

    async def small(self, n, _):
        """A remote iterator of small items."""
        expect(sum(1 for _item in self._root.numbers(n)), n)

    async def large(self, n, _):
        """A remote iterator of 64 KiB items."""
        expect(sum(1 for _item in self._root.blocks(n)), n)


def _serve():
    server = ThreadedServer(Bench, hostname=HOST, port=0)
    announce(server.port)
    server.start()


def _drive(port):
    asyncio.run(obey(Driver(rpyc.connect(HOST, port)).runs()))


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        _serve()
    else:
        _drive(int(sys.argv[2]))
