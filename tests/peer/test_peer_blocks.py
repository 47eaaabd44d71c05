"""What the blocks of streams and contexts raise when they are left, and what is left of them then."""

from __future__ import annotations

import pytest
import trio
import trio.testing

from iptc_codec.peer import Disconnected, Exports, RemoteError, ServedContext
from tests.peer.peer_support import NS, calling, cmd, pair, serving


async def test_an_error_that_nobody_saw_is_raised_where_a_context_is_left() -> None:
    async with pair() as (peer, _other):
        with pytest.raises(RemoteError, match="boom"):
            async with peer.context(NS, "ctx_fail", first=1, message="boom"):
                await trio.sleep(1)


async def test_an_error_that_nobody_saw_is_raised_where_a_stream_is_left() -> None:
    async with pair() as (peer, _other):
        with pytest.raises(RemoteError, match="boom"):
            async with peer.stream(NS, "count_then_fail", n=0, message="boom"):
                await trio.sleep(1)


async def test_the_end_of_the_connection_is_raised_where_a_context_is_left() -> None:
    async with calling() as (peer, raw), trio.open_nursery() as nursery:

        async def callee() -> None:
            cid = (await raw.receive())["cmd"][4]
            await raw.send({"functype": "context", "cid": cid}, {"started": 1, "cid": cid})
            await raw.stream.aclose()

        nursery.start_soon(callee)
        with pytest.raises(Disconnected):
            async with peer.context(NS, "ctx_hang", first=1):
                await trio.sleep(1)


async def test_an_error_that_was_seen_is_not_raised_again() -> None:
    async with pair() as (peer, _other):
        async with peer.context(NS, "ctx_fail", first=1, message="boom") as (ctx, _first):
            with pytest.raises(RemoteError, match="boom"):
                await ctx.result()
        async with peer.stream(NS, "count_then_fail", n=0, message="boom") as items:
            with pytest.raises(RemoteError, match="boom"):
                await items.receive()


async def test_the_error_of_the_block_comes_before_that_of_the_call() -> None:
    async with pair() as (peer, _other):
        with pytest.raises(ZeroDivisionError):  # noqa: PT012 - the block is what is tested
            async with peer.context(NS, "ctx_fail", first=1, message="boom"):
                await trio.sleep(1)
                raise ZeroDivisionError


async def test_what_was_failed_by_hand_raises_nothing_more() -> None:
    async with (
        pair() as (peer, _other),
        peer.context(NS, "ctx_hang", first=1) as (ctx, _first),
        ctx.stream() as stream,
    ):
        stream.fail(ValueError("enough"))
        await trio.sleep(1)
        assert ctx.ended


async def test_a_stream_that_was_left_is_closed() -> None:
    async with pair() as (peer, _other):
        async with peer.context(NS, "ctx_hang", first=1) as (ctx, _first):
            async with ctx.stream() as stream:
                pass
            with pytest.raises(trio.ClosedResourceError):
                await stream.receive()
        async with peer.stream(NS, "count_forever") as items:
            pass
        with pytest.raises(trio.ClosedResourceError):
            await items.receive()


async def test_leaving_a_stream_wakes_who_waits_for_it() -> None:
    async with (
        pair() as (peer, _other),
        peer.context(NS, "ctx_hang", first=1) as (ctx, _first),
        trio.open_nursery() as nursery,
        ctx.stream() as stream,
    ):

        async def waits() -> None:
            with pytest.raises(trio.ClosedResourceError):
                await stream.receive()

        nursery.start_soon(waits)
        await trio.testing.wait_all_tasks_blocked()


async def test_a_served_context_is_silent_after_its_call() -> None:
    exports = Exports()
    kept: list[ServedContext] = []

    @exports.context("ns")
    async def keeps(ctx: ServedContext) -> None:
        kept.append(ctx)
        if len(kept) > 1:
            await trio.sleep_forever()
        await ctx.started(1)

    async with serving(exports) as raw:
        await raw.send(cmd("c", "keeps", "ns"))
        await raw.receive_many(3)
        await raw.send(cmd("c", "keeps", "ns"))
        assert await raw.receive() == {"functype": "context", "cid": "c"}
        await trio.testing.wait_all_tasks_blocked()
        with pytest.raises(RuntimeError, match="over"):
            await kept[0].started("of the call before")
        with pytest.raises(RuntimeError, match="over"):
            async with kept[0].stream():
                raise AssertionError
