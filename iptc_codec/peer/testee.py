"""The reference peer as the conformance suite wants a callee: it serves the functions of `iptc_testee`.

`python -m iptc_codec.peer.testee` listens on 127.0.0.1, port `IPTC_PORT`, until SIGTERM or SIGINT.
`IPTC_HELLO_SECONDS` shortens how long it waits for a hello.
"""

from __future__ import annotations

import os
import signal
from functools import partial
from typing import TYPE_CHECKING

import trio

from iptc_codec import Limits

from ._exports import Exports
from ._listen import serve

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from ._contexts import ServedContext

NAMESPACE = "iptc_testee"
_COUNT_SECONDS = 0.001


class FixtureError(Exception):
    """What the fixture functions raise that are there to fail."""


class Fixture:
    """The functions, and the tags of those that were cancelled, over all connections."""

    def __init__(self) -> None:
        self._tags: list[str] = []

    def exports(self) -> Exports:
        """All of them under `iptc_testee`."""
        exports = Exports()
        for function in (self.echo, self.fail, self.hang, self.slow_cancel, self.cancelled_tags):
            exports.function(NAMESPACE)(function)
        for generator in (self.count, self.count_then_fail, self.count_forever):
            exports.function(NAMESPACE)(generator)
        for context in (
            self.ctx_return,
            self.ctx_hang,
            self.ctx_hang_before_started,
            self.ctx_fail,
            self.ctx_fail_before_started,
            self.ctx_echo,
            self.ctx_push,
            self.ctx_collect,
        ):
            exports.context(NAMESPACE)(context)
        return exports

    async def echo(self, value: object) -> object:
        """Return the value."""
        return value

    async def fail(self, message: str) -> None:
        """Raise."""
        raise FixtureError(message)

    async def hang(self, tag: str = "") -> None:
        """Never return; remember the tag when cancelled."""
        try:
            await trio.sleep_forever()
        except trio.Cancelled:
            self._tags.append(tag)
            raise

    async def slow_cancel(self, seconds: float) -> None:
        """Never return; take that long to clean up."""
        try:
            await trio.sleep_forever()
        finally:
            with trio.CancelScope(shield=True):
                await trio.sleep(seconds)

    async def cancelled_tags(self) -> list[str]:
        """The tags remembered since the process started."""
        return list(self._tags)

    async def count(self, n: int) -> AsyncIterator[int]:
        """Yield 0 … n-1."""
        for i in range(n):
            yield i

    async def count_then_fail(self, n: int, message: str) -> AsyncIterator[int]:
        """Yield 0 … n-1, then raise."""
        for i in range(n):
            yield i
        raise FixtureError(message)

    async def count_forever(self) -> AsyncIterator[int]:
        """Yield 0, 1, 2, … with about a millisecond between."""
        i = 0
        while True:
            yield i
            i += 1
            await trio.sleep(_COUNT_SECONDS)

    async def ctx_return(self, ctx: ServedContext, first: object, result: object) -> object:
        """Start with the first value, return the result."""
        await ctx.started(first)
        return result

    async def ctx_hang(self, ctx: ServedContext, first: object, tag: str = "") -> None:
        """Start, then wait for ever and read no item; remember the tag when cancelled."""
        await ctx.started(first)
        await self.hang(tag)

    async def ctx_hang_before_started(self, _ctx: ServedContext) -> None:
        """Never start."""
        await trio.sleep_forever()

    async def ctx_fail(self, ctx: ServedContext, first: object, message: str) -> None:
        """Raise after the start."""
        await ctx.started(first)
        raise FixtureError(message)

    async def ctx_fail_before_started(self, _ctx: ServedContext, message: str) -> None:
        """Raise before the start."""
        raise FixtureError(message)

    async def ctx_echo(self, ctx: ServedContext, first: object) -> int:
        """Echo each item until the caller's stop; return how many."""
        await ctx.started(first)
        echoed = 0
        async with ctx.stream() as stream:
            async for item in stream:
                await stream.send(item)
                echoed += 1
        return echoed

    async def ctx_push(self, ctx: ServedContext, first: object, n: int) -> int:
        """Send 0 … n-1, stop, return n."""
        await ctx.started(first)
        async with ctx.stream() as stream:
            for i in range(n):
                await stream.send(i)
        return n

    async def ctx_collect(self, ctx: ServedContext, first: object) -> list[object]:
        """Collect the items until the caller's stop; return them."""
        await ctx.started(first)
        async with ctx.stream() as stream:
            return [item async for item in stream]


async def main() -> None:
    """Serve until told to stop."""
    address = f"tcp://127.0.0.1:{os.environ['IPTC_PORT']}"
    # Told to stop, it waits this long for other ends that may be no peers at all.
    hello_seconds = float(os.environ.get("IPTC_HELLO_SECONDS") or Limits().hello_seconds)
    limits = Limits(goodbye_seconds=1, hello_seconds=hello_seconds)
    with trio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(partial(serve, Fixture().exports(), address, limits=limits))
            async for _ in signals:
                nursery.cancel_scope.cancel()


if __name__ == "__main__":
    trio.run(main)
