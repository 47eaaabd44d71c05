"""How connections begin and end: hello, GOODBYE, EOF, reset, in every state of the calls."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import trio
import trio.testing

from iptc_codec import Limits, Role
from iptc_codec.peer import (
    Disconnected,
    Exports,
    Peer,
    RemoteCancelled,
    ServedContext,
    current_peer,
    open_stream_peer,
    serve_stream,
)
from iptc_codec.peer.testee import Fixture
from tests.peer.peer_support import NS, UID, Raw, calling, cmd, error, pair, serving

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

SERVED = pytest.mark.parametrize(
    ("func", "kwargs", "before"),
    [
        ("hang", {"tag": "t"}, 1),
        ("ctx_hang", {"first": 1, "tag": "t"}, 2),
    ],
)

# Hello.


@pytest.mark.parametrize("role", list(Role))
async def test_no_hello_in_time(role: Role) -> None:
    ours, theirs = trio.testing.memory_stream_pair()
    raw = Raw(theirs)
    with pytest.raises(Disconnected, match="HSK-05r"):
        async with open_stream_peer(ours, role=role, limits=Limits(hello_seconds=3)):
            pass
    assert trio.current_time() == pytest.approx(3)
    assert len(await raw.rest()) == 1


@pytest.mark.parametrize(
    "first",
    [b"\x01\x00\x00\x00\xc0", b"\x01\x00\x00\x00\x05", b"GET / HTTP/1.1\r\n\r\n", b"\x00\x00\x00\x00", b""],
)
async def test_a_first_frame_that_is_no_hello(first: bytes) -> None:
    ours, theirs = trio.testing.memory_stream_pair()
    raw = Raw(theirs)
    if first:
        await raw.send_bytes(first)
    else:
        await theirs.send_eof()
    with pytest.raises(Disconnected):
        async with open_stream_peer(ours):
            pass
    assert [type(value) for value in await raw.rest()] == ([list, dict] if first else [list])


async def test_hello_and_calls_in_one_piece() -> None:
    ours, theirs = trio.testing.memory_stream_pair()
    raw = Raw(ours)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(serve_stream, theirs, Fixture().exports())
        await raw.send([*UID, {"more": 1}], cmd("c", "echo", value=1))
        assert (await raw.receive_many(3))[1:] == [
            {"functype": "asyncfunc", "cid": "c"},
            {"return": 1, "cid": "c"},
        ]
        await ours.aclose()


async def test_a_cancelled_opening_leaves_nothing_behind() -> None:
    ours, theirs = trio.testing.memory_stream_pair()
    with trio.move_on_after(1) as scope:
        async with open_stream_peer(ours):
            pass
    assert scope.cancelled_caught
    assert trio.current_time() == pytest.approx(1)
    assert len(await Raw(theirs).rest()) == 2


# The other end leaves, and we serve.


@SERVED
async def test_goodbye_cancels_what_is_served(func: str, kwargs: dict[str, object], before: int) -> None:
    async with serving() as raw:
        await raw.send(cmd("c", func, **kwargs))
        await raw.receive_many(before)
        await raw.send(None)
        assert await raw.rest() == [error("c", "ContextCancelled"), None]


async def test_goodbye_waits_for_clean_up() -> None:
    async with serving() as raw:
        await raw.send(cmd("c", "slow_cancel", seconds=3), cmd("d", "hang"))
        await raw.receive_many(2)
        before = trio.current_time()
        await raw.send(None)
        assert await raw.rest() == [error("d", "ContextCancelled"), error("c", "ContextCancelled"), None]
        assert trio.current_time() == pytest.approx(before + 3)


async def test_goodbye_without_calls() -> None:
    async with serving() as raw:
        await raw.send(None)
        assert await raw.rest() == [None]


async def test_nothing_is_taken_after_goodbye() -> None:
    async with serving() as raw:
        await raw.send(cmd("d", "slow_cancel", seconds=1), None, cmd("c", "echo", value=1))
        rest = await raw.rest()
        assert {"return": 1, "cid": "c"} not in rest
        assert list(rest[-1]["error"]["type_str"]) == list("ProtocolError")


@SERVED
@pytest.mark.parametrize("how", ["eof", "close", "half a frame"])
async def test_the_end_of_the_stream_cancels_what_is_served(
    func: str, kwargs: dict[str, object], before: int, how: str
) -> None:
    fixture = Fixture()
    async with serving(fixture.exports()) as raw:
        await raw.send(cmd("c", func, **kwargs))
        await raw.receive_many(before)
        if how == "half a frame":
            await raw.send_bytes(b"\x10\x00\x00\x00\x82")
        if how == "close":
            await raw.stream.aclose()
        else:
            assert isinstance(raw.stream, trio.StapledStream)
            await raw.stream.send_eof()
            assert await raw.rest() == []
    assert await fixture.cancelled_tags() == ["t"]


async def test_the_end_of_the_stream_before_a_task_has_begun() -> None:
    fixture = Fixture()
    async with serving(fixture.exports()) as raw:
        await raw.send(cmd("c", "hang", tag="t"))
        await raw.stream.aclose()
    assert await fixture.cancelled_tags() == ["t"]


# The connection ends, and we call.


async def call(peer: Peer) -> None:
    await peer.call(NS, "hang")


async def stream(peer: Peer) -> None:
    async with peer.stream(NS, "count_forever") as items:
        async for _ in items:
            pass


async def context(peer: Peer) -> None:
    async with peer.context(NS, "ctx_hang", first=1) as (ctx, _):
        await ctx.result()


async def both_ways(peer: Peer) -> None:
    async with peer.context(NS, "ctx_echo", first=1) as (ctx, _), ctx.stream() as both:
        await both.receive()


@pytest.mark.parametrize("end", ["eof", "goodbye", "fatal", "garbage"])
@pytest.mark.parametrize(
    ("action", "answers"),
    [
        (call, []),
        (call, [{"functype": "asyncfunc"}]),
        (stream, []),
        (stream, [{"functype": "asyncgen"}, {"yield": 1}]),
        (context, []),
        (context, [{"functype": "context"}]),
        (context, [{"functype": "context"}, {"started": 1}]),
        (both_ways, [{"functype": "context"}, {"started": 1}]),
        (both_ways, [{"functype": "context"}, {"started": 1}, {"stop": True}]),
    ],
)
async def test_pending_calls_fail_at_once(
    action: Callable[[Peer], Awaitable[None]], answers: list[dict[str, object]], end: str
) -> None:
    async with calling() as (peer, raw), trio.open_nursery() as nursery:

        async def callee() -> None:
            cid = (await raw.receive())["cmd"][4]
            await raw.send(*[{**answer, "cid": cid} for answer in answers])
            await trio.testing.wait_all_tasks_blocked()
            if end == "eof":
                await raw.stream.aclose()
            elif end == "goodbye":
                await raw.send(None)  # with calls that it has acknowledged this is a violation too (DSC-02s)
            elif end == "fatal":
                await raw.send({"error": {"tb_str": "", "type_str": "X"}})
            else:
                await raw.send_bytes(b"\x01\x00\x00\x00\xc1")

        nursery.start_soon(callee)
        before = trio.current_time()
        if "stop" in str(answers):
            with pytest.raises((Disconnected, trio.EndOfChannel)):
                await action(peer)
        else:
            with pytest.raises(Disconnected):
                await action(peer)
        assert trio.current_time() == before
        with pytest.raises(Disconnected):
            await call(peer)


async def test_why_it_is_over() -> None:
    async with calling() as (peer, raw):
        await raw.send({"error": {"tb_str": "", "type_str": "Boom"}})
        assert "Boom" in await peer.closed()


# We leave.


async def test_leaving_says_goodbye_and_waits_for_the_other() -> None:
    ours, theirs = trio.testing.memory_stream_pair()
    raw = Raw(theirs)
    await raw.send(UID)
    async with trio.open_nursery() as nursery:

        async def leave() -> None:
            async with open_stream_peer(ours):
                pass

        nursery.start_soon(leave)
        assert (await raw.receive_many(2))[1] is None
        await trio.testing.wait_all_tasks_blocked()
        assert nursery.child_tasks
        await raw.send(None)
        assert await raw.rest() == []


async def test_leaving_waits_for_goodbye_within_a_bound() -> None:
    ours, theirs = trio.testing.memory_stream_pair()
    raw = Raw(theirs)
    await raw.send(UID)
    async with open_stream_peer(ours, limits=Limits(goodbye_seconds=2)):
        before = trio.current_time()
    assert trio.current_time() == pytest.approx(before + 2)
    assert (await raw.rest())[1:] == [None]


async def test_leaving_with_calls_in_both_directions() -> None:
    ours, theirs = trio.testing.memory_stream_pair()
    raw = Raw(theirs)
    fixture = Fixture()
    await raw.send(UID, cmd("c", "hang", tag="served"))
    async with trio.open_nursery() as nursery:

        async def other_end() -> None:
            got = await raw.receive_many(3)
            assert got[1] == {"functype": "asyncfunc", "cid": "c"}
            cid = got[2]["cmd"][4]
            await raw.send({"functype": "asyncfunc", "cid": cid})
            got = await raw.receive_many(2)
            own = next(value["cmd"][4] for value in got if "cmd" in value)
            assert error("c", "ContextCancelled") in got
            await raw.send(cmd("d", "echo", value=1))
            assert (await raw.receive())["error"]["type_str"] == "Disconnected"
            await raw.send(error(cid, "ContextCancelled"))
            await raw.send({"functype": "asyncfunc", "cid": own}, {"return": True, "cid": own})
            assert await raw.receive() is None
            await raw.send(None)
            assert await raw.rest() == []

        nursery.start_soon(other_end)
        async with (
            trio.open_nursery() as outer,
            open_stream_peer(ours, exports=fixture.exports()) as peer,
        ):

            async def caller() -> None:
                with pytest.raises(Exception, match="ContextCancelled"):
                    await peer.call(NS, "hang")

            outer.start_soon(caller)
            await trio.testing.wait_all_tasks_blocked()
    assert await fixture.cancelled_tags() == ["served"]


async def test_a_call_whose_cancel_alone_is_answered_was_cancelled() -> None:
    ours, theirs = trio.testing.memory_stream_pair()
    raw = Raw(theirs)
    await raw.send(UID)
    async with trio.open_nursery() as nursery, open_stream_peer(ours) as peer:

        async def caller() -> None:
            with pytest.raises(RemoteCancelled):
                await peer.call(NS, "hang")

        async def callee() -> None:
            opened, own = (await raw.receive_many(3))[1:]
            assert own["cmd"][2] == {"cid": opened["cmd"][4]}
            cid = own["cmd"][4]
            await raw.send({"functype": "asyncfunc", "cid": cid}, {"return": None, "cid": cid}, None)

        nursery.start_soon(caller)
        nursery.start_soon(callee)
        await trio.testing.wait_all_tasks_blocked()


async def test_goodbye_fails_our_calls_while_theirs_clean_up() -> None:
    async with calling(Fixture().exports()) as (peer, raw), trio.open_nursery() as nursery:

        async def leaves() -> None:
            await raw.receive()
            await raw.send(cmd("c", "slow_cancel", seconds=3), None)

        nursery.start_soon(leaves)
        before = trio.current_time()
        with pytest.raises(Disconnected, match="left"):
            await peer.call(NS, "hang")
        assert trio.current_time() == before
        assert (await raw.rest())[-1] is None
        assert trio.current_time() == pytest.approx(before + 3)


async def test_leaving_gives_up_calls_that_nobody_answers() -> None:
    ours, theirs = trio.testing.memory_stream_pair()
    raw = Raw(theirs)
    await raw.send(UID)
    async with trio.open_nursery() as outer:
        async with open_stream_peer(ours, limits=Limits(cancel_seconds=2, goodbye_seconds=1)) as peer:

            async def caller() -> None:
                with pytest.raises(Disconnected):
                    await peer.call(NS, "hang")

            outer.start_soon(caller)
            await trio.testing.wait_all_tasks_blocked()
            before = trio.current_time()
        assert trio.current_time() == pytest.approx(before + 3)
    assert (await raw.rest())[-1] is None


async def test_leaving_while_a_served_task_will_not_end() -> None:
    ours, theirs = trio.testing.memory_stream_pair()
    raw = Raw(theirs)
    await raw.send(UID, cmd("c", "slow_cancel", seconds=8))
    async with open_stream_peer(ours, exports=Fixture().exports(), limits=Limits(goodbye_seconds=2)):
        await trio.testing.wait_all_tasks_blocked()
        before = trio.current_time()
    # Its task is ours: we wait for it. But the connection closes at the bound, without GOODBYE (DSC-02s).
    assert trio.current_time() == pytest.approx(before + 8)
    assert (await raw.rest())[1:] == [{"functype": "asyncfunc", "cid": "c"}]


async def test_both_leave_at_once() -> None:
    async with trio.open_nursery() as nursery:
        one, two = trio.testing.memory_stream_pair()
        barrier = trio.Event()

        async def end(stream: trio.abc.Stream, role: Role) -> None:
            async with open_stream_peer(stream, role=role, exports=Fixture().exports()) as peer:
                nursery.start_soon(failing, peer)
                await trio.testing.wait_all_tasks_blocked()
                barrier.set()

        async def failing(peer: Peer) -> None:
            with pytest.raises(Exception, match=r"ContextCancelled|left"):
                await peer.call(NS, "hang")

        nursery.start_soon(end, one, Role.INITIATOR)
        nursery.start_soon(end, two, Role.ACCEPTOR)
    assert trio.current_time() < 5


async def test_the_block_raises_what_it_raised() -> None:
    with pytest.raises(ZeroDivisionError):
        async with calling():
            raise ZeroDivisionError


async def test_a_call_of_the_other_end_back() -> None:
    exports = Exports()

    @exports.context("ns")
    async def asks_back(ctx: ServedContext) -> object:
        await ctx.started()
        return await current_peer().call(NS, "echo", value="back")

    async with (
        pair(left=Fixture().exports(), right=exports) as (peer, _other),
        peer.context("ns", "asks_back") as (ctx, _first),
    ):
        assert await ctx.result() == "back"
