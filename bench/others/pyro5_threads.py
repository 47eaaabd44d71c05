"""Pyro5 under measurement: blocking, a thread for each connection, msgpack.

Its streams are remote iterators, a round trip for each item; both ways at once it has none. A proxy carries
one call at a time, so 100 calls in flight are 100 threads with a proxy each.
"""

from __future__ import annotations

import asyncio
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import Pyro5
import Pyro5.api

from bench.systems.driving import HOST, IN_FLIGHT, LARGE, announce, expect, obey

_NAME = "bench"

Pyro5.config.SERIALIZER = "msgpack"
Pyro5.config.THREADPOOL_SIZE = 2 * IN_FLIGHT


@Pyro5.api.expose
class Bench:
    """What is served."""

    def echo(self, value):
        """Return the value."""
        return value

    def numbers(self, n):
        """Give 0 … n-1."""
        return iter(range(n))

    def blocks(self, n):
        """Give n items of 64 KiB."""
        return (LARGE for _ in range(n))


class Driver:
    """The workloads: over one proxy, but for calls at once."""

    def __init__(self, uri):
        self._uri = uri
        self._proxy = Pyro5.api.Proxy(uri)
        self._more = []

    def runs(self):
        """What it has a way to do, by name."""
        return {"call": self.calls, "calls": self.calls_at_once, "small": self.small, "large": self.large}

    async def calls(self, n, latencies):
        """One call at a time."""
        _call(self._proxy, n, latencies)

    async def calls_at_once(self, n, _):
        """100 threads with one call each."""
        while len(self._more) < IN_FLIGHT:
            self._more.append(Pyro5.api.Proxy(self._uri))
        with ThreadPoolExecutor(IN_FLIGHT) as threads:
            for done in [threads.submit(_call_from_thread, one, n // IN_FLIGHT) for one in self._more]:
                done.result()

    async def small(self, n, _):
        """A remote iterator of small items."""
        expect(sum(1 for _item in self._proxy.numbers(n)), n)

    async def large(self, n, _):
        """A remote iterator of 64 KiB items."""
        expect(sum(1 for _item in self._proxy.blocks(n)), n)


def _call_from_thread(proxy, n):
    proxy._pyroClaimOwnership()  # noqa: SLF001  (its public way to hand a proxy to a thread)
    _call(proxy, n, [])


def _call(proxy, n, latencies):
    clock = time.perf_counter
    for i in range(n):
        start = clock()
        expect(proxy.echo(i), i)
        latencies.append(clock() - start)


def _serve():
    daemon = Pyro5.api.Daemon(host=HOST, port=0)
    daemon.register(Bench(), _NAME)
    announce(daemon.sock.getsockname()[1])
    daemon.requestLoop()


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        _serve()
    else:
        asyncio.run(obey(Driver(f"PYRO:{_NAME}@{HOST}:{sys.argv[2]}").runs()))
