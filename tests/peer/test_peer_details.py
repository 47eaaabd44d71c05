"""Corners: chunking, late messages, waiting writers, context variables."""

from __future__ import annotations

import signal
from contextvars import ContextVar
from typing import TYPE_CHECKING

import pytest
import trio
import trio.testing

from iptc_codec import Limits
from iptc_codec.peer import (
    Disconnected,
    Exports,
    Kind,
    ServedContext,
    TooManyCallsError,
    current_peer,
    open_stream_peer,
)
from tests.peer.peer_support import (
    NS,
    UID,
    Raw,
    calling,
    cancel,
    cmd,
    error,
    frame,
    pair,
    serving,
    stream_pair,
    using_streams,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

variable: ContextVar[str] = ContextVar("variable", default="unset")


async def test_a_conversation_byte_by_byte() -> None:
    async with serving() as raw:
        opened = [cmd("c", "ctx_echo", first=1), {"yield": 1, "cid": "c"}, {"stop": True, "cid": "c"}]
        await raw.send(opened[0])
        await raw.receive_many(2)
        for value in opened[1:]:
            for byte in frame(value):
                await raw.send_bytes(bytes([byte]))
                await trio.testing.wait_all_tasks_blocked()
        assert await raw.receive_many(3) == [
            {"yield": 1, "cid": "c"},
            {"stop": True, "cid": "c"},
            {"return": 1, "cid": "c"},
        ]


@pytest.mark.parametrize(
    "late",
    [
        [{"error": {"tb_str": "", "type_str": "X"}}],
        [{"functype": "asyncfunc"}, {"return": 1}],
        [{"functype": "asyncgen"}, {"yield": 1}, {"stop": True}],
        [{"functype": "context"}, {"started": 1}, {"yield": 1}, {"stop": True}, {"return": 1}],
        [
            {"functype": "context"},
            {"started": 1},
            {"error": {"tb_str": "", "type_str": "StreamOverrun"}},
            {"return": 1},
        ],
    ],
)
async def test_what_comes_for_a_call_that_was_given_up(late: list[dict[str, object]]) -> None:
    async with calling(limits=Limits(cancel_seconds=1, open_calls=2)) as (peer, raw):
        with trio.move_on_after(1):
            await peer.call(NS, "hang")
        cid = (await raw.receive())["cmd"][4]
        own = (await raw.receive())["cmd"][4]
        # Neither was answered: both still count as open (OPN-12s).
        with pytest.raises(TooManyCallsError):
            await peer.call(NS, "hang")
        await raw.send(*[{**message, "cid": cid} for message in late], error(own, "X"))
        await trio.testing.wait_all_tasks_blocked()
        with trio.move_on_after(1) as scope:
            await peer.call(NS, "hang")
        assert scope.cancelled_caught


async def test_who_waits_to_write_learns_at_once_that_it_is_over() -> None:
    ours, theirs = trio.testing.lockstep_stream_pair()
    raw = Raw(theirs)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(raw.send, UID)
        async with open_stream_peer(ours) as peer:
            await raw.receive()

            async def calls() -> None:
                with pytest.raises(Disconnected, match="Boom"):
                    await peer.call(NS, "echo", value=b"x" * 1_000_000)
                assert trio.current_time() == before

            before = trio.current_time()
            async with trio.open_nursery() as callers:
                for _ in range(3):
                    callers.start_soon(calls)
                await trio.testing.wait_all_tasks_blocked()
                await raw.send({"error": {"tb_str": "", "type_str": "Boom"}})


async def test_context_variables_do_not_leak_from_call_to_call() -> None:
    exports = Exports()

    @exports.function("ns")
    async def swap(value: str) -> str:
        before = variable.get()
        variable.set(value)
        await trio.lowlevel.checkpoint()
        assert variable.get() == value
        return before

    variable.set("the server's")
    async with serving(exports) as raw:
        for cid in ("a", "b"):
            await raw.send(cmd(cid, "swap", "ns", value=cid))
            assert (await raw.answers(cid))[-1] == {"return": "the server's", "cid": cid}


def test_ctrl_c_does_not_hit_a_served_function(streams: str) -> None:
    exports = Exports()
    got: list[object] = []

    @exports.function("ns")
    async def interrupted() -> str:
        signal.raise_signal(signal.SIGINT)
        return "survived"

    async def main() -> None:
        with using_streams(streams):
            await interrupt()

    async def interrupt() -> None:
        async with serving(exports, limits=Limits(goodbye_seconds=0.1)) as raw:
            await raw.send(cmd("c", "interrupted", "ns"))
            try:
                await trio.sleep(5)
            finally:
                with trio.CancelScope(shield=True), trio.move_on_after(5):
                    got.extend(await raw.answers("c"))

    with pytest.raises(BaseExceptionGroup) as info:
        trio.run(main)
    assert info.group_contains(KeyboardInterrupt)
    assert got[-1] == {"return": "survived", "cid": "c"}


async def test_there_is_a_current_peer_only_in_a_served_call() -> None:
    with pytest.raises(LookupError):
        current_peer()


def test_a_kind_that_does_not_fit() -> None:
    async def items() -> AsyncIterator[int]:
        yield 1

    with pytest.raises(TypeError, match="context"):
        Exports().add("ns", items, kind=Kind.CONTEXT)
    with pytest.raises(TypeError, match="asyncgen"):
        Exports().add("ns", test_a_conversation_byte_by_byte, kind=Kind.ASYNCGEN)


async def test_a_group_of_errors_on_the_way_out_of_a_cancel() -> None:
    exports = Exports()

    @exports.function("ns")
    async def messy() -> None:
        async def fails_on_the_way_out() -> None:
            try:
                await trio.sleep_forever()
            finally:
                raise ValueError("clean-up")

        async with trio.open_nursery() as nursery:
            nursery.start_soon(fails_on_the_way_out)
            nursery.start_soon(fails_on_the_way_out)

    async with serving(exports) as raw:
        await raw.send(cmd("c", "messy", "ns"))
        await raw.receive()
        await raw.send(cancel("k", "c"))
        terminal = (await raw.receive_many(2))[1]
        assert terminal["error"]["type_str"] == "ContextCancelled"
        assert "clean-up" in terminal["error"]["tb_str"]


async def test_why_a_connection_is_over() -> None:
    async with pair() as (peer, other):
        pass
    assert await peer.closed() == "this end has left"
    assert await other.closed() == "the other end has left"


async def test_one_cancel_for_a_call_that_is_left_from_two_sides() -> None:
    ours, theirs = stream_pair()
    raw = Raw(theirs)
    await raw.send(UID)
    async with trio.open_nursery() as nursery:

        async def leaves() -> None:
            async with open_stream_peer(ours, limits=Limits(cancel_seconds=2)) as peer:
                with trio.move_on_after(1):
                    async with trio.open_nursery() as inner:
                        inner.start_soon(peer.call, NS, "hang")
                        inner.start_soon(peer.call, NS, "hang")

        nursery.start_soon(leaves)
        rest = await raw.rest()
    assert str(rest).count("_cancel_task") == 2


async def test_a_stream_used_after_its_end() -> None:
    exports = Exports()
    seen: list[str] = []

    @exports.context("ns")
    async def ends_first(ctx: ServedContext) -> None:
        await ctx.started()
        async with ctx.stream() as stream:
            stream.end()
            stream.end()
            with pytest.raises(trio.ClosedResourceError):
                await stream.send(1)
            seen.extend([str(item) async for item in stream])

    async with pair(right=exports) as (peer, _other), peer.context("ns", "ends_first") as (ctx, _first):
        async with ctx.stream() as stream:
            with pytest.raises(trio.EndOfChannel):
                await stream.receive()
            await stream.send("still open in this direction")
        assert await ctx.result() is None
        with pytest.raises(RuntimeError):
            async with ctx.stream():
                pass
        with pytest.raises(trio.ClosedResourceError):
            await stream.send(1)
        assert seen == ["still open in this direction"]


async def test_a_callee_that_returns_ends_the_callers_stream() -> None:
    async with (
        pair() as (peer, _other),
        peer.context(NS, "ctx_return", first=1, result=2) as (ctx, _first),
    ):
        async with ctx.stream() as stream:
            assert [item async for item in stream] == []
            with pytest.raises(trio.ClosedResourceError):
                await stream.send(1)
        assert await ctx.result() == 2
