"""What the peers of a simulation do: calls of every kind, each of which may be cut short.

An operation is three small numbers: which, how many, how long until it is given up. Each checks what it gets,
as far as the connection allows.
"""

# ruff: noqa: D102  (the functions and operations say what they do by their names)
from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

import trio

from iptc_codec import UnencodableValueError
from iptc_codec.peer import (
    Disconnected,
    Exports,
    Peer,
    PeerError,
    RemoteError,
    ServedContext,
    StreamOverrunError,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

NS = "work"
PATIENCE = (50.0, 5.0, 0.5, 0.01, 0.001, 0.0)
"""Seconds after which an operation is given up."""


class Operation(NamedTuple):
    """One call: `kind` and `patience` are looked up modulo what there is."""

    kind: int = 0
    number: int = 0
    patience: int = 0


class Boom(Exception):  # noqa: N818  (raised to be raised)
    """What functions and blocks raise that are there to fail."""


class Served:
    """The functions of one end, which count who is in them."""

    def __init__(self) -> None:
        self.entered = 0
        self.left = 0

    @property
    def inside(self) -> int:
        """How many functions run."""
        return self.entered - self.left

    def __enter__(self) -> None:
        self.entered += 1

    def __exit__(self, *_: object) -> None:
        self.left += 1

    def exports(self) -> Exports:
        """All functions, under `work`."""
        exports = Exports()
        for function in (self.echo, self.fail, self.hang, self.slow, self.unsayable, self.count, self.ticks):
            exports.function(NS)(function)
        for context in (self.mirror, self.collect, self.push, self.idle, self.broken, self.dumb):
            exports.context(NS)(context)
        return exports

    async def echo(self, value: object) -> object:
        with self:
            return value

    async def fail(self) -> None:
        with self:
            raise Boom

    async def hang(self) -> None:
        with self:
            await trio.sleep_forever()

    async def slow(self) -> None:
        """Take a second to clean up."""
        with self:
            try:
                await trio.sleep_forever()
            finally:
                with trio.CancelScope(shield=True):
                    await trio.sleep(1)

    async def unsayable(self) -> object:
        with self:
            return object()

    async def count(self, n: int, *, fails: bool = False) -> AsyncIterator[int]:
        with self:
            for i in range(n):
                yield i
            if fails:
                raise Boom

    async def ticks(self) -> AsyncIterator[int]:
        with self:
            i = 0
            while True:
                yield i
                i += 1
                await trio.sleep(0.01)

    async def mirror(self, ctx: ServedContext) -> int:
        with self:
            await ctx.started(value=True)
            count = 0
            async with ctx.stream() as stream:
                async for item in stream:
                    await stream.send(item)
                    count += 1
            return count

    async def collect(self, ctx: ServedContext) -> list[object]:
        with self:
            await ctx.started()
            async with ctx.stream() as stream:
                return [item async for item in stream]

    async def push(self, ctx: ServedContext, n: int) -> int:
        with self:
            await ctx.started(n)
            async with ctx.stream() as stream:
                for i in range(n):
                    await stream.send(i)
            return n

    async def idle(self, ctx: ServedContext) -> None:
        """Start, and read nothing."""
        with self:
            await ctx.started()
            await trio.sleep_forever()

    async def broken(self, ctx: ServedContext, *, early: bool) -> None:
        with self:
            if not early:
                await ctx.started()
            raise Boom

    async def dumb(self, _ctx: ServedContext) -> None:
        with self:
            return  # without having started


class Worker:
    """Operations of one end, one after the other."""

    def __init__(self, peer: Peer, *, calm: bool) -> None:
        self._peer = peer
        self._calm = calm
        self.outcomes: Counter[str] = Counter()

    async def work(self, operations: list[Operation]) -> None:
        """Carry all of them out; only a connection that has ended ends it sooner."""
        for operation in operations:
            kind = KINDS[operation.kind % len(KINDS)]
            try:
                with trio.move_on_after(PATIENCE[operation.patience % len(PATIENCE)]) as scope:
                    await kind(self, operation.number)
                self.outcomes["cut short" if scope.cancelled_caught else kind.__name__] += 1
            except Disconnected:
                assert not self._calm, "a connection that nobody touched was lost"
                self.outcomes["disconnected"] += 1
                return
            except RemoteError as error:
                self._check_remote(error)
                self.outcomes[error.type_str] += 1
            except (Boom, StreamOverrunError, trio.ClosedResourceError) as end:
                self.outcomes[type(end).__name__] += 1

    def _check_remote(self, error: RemoteError) -> None:
        """The consumer at the other end may be too slow; and the other end may be leaving."""
        allowed = (
            {"StreamOverrunError"}
            if self._calm
            else {"StreamOverrunError", "ContextCancelled", "Disconnected"}
        )
        assert error.type_str in allowed, f"a call failed over there: {error.type_str}"

    async def echo(self, number: int) -> None:
        value = {"n": number, "text": "x" * number, "list": [None, -1, 1.5, b"\0"]}
        assert await self._peer.call(NS, "echo", value=value) == value

    async def refused(self, number: int) -> None:
        calls: tuple[tuple[str, dict[str, object], str], ...] = (
            ("fail", {}, "Boom"),
            ("nothing", {}, "AttributeError"),
            ("echo", {"other": 1}, "TypeError"),
            ("unsayable", {}, "UnencodableValueError"),
        )
        func, kwargs, type_str = calls[number % len(calls)]
        await expect(type_str, self._peer.call(NS, func, **kwargs))

    async def unsayable(self, _number: int) -> None:
        try:
            await self._peer.call(NS, "echo", value=object())
        except UnencodableValueError:
            return
        raise AssertionError("an object has been sent")

    async def hang(self, number: int) -> None:
        await self._peer.call(NS, "slow" if number % 2 else "hang")

    async def count(self, number: int) -> None:
        async with self._peer.stream(NS, "count", n=number) as items:
            assert [item async for item in items] == [*range(number)]

    async def count_and_fail(self, number: int) -> None:
        seen: list[object] = []

        async def all_of_it() -> None:
            async with self._peer.stream(NS, "count", n=number, fails=True) as items:
                seen.extend([item async for item in items])

        await expect("Boom", all_of_it())

    async def leave(self, number: int) -> None:
        """Leave a stream early, slowly or not, or by an exception."""
        async with self._peer.stream(NS, "ticks" if number % 2 else "count", **_n(number)) as items:
            async for item in items:
                if item == number // 3:
                    break
                await trio.sleep(0.1 if number % 5 == 0 else 0)
            if number % 7 == 0:
                raise Boom

    async def slow_reader(self, number: int) -> None:
        async with self._peer.stream(NS, "count", n=5 * number) as items:
            expected = 0
            async for item in items:
                assert item == expected
                expected += 1
                await trio.sleep(3 if expected == 1 else 0)

    async def mirror(self, number: int) -> None:
        async with self._peer.context(NS, "mirror") as (ctx, first), ctx.stream() as stream:
            assert first is True
            for i in range(number):
                await stream.send(i)
            stream.end()
            assert [item async for item in stream] == [*range(number)]
            assert await ctx.result() == number

    async def talk(self, number: int) -> None:
        """One item there, one back; then fail, leave or end."""
        async with self._peer.context(NS, "mirror") as (ctx, _), ctx.stream() as stream:
            for i in range(number % 6):
                await stream.send(i)
                assert await stream.receive() == i
            if number % 3 == 0:
                stream.fail(Boom())
            elif number % 3 == 1:
                raise Boom

    async def collect(self, number: int) -> None:
        async with self._peer.context(NS, "collect") as (ctx, _):
            async with ctx.stream() as stream:
                for i in range(number):
                    await stream.send(i)
            assert await ctx.result() == [*range(number)]

    async def push(self, number: int) -> None:
        """Read a few of many items, or none, and ask for the result or not."""
        async with self._peer.context(NS, "push", n=number) as (ctx, first):
            assert first == number
            if number % 2:
                async with ctx.stream() as stream:
                    if number > 1:
                        assert await stream.receive() == 0
            if number % 3:
                assert await ctx.result() == number

    async def idle(self, number: int) -> None:
        """Send to somebody who reads nothing."""
        async with self._peer.context(NS, "idle") as (ctx, _), ctx.stream() as stream:
            for i in range(number):
                await stream.send(i)
            if number % 2:
                await ctx.result()

    async def broken(self, number: int) -> None:
        async def whole() -> None:
            async with self._peer.context(NS, "broken", early=bool(number % 2)) as (ctx, _):
                await ctx.result()

        await expect("Boom", whole())

    async def dumb(self, _number: int) -> None:
        async def whole() -> None:
            async with self._peer.context(NS, "dumb") as (ctx, _):
                await ctx.result()

        await expect("RuntimeError", whole())


def _n(number: int) -> dict[str, object]:
    return {} if number % 2 else {"n": number}


async def expect(type_str: str, work: Awaitable[object]) -> None:
    """See that a call fails at the other end, of this type, and of no other."""
    try:
        await work
    except RemoteError as error:
        if error.type_str != type_str:
            raise
        return
    raise AssertionError("it should have failed")


KINDS: tuple[Callable[[Worker, int], Awaitable[None]], ...] = (
    *(Worker.echo, Worker.count, Worker.mirror, Worker.collect, Worker.push, Worker.refused, Worker.hang),
    *(Worker.count_and_fail, Worker.leave, Worker.slow_reader, Worker.talk, Worker.idle, Worker.broken),
    *(Worker.dumb, Worker.unsayable),
)

__all__ = ["KINDS", "NS", "PATIENCE", "Boom", "Operation", "PeerError", "Served", "Worker", "expect"]
