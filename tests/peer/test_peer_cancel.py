"""Cancel, in both directions and in every state."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest
import trio
import trio.testing

from iptc_codec import Limits
from iptc_codec.peer import Exports, Peer, RemoteCancelled, RemoteError, ServedContext
from tests.peer.peer_support import NS, Raw, calling, cancel, cmd, error, pair, serving

CANCELLED = {"error": {"tb_str": "", "type_str": "ContextCancelled"}, "cid": "c"}


def confirmed(cid: str, *, hit: bool) -> list[dict[str, object]]:
    return [{"functype": "asyncfunc", "cid": cid}, {"return": hit, "cid": cid}]


# As the callee.


@pytest.mark.parametrize(
    ("func", "kwargs", "before"),
    [
        ("hang", {}, 1),
        ("count_forever", {}, 2),
        ("ctx_hang_before_started", {}, 1),
        ("ctx_hang", {"first": 1}, 2),
        ("ctx_collect", {"first": 1}, 2),
    ],
)
async def test_cancel_is_answered_after_the_terminal(
    func: str, kwargs: dict[str, object], before: int
) -> None:
    async with serving() as raw:
        await raw.send(cmd("c", func, **kwargs))
        await raw.receive_many(before)
        await raw.send(cancel("k", "c"))
        got = [value for value in await raw.receive_many(3) if "yield" not in value]
        while len(got) < 3:
            got.append(await raw.receive())
        assert got[0] == {"functype": "asyncfunc", "cid": "k"}
        assert (got[1]["cid"], got[1]["error"]["type_str"]) == ("c", "ContextCancelled")
        assert got[2] == {"return": True, "cid": "k"}
        assert await raw.barrier("b") == []


@pytest.mark.parametrize("stops", ["none", "caller", "callee", "both"])
async def test_cancel_in_every_state_of_a_stream(stops: str) -> None:
    exports = Exports()

    @exports.context("ns")
    async def stopping(ctx: ServedContext) -> None:
        await ctx.started()
        async with ctx.stream() as stream:
            if stops in {"callee", "both"}:
                stream.end()
            await trio.sleep_forever()

    async with serving(exports) as raw:
        await raw.send(cmd("c", "stopping", "ns"))
        await raw.receive_many(3 if stops in {"callee", "both"} else 2)
        if stops in {"caller", "both"}:
            await raw.send({"stop": True, "cid": "c"})
        await raw.send(cancel("k", "c"))
        got = await raw.receive_many(3)
        assert [value["cid"] for value in got] == ["k", "c", "k"]
        assert got[1] == CANCELLED
        assert got[2] == {"return": True, "cid": "k"}


async def test_cancel_in_one_piece_with_the_open() -> None:
    async with serving() as raw:
        await raw.send(cmd("c", "hang", tag="t"), cancel("k", "c"), cmd("d", "cancelled_tags"))
        got = await raw.receive_many(6)
        assert CANCELLED in got
        assert got.index(CANCELLED) < got.index({"return": True, "cid": "k"})
        await raw.send(cmd("e", "cancelled_tags"))
        assert (await raw.answers("e"))[-1]["return"] == ["t"]


@pytest.mark.parametrize("target", ["unknown", "k", "done"])
async def test_cancel_of_what_is_not_live_has_no_effect(target: str) -> None:
    async with serving() as raw:
        await raw.send(cmd("done", "echo", value=1))
        await raw.receive_many(2)
        await raw.send(cancel("k", target))
        assert await raw.receive_many(2) == confirmed("k", hit=False)
        assert await raw.barrier("b") == []


async def test_cancel_twice_changes_nothing() -> None:
    async with serving() as raw:
        await raw.send(cmd("c", "slow_cancel", seconds=1))
        await raw.receive()
        await raw.send(cancel("k", "c"), cancel("l", "c"))
        got = await raw.receive_many(5)
        assert got[2:] == [CANCELLED, {"return": True, "cid": "k"}, {"return": True, "cid": "l"}]
        await raw.send(cancel("m", "c"))
        assert await raw.receive_many(2) == confirmed("m", hit=False)


async def test_slow_clean_up_stalls_nothing() -> None:
    async with serving() as raw:
        await raw.send(cmd("c", "slow_cancel", seconds=3), cancel("k", "c"))
        await raw.receive_many(2)
        before = trio.current_time()
        assert await raw.barrier("b") == []
        assert trio.current_time() == before
        assert await raw.receive_many(2) == [CANCELLED, {"return": True, "cid": "k"}]
        assert trio.current_time() == pytest.approx(before + 3)


async def test_cancel_of_a_cancel_ends_that_alone() -> None:
    async with serving() as raw:
        await raw.send(cmd("c", "slow_cancel", seconds=1), cancel("k", "c"), cancel("l", "k"))
        got = await raw.receive_many(6)
        assert error("k", "ContextCancelled") in got
        assert {"return": True, "cid": "l"} in got
        assert got[-1] == CANCELLED
        assert await raw.barrier("b") == []


async def test_a_caller_that_fails_its_half_asks_to_give_up() -> None:
    async with serving() as raw:
        await raw.send(cmd("c", "ctx_hang", first=1))
        await raw.receive_many(2)
        await raw.send(error("c", "ValueError"))
        assert await raw.receive() == CANCELLED


async def test_how_a_cancelled_function_may_end() -> None:
    exports = Exports()

    @exports.function("ns")
    async def fails_in_clean_up() -> None:
        try:
            await trio.sleep_forever()
        finally:
            raise ValueError("clean-up")

    @exports.function("ns")
    async def fails_beside() -> None:
        with trio.CancelScope(shield=True):
            await trio.sleep(1)
        raise ValueError("its own")

    async with serving(exports) as raw:
        for func, type_str in (
            ("fails_in_clean_up", "ContextCancelled"),
            ("fails_beside", "ValueError"),
        ):
            await raw.send(cmd(func, func, "ns"))
            await raw.receive()
            await raw.send(cancel(f"k-{func}", func))
            await raw.receive()
            assert (await raw.receive())["error"]["type_str"] == type_str
            assert await raw.receive() == {"return": True, "cid": f"k-{func}"}


# As the caller.


async def call(peer: Peer) -> None:
    await peer.call(NS, "hang")


async def stream(peer: Peer) -> None:
    async with peer.stream(NS, "count_forever") as items:
        async for _ in items:
            pass


async def context(peer: Peer) -> None:
    async with peer.context(NS, "ctx_hang", first=1) as (ctx, _), ctx.stream() as both:
        await both.receive()


ACTIONS = pytest.mark.parametrize(
    ("action", "answers"),
    [
        (call, []),
        (call, [{"functype": "asyncfunc"}]),
        (stream, []),
        (stream, [{"functype": "asyncgen"}]),
        (stream, [{"functype": "asyncgen"}, {"yield": 1}]),
        (context, []),
        (context, [{"functype": "context"}]),
        (context, [{"functype": "context"}, {"started": 1}]),
        (context, [{"functype": "context"}, {"started": 1}, {"yield": 1}, {"stop": True}]),
    ],
)
Action = Callable[[Peer], Awaitable[None]]


async def start(
    nursery: trio.Nursery, peer: Peer, raw: Raw, action: Action, answers: list[dict[str, object]]
) -> str:
    """Start a call and answer it so far; its cid."""
    nursery.start_soon(action, peer)
    cid: str = (await raw.receive())["cmd"][4]
    await raw.send(*[{**answer, "cid": cid} for answer in answers])
    await trio.testing.wait_all_tasks_blocked()
    return cid


async def cancelled(nursery: trio.Nursery, raw: Raw, cid: str) -> str:
    """Cancel it locally; the cid of the CANCEL that comes."""
    nursery.cancel_scope.cancel()
    while "stop" in (value := await raw.receive()):
        pass
    ns, func, kwargs, _uid, own = value["cmd"]
    assert (ns, func, kwargs) == ("self", "_cancel_task", {"cid": cid})
    return str(own)


@ACTIONS
async def test_cancelled_locally_in_every_state(action: Action, answers: list[dict[str, object]]) -> None:
    async with calling() as (peer, raw):
        waited = False
        with trio.CancelScope() as outer:
            async with trio.open_nursery() as nursery:
                cid = await start(nursery, peer, raw, action, answers)
                with trio.CancelScope(shield=True):
                    own = await cancelled(nursery, raw, cid)
                    await trio.testing.wait_all_tasks_blocked()
                    assert nursery.child_tasks
                    waited = True
                    await raw.send({"functype": "asyncfunc", "cid": own})
                    if answers:
                        await raw.send(error(cid, "ContextCancelled"))
                    else:
                        await raw.send({"error": {"tb_str": "", "type_str": "X"}, "cid": cid})
                    await raw.send({"return": True, "cid": own})
        assert waited
        assert not outer.cancelled_caught


@ACTIONS
async def test_the_answer_of_the_cancel_ends_a_call_without_terminal(
    action: Action, answers: list[dict[str, object]]
) -> None:
    async with calling() as (peer, raw):
        async with trio.open_nursery() as nursery:
            cid = await start(nursery, peer, raw, action, answers)
            with trio.CancelScope(shield=True):
                own = await cancelled(nursery, raw, cid)
                before = trio.current_time()
                await raw.send({"functype": "asyncfunc", "cid": own}, {"return": None, "cid": own})
        assert trio.current_time() == before
        # A terminal that comes late is for nobody, and harms nobody.
        await raw.send(error(cid, "ContextCancelled"))
        await check_alive(peer, raw)


@ACTIONS
async def test_a_cancel_without_answer_is_waited_for_within_a_bound(
    action: Action, answers: list[dict[str, object]]
) -> None:
    async with calling(limits=Limits(cancel_seconds=3)) as (peer, raw):
        async with trio.open_nursery() as nursery:
            cid = await start(nursery, peer, raw, action, answers)
            with trio.CancelScope(shield=True):
                await cancelled(nursery, raw, cid)
                before = trio.current_time()
        assert trio.current_time() == pytest.approx(before + 3)
        await check_alive(peer, raw)


async def check_alive(peer: Peer, raw: Raw) -> None:
    """The connection still carries calls."""
    async with trio.open_nursery() as nursery:

        async def callee() -> None:
            cid = (await raw.receive())["cmd"][4]
            await raw.send({"functype": "asyncfunc", "cid": cid}, {"return": "alive", "cid": cid})

        nursery.start_soon(callee)
        assert await peer.call(NS, "echo", value="alive") == "alive"


async def test_a_call_that_is_over_is_not_cancelled() -> None:
    async with pair() as (peer, _other):
        async with peer.stream(NS, "count", n=2) as items:
            assert [item async for item in items] == [0, 1]
        async with peer.context(NS, "ctx_return", first=1, result=2) as (ctx, first):
            assert (first, await ctx.result()) == (1, 2)
        assert await peer.call(NS, "cancelled_tags") == []


async def test_leaving_a_block_early_releases_the_remote_end() -> None:
    async with pair() as (peer, _other):
        async with peer.context(NS, "ctx_hang", first=1, tag="left"):
            pass
        assert await peer.call(NS, "cancelled_tags") == ["left"]
        async with peer.stream(NS, "count_forever") as items:
            assert await items.receive() == 0
        with pytest.raises(ZeroDivisionError):
            async with peer.context(NS, "ctx_hang", first=1, tag="raised"):
                raise ZeroDivisionError
        assert await peer.call(NS, "cancelled_tags") == ["left", "raised"]


async def test_a_deadline_cancels_the_remote_task() -> None:
    async with pair() as (peer, _other):
        with trio.move_on_after(1) as scope:
            await peer.call(NS, "hang", tag="late")
        assert scope.cancelled_caught
        assert await peer.call(NS, "cancelled_tags") == ["late"]


async def test_slow_remote_clean_up_is_waited_for() -> None:
    async with pair() as (peer, _other):
        before = trio.current_time()
        with trio.move_on_after(1):
            await peer.call(NS, "slow_cancel", seconds=2)
        assert trio.current_time() == pytest.approx(before + 3)


async def test_a_remote_task_that_somebody_else_cancelled() -> None:
    async with calling() as (peer, raw), trio.open_nursery() as nursery:

        async def callee() -> None:
            cid = (await raw.receive())["cmd"][4]
            await raw.send({"functype": "asyncfunc", "cid": cid}, error(cid, "ContextCancelled"))

        nursery.start_soon(callee)
        with pytest.raises(RemoteCancelled):
            await peer.call(NS, "hang")


async def test_a_refused_cancel_leaves_the_terminal_to_come() -> None:
    async with calling() as (peer, raw), trio.open_nursery() as nursery:
        cid = await start(nursery, peer, raw, call, [{"functype": "asyncfunc"}])
        with trio.CancelScope(shield=True):
            own = await cancelled(nursery, raw, cid)
            await raw.send(error(own, "AttributeError"))
            await trio.testing.wait_all_tasks_blocked()
            assert nursery.child_tasks
            await raw.send({"return": 1, "cid": cid})


async def test_the_own_end_of_a_call_wins_over_a_later_cancel() -> None:
    async with pair() as (peer, _other):
        with pytest.raises(RemoteError, match="FixtureError"):  # noqa: PT012 - the block is what is tested
            async with peer.stream(NS, "count_then_fail", n=1, message="m") as items:
                async for _ in items:
                    pass


async def test_calls_given_up_without_a_terminal_take_no_room() -> None:
    # As real callees do: the answer of the CANCEL, late, is all that comes.
    async with calling(limits=Limits(open_calls=2, cancel_seconds=1)) as (peer, raw):
        for _ in range(5):
            with trio.move_on_after(0.5) as scope:
                await peer.call(NS, "hang")
            assert scope.cancelled_caught
            _opened, own = await raw.receive_many(2)
            cid = own["cmd"][4]
            await raw.send({"functype": "asyncfunc", "cid": cid}, {"return": None, "cid": cid})
            await trio.testing.wait_all_tasks_blocked()


async def test_a_cancel_that_is_refused_has_ended_nothing() -> None:
    async with calling() as (peer, raw), trio.open_nursery() as nursery:

        async def callee() -> None:
            opened, own = await raw.receive_many(2)
            target, cid = opened["cmd"][4], own["cmd"][4]
            await raw.send({"functype": "asyncfunc", "cid": target}, error(cid, "AttributeError"))
            await trio.sleep(3)
            await raw.send({"return": 1, "cid": target})

        nursery.start_soon(callee)
        with trio.move_on_after(1):
            await peer.call(NS, "hang")
        assert trio.current_time() == pytest.approx(4)
