"""The limit: trio and msgspec, and no protocol. It writes and reads the same bytes as the reference peer.

Whatever can be batched is: a chunk is split into all its frames, each is decoded into a plain dict, all
answers leave by one system call. Nothing is checked, no call is known, one conversation runs at a time.

Twice: by trio's streams, and by system calls that ask trio only when there is something to wait for.
"""

from __future__ import annotations

import itertools
import sys
import time
from typing import TYPE_CHECKING, Any

import trio

from bench.systems.driving import FEW, HOST, IN_FLIGHT, LARGE, MANY, announce, expect, obey
from bench.systems.wire import DirectWire, Wire

if TYPE_CHECKING:
    from bench.systems.driving import Run
    from bench.systems.wire import Message

_WIRES = {"streams": Wire, "calls": DirectWire}

_UID = ("raw", "0" * 32)


def _open(func: str, kwargs: dict[str, Any], cid: str) -> Message:
    return {"cmd": ("bench", func, kwargs, _UID, cid)}


# The server.


async def _answer(wire: Wire) -> None:
    try:
        while True:
            for message in await wire.read():
                if "cmd" in message:
                    _, func, kwargs, _, cid = message["cmd"]
                    if func == "echo":
                        wire.say({"functype": "asyncfunc", "cid": cid})
                        wire.say({"return": kwargs["value"], "cid": cid})
                    elif func == "echoes":
                        wire.say({"functype": "context", "cid": cid})
                        wire.say({"started": None, "cid": cid})
                    else:
                        await _stream(wire, func, kwargs["n"], cid)
                elif "yield" in message:
                    wire.say(message)
                else:
                    wire.say(message)
                    wire.say({"return": None, "cid": message["cid"]})
            await wire.flush()
    except (EOFError, OSError, trio.BrokenResourceError):
        pass


async def _stream(wire: Wire, func: str, n: int, cid: str) -> None:
    wire.say({"functype": "asyncgen", "cid": cid})
    large = func == "blocks"
    for i in range(n):
        wire.say({"yield": LARGE if large else i, "cid": cid})
        if wire.full:
            await wire.flush()
    wire.say({"stop": True, "cid": cid})


async def _serve(kind: str) -> None:
    async def answer(stream: trio.SocketStream) -> None:
        await _answer(_WIRES[kind](stream))

    listeners = await trio.open_tcp_listeners(0, host=HOST)
    announce(listeners[0].socket.getsockname()[1])
    await trio.serve_listeners(answer, listeners)


# The driver.


class Driver:
    """The workloads over one connection."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._cids = (f"0123456789abcdef-{number}" for number in itertools.count(1))

    def runs(self) -> dict[str, Run]:
        """All workloads by name."""
        return {
            "call": self.calls,
            "calls": self.calls_at_once,
            "small": self.small,
            "large": self.large,
            "echo1": self.echo_few,
            "echo32": self.echo_many,
        }

    async def calls(self, n: int, latencies: list[float]) -> None:
        """One call at a time."""
        wire, clock = self._wire, time.perf_counter
        for i in range(n):
            start = clock()
            wire.say(_open("echo", {"value": i}, next(self._cids)))
            await wire.flush()
            messages: list[Message] = []
            while len(messages) < 2:
                messages += await wire.read()
            expect(messages[1]["return"], i)
            latencies.append(clock() - start)

    async def calls_at_once(self, n: int, _: list[float]) -> None:
        """100 calls in flight: each answer makes room for the next."""
        wire, returned = self._wire, 0
        opened = min(n, IN_FLIGHT)
        for i in range(opened):
            wire.say(_open("echo", {"value": i}, next(self._cids)))
        while returned < n:
            await wire.flush()
            for message in await wire.read():
                if "return" in message:
                    expect(message["return"], returned)
                    returned += 1
                    if opened < n:
                        wire.say(_open("echo", {"value": opened}, next(self._cids)))
                        opened += 1

    async def small(self, n: int, _: list[float]) -> None:
        """A stream of small items."""
        await self._stream("numbers", n)

    async def large(self, n: int, _: list[float]) -> None:
        """A stream of 64 KiB items."""
        await self._stream("blocks", n)

    async def _stream(self, func: str, n: int) -> None:
        wire, received = self._wire, 0
        wire.say(_open(func, {"n": n}, next(self._cids)))
        await wire.flush()
        while received < n + 2:  # ACK and END
            received += len(await wire.read())
        expect(received, n + 2)

    async def echo_few(self, n: int, _: list[float]) -> None:
        """Both ways, one item in flight."""
        await self._echo(n, FEW)

    async def echo_many(self, n: int, _: list[float]) -> None:
        """Both ways, 32 items in flight."""
        await self._echo(n, MANY)

    async def _echo(self, n: int, in_flight: int) -> None:
        wire, cid = self._wire, next(self._cids)
        wire.say(_open("echoes", {}, cid))
        for i in range(in_flight):
            wire.say({"yield": i, "cid": cid})
        sent, received, ended = in_flight, 0, False
        while not ended:
            await wire.flush()
            for message in await wire.read():
                if "yield" in message:
                    expect(message["yield"], received)
                    received += 1
                    if sent < n:
                        wire.say({"yield": sent, "cid": cid})
                        sent += 1
                    elif received == n:
                        wire.say({"stop": True, "cid": cid})
                ended = ended or "return" in message


async def _drive(kind: str, port: int) -> None:
    await obey(Driver(_WIRES[kind](await trio.open_tcp_stream(HOST, port))).runs())


if __name__ == "__main__":
    if sys.argv[2] == "serve":
        trio.run(_serve, sys.argv[1])
    else:
        trio.run(_drive, sys.argv[1], int(sys.argv[3]))
