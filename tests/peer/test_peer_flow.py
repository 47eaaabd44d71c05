"""Items that their consumer does not take: bounds, pauses, overrun (FLW)."""

from __future__ import annotations

import pytest
import trio
import trio.testing

from iptc_codec import Limits
from iptc_codec.peer import Exports, Peer, ServedContext, StreamOverrunError
from iptc_codec.peer.testee import Fixture
from tests.peer.peer_support import NS, Raw, calling, cancel, cmd, error, pair, serving

OVERRUN = {"error": {"tb_str": "the consumer takes no items", "type_str": "StreamOverrun"}, "cid": "c"}
TIGHT = Limits(held_items=64, stall_seconds=1)


def items(count: int, cid: str = "c") -> list[object]:
    """That many ITEMs."""
    return [{"yield": i, "cid": cid} for i in range(count)]


# As the callee.


async def test_a_context_that_reads_nothing_delays_others_by_a_bound() -> None:
    async with serving(limits=TIGHT) as raw:
        await raw.send(cmd("c", "ctx_hang", first=1))
        await raw.receive_many(2)
        before = trio.current_time()
        await raw.send(*items(1000))
        assert await raw.barrier("b") == [OVERRUN]
        assert trio.current_time() == pytest.approx(before + 1)
        # One notice for all that is lost; and no more delay.
        await raw.send(*items(1000))
        assert await raw.barrier("d") == []
        assert trio.current_time() == pytest.approx(before + 1)


async def test_no_item_is_lost_within_the_bound() -> None:
    async with serving(limits=TIGHT) as raw:
        await raw.send(cmd("c", "ctx_hang", first=1))
        await raw.receive_many(2)
        before = trio.current_time()
        await raw.send(*items(63))
        assert await raw.barrier("b") == []
        assert trio.current_time() == before
        await raw.send(*items(1))
        assert await raw.barrier("d") == []
        assert trio.current_time() == pytest.approx(before + 1)


async def test_the_bound_in_bytes() -> None:
    async with serving(limits=Limits(held_bytes=10_000)) as raw:
        await raw.send(cmd("c", "ctx_hang", first=1))
        await raw.receive_many(2)
        await raw.send(*[{"yield": b"x" * 4000, "cid": "c"} for _ in range(3)])
        assert await raw.barrier("b") == []
        await raw.send({"yield": b"", "cid": "c"})
        assert await raw.barrier("d") == [OVERRUN]


async def test_control_messages_are_never_dropped() -> None:
    async with serving(limits=TIGHT) as raw:
        await raw.send(cmd("c", "ctx_hang", first=1))
        await raw.receive_many(2)
        await raw.send(*items(200), {"stop": True, "cid": "c"}, error("c", "X"))
        await raw.send(cmd("k", "_cancel_task", "self", cid="c"))
        got = await raw.receive_many(4)
        assert got[0] == OVERRUN
        assert error("c", "ContextCancelled") in got
        assert got[-1] == {"return": True, "cid": "k"}


async def test_a_consumer_that_keeps_taking_gets_everything() -> None:
    exports = Exports()

    @exports.context("ns")
    async def slow(ctx: ServedContext) -> list[object]:
        await ctx.started()
        taken: list[object] = []
        async with ctx.stream() as stream:
            async for item in stream:
                taken.append(item)
                await trio.sleep(0.9)
        return taken

    async with serving(exports, limits=Limits(held_items=4, stall_seconds=1)) as raw:
        await raw.send(cmd("c", "slow", "ns"))
        await raw.receive_many(2)
        await raw.send(*items(30), {"stop": True, "cid": "c"})
        assert await raw.receive_many(2) == [{"stop": True, "cid": "c"}, {"return": [*range(30)], "cid": "c"}]


def slow(seconds: float, taken: list[object], overrun: list[int]) -> Exports:
    """A context that takes an item each so many seconds."""
    exports = Fixture().exports()

    @exports.context("ns")
    async def takes(ctx: ServedContext) -> None:
        await ctx.started()
        async with ctx.stream() as stream:
            try:
                async for item in stream:
                    taken.append(item)
                    await trio.sleep(seconds)
            except StreamOverrunError as error:
                overrun.append(error.lost)

    return exports


