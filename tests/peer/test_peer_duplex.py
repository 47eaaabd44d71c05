"""Async generators with `asend`, carried by a context."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING

import pytest
import trio

from iptc_codec.peer import Exports, RemoteError
from tests.peer.peer_support import cmd, pair, serving

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator


class Adders:
    """An exported generator, and what became of it."""

    def __init__(self) -> None:
        self.closed = 0
        self.exports = Exports()
        self.exports.duplex("ns")(self.adder)

    async def adder(self, start: int, ctx: int = 0) -> AsyncGenerator[int, int]:
        """Add up what is sent; end at 100. The keyword `ctx` is its own, whatever carries it."""
        total = start + ctx
        try:
            while total < 100:
                total += yield total
        finally:
            self.closed += 1
            await trio.lowlevel.checkpoint()


async def test_asend_and_aclose() -> None:
    adders = Adders()
    async with pair(right=adders.exports) as (peer, _other):
        async with peer.duplex("ns", "adder", start=1) as adder:
            assert await adder.asend(None) == 1
            assert await adder.asend(5) == 6
            assert adders.closed == 0
            await adder.aclose()
            assert adders.closed == 1
            with pytest.raises(StopAsyncIteration):
                await adder.asend(1)
        assert adders.closed == 1


async def test_exhaustion() -> None:
    adders = Adders()
    async with pair(right=adders.exports) as (peer, _other):
        async with peer.duplex("ns", "adder", start=1, ctx=0) as adder:
            await adder.asend(None)
            with pytest.raises(StopAsyncIteration):
                await adder.asend(100)
            with pytest.raises(StopAsyncIteration):
                await adder.asend(1)
        assert adders.closed == 1


async def test_plain_iteration() -> None:
    exports = Exports()

    @exports.duplex("ns")
    async def three() -> AsyncGenerator[int, None]:
        for i in range(3):
            yield i

    async with pair(right=exports) as (peer, _other), peer.duplex("ns", "three") as numbers:
        assert [number async for number in numbers] == [0, 1, 2]


async def test_leaving_the_block_closes_the_generator() -> None:
    adders = Adders()
    async with pair(right=adders.exports) as (peer, _other):
        async with peer.duplex("ns", "adder", start=1) as adder:
            await adder.asend(None)
        assert adders.closed == 1
        with pytest.raises(ZeroDivisionError):  # noqa: PT012 - the block is what is tested
            async with peer.duplex("ns", "adder", start=1) as adder:
                await adder.asend(None)
                raise ZeroDivisionError
        assert adders.closed == 2
        async with peer.duplex("ns", "adder", start=1) as adder, aclosing(adder):
            await adder.asend(None)
        assert adders.closed == 3


async def test_errors_of_the_generator() -> None:
    adders = Adders()
    exports = adders.exports

    @exports.duplex("ns")
    async def fails() -> AsyncGenerator[int, int]:
        yield 1
        raise ValueError("in the generator")

    @exports.duplex("ns")
    async def fails_closing() -> AsyncGenerator[int, int]:
        try:
            yield 1
        finally:
            raise ValueError("in its clean-up")

    async with pair(right=exports) as (peer, _other):
        with pytest.raises(RemoteError, match="in the generator"):  # noqa: PT012 - the block is what is tested
            async with peer.duplex("ns", "fails") as fails_:
                assert await fails_.asend(None) == 1
                await fails_.asend(None)
        with pytest.raises(RemoteError, match="in its clean-up"):
            async with peer.duplex("ns", "fails_closing") as closing:
                assert await closing.asend(None) == 1
        with pytest.raises(RemoteError, match="TypeError"):
            async with peer.duplex("ns", "adder", start=1) as adder:
                await adder.asend("a value before the first None")


async def test_athrow_ends_it() -> None:
    adders = Adders()
    async with pair(right=adders.exports) as (peer, _other), peer.duplex("ns", "adder", start=1) as adder:
        await adder.asend(None)
        with pytest.raises(RemoteError):
            await adder.athrow(ValueError("thrown"))
        assert adders.closed == 1
        with pytest.raises(RemoteError):
            await adder.asend(1)


async def test_a_cancelled_asend_leaves_no_stale_answer() -> None:
    exports = Exports()

    @exports.duplex("ns")
    async def slow() -> AsyncGenerator[int, int]:
        value = yield 0
        while True:
            await trio.sleep(value)
            value = yield value

    async with pair(right=exports) as (peer, _other), peer.duplex("ns", "slow") as generator:
        await generator.asend(None)
        with trio.move_on_after(1):
            await generator.asend(2)
        with pytest.raises(StopAsyncIteration):
            await generator.asend(0)


async def test_on_the_wire() -> None:
    async with serving(Adders().exports) as raw:
        await raw.send(cmd("c", "adder", "ns", start=1))
        assert await raw.receive_many(2) == [
            {"functype": "context", "cid": "c"},
            {"started": None, "cid": "c"},
        ]
        await raw.send({"yield": None, "cid": "c"}, {"yield": 5, "cid": "c"}, {"stop": True, "cid": "c"})
        assert await raw.receive_many(4) == [
            {"yield": 1, "cid": "c"},
            {"yield": 6, "cid": "c"},
            {"stop": True, "cid": "c"},
            {"return": None, "cid": "c"},
        ]
        await raw.send(cmd("d", "adder", "ns"))
        assert (await raw.receive())["error"]["type_str"] == "TypeError"


def test_only_generator_functions_can_be_duplex() -> None:
    async def no_generator() -> None: ...

    with pytest.raises(TypeError):
        Exports().duplex("ns")(no_generator)
