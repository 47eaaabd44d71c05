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
    ServedContext,
    open_stream_peer,
    serve_stream,
)
from iptc_codec.peer.testee import Fixture
from tests.peer.peer_support import NS, UID, Raw, calling, cmd, error, serving, stream_pair

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
    ours, theirs = stream_pair()
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
    ours, theirs = stream_pair()
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
    ours, theirs = stream_pair()
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
    ours, theirs = stream_pair()
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
            assert isinstance(raw.stream, trio.abc.HalfCloseableStream)
            await raw.stream.send_eof()
            assert await raw.rest() == []
    assert await fixture.cancelled_tags() == ["t"]


async def test_a_served_function_that_shields_itself_is_told_of_the_end() -> None:
    exports = Exports()
    seen: list[str] = []

    @exports.context("ns")
    async def shielded(ctx: ServedContext) -> None:
        await ctx.started()
        with trio.CancelScope(shield=True):
            async with ctx.stream() as stream:
                with pytest.raises(Disconnected):
                    await stream.receive()
                seen.append("told")

    async with serving(exports) as raw:
        await raw.send(cmd("c", "shielded", "ns"))
        await raw.receive_many(2)
        await raw.stream.aclose()
    assert seen == ["told"]


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