async def test_what_comes_behind_a_slow_consumer_waits_for_a_few_items_at_a_time() -> None:
    taken: list[object] = []
    async with serving(slow(0.9, taken, [])) as raw:
        await raw.send(cmd("c", "takes", "ns"))
        await raw.receive_many(2)
        await raw.send(*items(1025))
        before = trio.current_time()
        assert await raw.barrier("b") == []
        assert trio.current_time() <= before + 17
        await raw.stream.aclose()


async def test_no_pause_is_longer_than_its_bound() -> None:
    # The consumer takes an item each 0.9 s, but a last one as large as all that may be held came behind them.
    taken: list[object] = []
    overrun: list[int] = []
    limits = Limits(held_bytes=10_000, stall_seconds=1)
    async with serving(slow(0.9, taken, overrun), limits=limits) as raw:
        await raw.send(cmd("c", "takes", "ns"))
        await raw.receive_many(2)
        await raw.send(*items(60), {"yield": b"x" * 10_000, "cid": "c"}, *items(3))
        before = trio.current_time()
        assert await raw.barrier("b") == [OVERRUN]
        assert trio.current_time() == pytest.approx(before + 30)
        await raw.send({"stop": True, "cid": "c"})
        assert (await raw.answers("c"))[-1] == {"return": None, "cid": "c"}
        assert len(taken) == 61
        assert overrun == [3]


async def test_a_consumer_that_comes_back_is_told_what_it_lost() -> None:
    exports = Exports()
    lost: list[int] = []

    @exports.context("ns")
    async def late(ctx: ServedContext) -> list[object]:
        await ctx.started()
        taken: list[object] = []
        async with ctx.stream() as stream:
            await trio.sleep(10)
            try:
                async for item in stream:
                    taken.append(item)  # noqa: PERF401 - until it raises
            except StreamOverrunError as overrun:
                lost.append(overrun.lost)
        return taken

    async with serving(exports, limits=Limits(held_items=4, stall_seconds=1)) as raw:
        await raw.send(cmd("c", "late", "ns"))
        await raw.receive_many(2)
        await raw.send(*items(30), {"stop": True, "cid": "c"})
        got = await raw.receive_many(3)
        assert got[0] == OVERRUN
        assert got[1:] == [{"stop": True, "cid": "c"}, {"return": [0, 1, 2, 3], "cid": "c"}]
        assert lost == [26]


async def test_a_call_that_was_cancelled_holds_nothing_while_it_cleans_up() -> None:
    exports = Fixture().exports()

    @exports.context("ns")
    async def cleans_up(ctx: ServedContext) -> None:
        await ctx.started()
        try:
            await trio.sleep_forever()
        finally:
            with trio.CancelScope(shield=True):
                await trio.sleep(9)

    async with serving(exports, limits=TIGHT) as raw:
        await raw.send(cmd("c", "cleans_up", "ns"))
        await raw.receive_many(2)
        before = trio.current_time()
        await raw.send(cancel("k", "c"), *items(1000))
        await raw.receive()
        assert await raw.barrier("b") == []
        assert trio.current_time() == before


async def test_a_stream_that_was_left_by_an_error_holds_nothing() -> None:
    exports = Fixture().exports()

    @exports.context("ns")
    async def goes_on(ctx: ServedContext) -> None:
        await ctx.started()
        with pytest.raises(ZeroDivisionError):
            async with ctx.stream():
                raise ZeroDivisionError
        await trio.sleep_forever()

    async with serving(exports, limits=TIGHT) as raw:
        await raw.send(cmd("c", "goes_on", "ns"))
        await raw.receive_many(2)
        before = trio.current_time()
        await raw.send(*items(1000))
        assert await raw.barrier("b") == []
        assert trio.current_time() == before


