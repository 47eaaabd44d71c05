"""How this end leaves: calls in both directions, GOODBYE, and the bounds on each wait."""

from __future__ import annotations

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
)
from iptc_codec.peer.testee import Fixture
from tests.peer.peer_support import NS, UID, Raw, calling, cmd, error, pair, stream_pair


async def test_leaving_says_goodbye_and_waits_for_the_other() -> None:
    ours, theirs = stream_pair()
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
    ours, theirs = stream_pair()
    raw = Raw(theirs)
    await raw.send(UID)
    async with open_stream_peer(ours, limits=Limits(goodbye_seconds=2)):
        before = trio.current_time()
    assert trio.current_time() == pytest.approx(before + 2)
    assert (await raw.rest())[1:] == [None]


async def test_leaving_with_calls_in_both_directions() -> None:
    ours, theirs = stream_pair()
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
    ours, theirs = stream_pair()
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
    ours, theirs = stream_pair()
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
    ours, theirs = stream_pair()
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
        one, two = stream_pair()
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