async def test_a_call_that_ends_opens_the_gate() -> None:
    exports = Exports()

    @exports.context("ns")
    async def returns(ctx: ServedContext) -> int:
        await ctx.started()
        await trio.sleep(0.5)
        return 1

    async with serving(exports, limits=Limits(held_items=4, stall_seconds=1)) as raw:
        await raw.send(cmd("c", "returns", "ns"))
        await raw.receive_many(2)
        before = trio.current_time()
        await raw.send(*items(30))
        assert await raw.receive() == {"return": 1, "cid": "c"}
        await raw.send(cmd("b", "nope"))
        assert (await raw.receive())["cid"] == "b"
        assert trio.current_time() == pytest.approx(before + 0.5)


# As the caller.


async def test_a_caller_that_reads_too_slowly() -> None:
    async with calling(limits=Limits(held_items=4, stall_seconds=1)) as (peer, raw):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(flood, raw, 20)
            with pytest.raises(StreamOverrunError, match="16"):  # noqa: PT012 - the block is what is tested
                async with peer.stream(NS, "count", n=20) as stream:
                    await trio.sleep(5)
                    taken = 0
                    async for item in stream:
                        assert item == taken
                        taken += 1
        assert taken == 4


async def flood(raw: Raw, count: int) -> None:
    """Be the callee of a generator."""
    cid = (await raw.receive())["cmd"][4]
    await raw.send({"functype": "asyncgen", "cid": cid}, *items(count, cid), {"stop": True, "cid": cid})
    assert await raw.receive() == {**OVERRUN, "cid": cid}


async def test_a_result_comes_past_items_that_nobody_reads() -> None:
    async with pair(limits=Limits(held_items=64, stall_seconds=1)) as (peer, _other):
        async with peer.context(NS, "ctx_push", first=1, n=1000) as (ctx, _first):
            assert await ctx.result() == 1000
        assert await peer.call(NS, "echo", value=1) == 1


async def test_a_stream_that_was_left_holds_nothing_and_delays_nothing() -> None:
    async with pair(limits=Limits(held_items=64, stall_seconds=1)) as (peer, _other):
        async with peer.context(NS, "ctx_push", first=1, n=1000) as (ctx, _first):
            async with ctx.stream() as stream:
                assert await stream.receive() == 0
            assert await ctx.result() == 1000
        assert trio.current_time() < 1


async def test_a_notice_shows_at_the_sender_and_ends_nothing() -> None:
    async with (
        pair(limits=Limits(held_items=64, stall_seconds=1)) as (peer, _other),
        peer.context(NS, "ctx_hang", first=1) as (ctx, _first),
        ctx.stream() as stream,
    ):
        for i in range(1000):
            await stream.send(i)
        await trio.sleep(5)
        assert stream.overrun_notices == 1
        await stream.send(1000)


async def test_a_long_stream_arrives_in_order_and_complete() -> None:
    async with pair() as (peer, _other), peer.stream(NS, "count", n=5000) as stream:
        assert [item async for item in stream] == [*range(5000)]


async def test_both_directions_at_once_lose_nothing() -> None:
    async with (
        pair() as (peer, _other),
        peer.context(NS, "ctx_echo", first=1) as (ctx, _first),
        ctx.stream() as stream,
    ):
        async with trio.open_nursery() as nursery:

            async def send() -> None:
                for i in range(3000):
                    await stream.send(i)
                stream.end()

            nursery.start_soon(send)
            assert [item async for item in stream] == [*range(3000)]
        assert await ctx.result() == 3000


async def test_many_calls_side_by_side() -> None:
    async with pair() as (peer, _other), trio.open_nursery() as nursery:

        async def one(value: int) -> None:
            assert await peer.call(NS, "echo", value=value) == value

        for value in range(300):
            nursery.start_soon(one, value)


async def test_waiting_for_a_consumer_ends_with_the_peer() -> None:
    async def leave_early(peer: Peer) -> None:
        with trio.move_on_after(0.5):
            async with peer.stream(NS, "count_forever") as stream:
                await stream.receive()
                await trio.sleep(100)

    async with pair(limits=Limits(held_items=64, stall_seconds=50)) as (peer, _other):
        await leave_early(peer)
        assert trio.current_time() < 1
