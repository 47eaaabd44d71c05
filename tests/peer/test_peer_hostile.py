"""What a violation costs: its call, or its connection, and nothing more."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import trio
import trio.testing

from iptc_codec import Limits, RemoteProtocolError, Violation
from iptc_codec.peer import (
    CallKindError,
    Disconnected,
    Peer,
    RemoteError,
    Settings,
    TooManyCallsError,
    serve_stream,
)
from iptc_codec.peer.testee import Fixture
from tests.peer.peer_support import NS, UID, Raw, calling, cancel, cmd, error, frame, serving

if TYPE_CHECKING:
    from collections.abc import Mapping

CLOSING = [
    pytest.param(b"\x01\x00\x00\x00\xc1", id="no msgpack"),
    pytest.param(b"\x02\x00\x00\x00\xc0\xc0", id="bytes after the object"),
    pytest.param(b"\x00\x00\x00\x00", id="empty"),
    pytest.param(b"\xff\xff\xff\xff", id="too long"),
    pytest.param(frame(5), id="a number"),
    pytest.param(frame([]), id="an array"),
    pytest.param(frame({}), id="an empty map"),
    pytest.param(frame(UID), id="a second hello"),
    pytest.param(frame({"yield": 1, "cid": 7}), id="a cid that is no str"),
    pytest.param(frame(cmd("live", "hang")), id="a live cid"),
]


@pytest.mark.parametrize("data", CLOSING)
@pytest.mark.parametrize("send_fatal", [True, False])
async def test_what_closes_the_connection(data: bytes, *, send_fatal: bool) -> None:
    async with serving(settings=Settings(send_fatal=send_fatal)) as raw:
        await raw.send(cmd("live", "hang"))
        await raw.receive()
        before = trio.current_time()
        await raw.send_bytes(data)
        rest = await raw.rest()
        assert trio.current_time() == before
        assert [set(value) for value in rest] == ([{"error"}] if send_fatal else [])


async def test_frames_before_the_violation_are_answered_or_not_and_none_after() -> None:
    async with serving() as raw:
        await raw.send_bytes(frame(cmd("a", "echo", value=1)) + frame(5) + frame(cmd("b", "echo", value=2)))
        assert {"return": 2, "cid": "b"} not in await raw.rest()


FAILING = [
    pytest.param({"functype": "asyncfunc"}, id="ack"),
    pytest.param({"started": 1}, id="started"),
    pytest.param({"return": 1}, id="result"),
    pytest.param({"stop": False}, id="stop false"),
    pytest.param({"bogus": 1}, id="unknown message"),
    pytest.param({"yield": 1, "more": 2}, id="additional key"),
    pytest.param({"error": "text"}, id="error body"),
]


@pytest.mark.parametrize("message", FAILING)
async def test_what_fails_a_served_call(message: dict[str, object]) -> None:
    async with serving() as raw:
        await raw.send(cmd("c", "ctx_collect", first=1), cmd("other", "ctx_collect", first=1))
        await raw.receive_many(4)
        await raw.send({**message, "cid": "c"})
        assert (await raw.receive())["error"]["type_str"] == "ProtocolError"
        assert await raw.barrier("b") == []
        await raw.send({"yield": 1, "cid": "other"}, {"stop": True, "cid": "other"})
        assert await raw.receive_many(2) == [{"stop": True, "cid": "other"}, {"return": [1], "cid": "other"}]


@pytest.mark.parametrize(
    "message", [{"yield": 1}, {"stop": True}, {"error": {"tb_str": "", "type_str": "X"}}]
)
@pytest.mark.parametrize("func", ["hang", "count_forever", "ctx_hang_before_started"])
async def test_half_messages_where_there_is_no_half(func: str, message: dict[str, object]) -> None:
    async with serving() as raw:
        await raw.send(cmd("c", func))
        await raw.receive()
        await raw.send({**message, "cid": "c"})
        assert (await raw.answers("c"))[-1]["error"]["type_str"] == "ProtocolError"
        assert await raw.barrier("b") == []


async def test_a_violation_against_a_cancel() -> None:
    async with serving() as raw:
        await raw.send(cmd("c", "slow_cancel", seconds=1), cancel("k", "c"), {"yield": 1, "cid": "k"})
        got = await raw.receive_many(4)
        assert got[2]["error"]["type_str"] == "ProtocolError"
        assert got[2]["cid"] == "k"
        assert got[3] == error("c", "ContextCancelled")
        assert await raw.barrier("b") == []


async def test_a_failed_call_ends_as_such_whatever_its_task_does() -> None:
    async with serving() as raw:
        await raw.send(cmd("c", "slow_cancel", seconds=2))
        await raw.receive()
        await raw.send({"yield": 1, "cid": "c"}, cancel("k", "c"))
        got = await raw.receive_many(3)
        assert got[1]["error"]["type_str"] == "ProtocolError"
        assert got[2] == {"return": True, "cid": "k"}


@pytest.mark.parametrize(
    "message",
    [{"yield": 1, "cid": "nope"}, {"stop": True, "cid": "done"}, error("done", "X"), error("no", "X")],
)
async def test_what_is_dropped(message: dict[str, object]) -> None:
    seen: list[Violation] = []
    async with serving(settings=Settings(on_violation=seen.append)) as raw:
        await raw.send(cmd("done", "echo", value=1))
        await raw.receive_many(2)
        await raw.send(message)
        assert await raw.barrier("b") == []
        assert [violation.cid for violation in seen] == [message["cid"]]


async def test_frames_of_one_connection_do_not_reach_the_calls_of_another() -> None:
    async with serving() as one, serving() as two:
        await one.send(cmd("c", "ctx_collect", first=1))
        await one.receive_many(2)
        await two.send({"yield": "x", "cid": "c"}, {"stop": True, "cid": "c"}, cancel("k", "c"))
        assert await two.receive_many(2) == [
            {"functype": "asyncfunc", "cid": "k"},
            {"return": False, "cid": "k"},
        ]
        await one.send({"yield": 1, "cid": "c"}, {"stop": True, "cid": "c"})
        assert (await one.answers("c"))[-1] == {"return": [1], "cid": "c"}


# A callee that breaks the protocol.


async def answered(raw: Raw, *answers: Mapping[str, object], then: int = 0) -> list[dict[str, object]]:
    """Answer the next call, then take some more frames."""
    cid = (await raw.receive())["cmd"][4]
    await raw.send(*[{**answer, "cid": cid} for answer in answers])
    return await raw.receive_many(then)


@pytest.mark.parametrize(
    ("answers", "cancels"),
    [
        ([{"return": 1}], 1),
        ([{"yield": 1}], 1),
        ([{"functype": "weird"}], 1),
        ([{"functype": "asyncfunc"}, {"yield": 1}], 1),
        ([{"functype": "asyncfunc"}, {"started": 1}], 1),
        ([{"functype": "asyncfunc"}, {"bogus": 1}], 1),
        ([{"functype": "asyncfunc"}, {"stop": True}], 1),
        ([{"functype": "asyncfunc"}, {"error": 1}], 1),
    ],
)
async def test_a_callee_that_breaks_the_protocol_fails_the_call(
    answers: list[dict[str, object]], cancels: int
) -> None:
    async with calling() as (peer, raw), trio.open_nursery() as nursery:
        got: list[dict[str, object]] = []

        async def callee() -> None:
            got.extend(await answered(raw, *answers, then=cancels))
            await answered(raw, {"functype": "asyncfunc"}, {"return": "alive"})

        nursery.start_soon(callee)
        before = trio.current_time()
        with pytest.raises(RemoteProtocolError):
            await peer.call(NS, "echo", value=1)
        assert trio.current_time() == before
        assert await peer.call(NS, "echo", value=1) == "alive"
        assert [str(value["cmd"]).count("_cancel_task") for value in got] == [1] * cancels


async def test_a_callee_that_sends_late_and_twice_harms_nothing() -> None:
    async with calling() as (peer, raw), trio.open_nursery() as nursery:

        async def callee() -> None:
            ack: dict[str, object] = {"functype": "asyncfunc"}
            await answered(raw, ack, ack, {"return": 1}, {"return": 2}, {"yield": 3}, {"stop": True})
            await answered(raw, ack, {"return": "alive"})

        nursery.start_soon(callee)
        assert await peer.call(NS, "echo", value=1) == 1
        assert await peer.call(NS, "echo", value=1) == "alive"


@pytest.mark.parametrize("kind", ["asyncgen", "context"])
async def test_a_function_of_another_kind(kind: str) -> None:
    async with calling() as (peer, raw), trio.open_nursery() as nursery:
        nursery.start_soon(answered, raw, {"functype": kind})
        with pytest.raises(CallKindError, match=kind):
            await peer.call(NS, "echo", value=1)
        assert (await raw.receive())["cmd"][1] == "_cancel_task"


async def test_a_refused_call() -> None:
    async with calling() as (peer, raw), trio.open_nursery() as nursery:
        nursery.start_soon(
            answered, raw, {"error": {"tb_str": "the traceback", "type_str": "AttributeError"}}
        )
        with pytest.raises(RemoteError) as info:
            await peer.call(NS, "nope")
        assert (info.value.type_str, info.value.tb_str) == ("AttributeError", "the traceback")


async def test_a_cancel_answered_before_its_target_does_not_hang() -> None:
    async with calling() as (peer, raw), trio.open_nursery() as nursery:

        async def callee() -> None:
            (opened,) = await answered(raw, {"functype": "asyncfunc"}, then=1)
            command = opened["cmd"]
            assert isinstance(command, list)
            await raw.send({"functype": "asyncfunc", "cid": command[4]}, {"return": True, "cid": command[4]})
            await answered(raw, {"functype": "asyncfunc"}, {"return": "alive"})

        nursery.start_soon(callee)
        with trio.move_on_after(1):
            await peer.call(NS, "hang")
        assert trio.current_time() < 2
        assert await peer.call(NS, "echo", value=1) == "alive"


async def test_a_callee_that_sends_what_closes() -> None:
    async with calling() as (peer, raw):
        await raw.send({"cmd": [NS, "echo", {}, UID, ""]})
        assert "CID-01s" in await peer.closed()
        with pytest.raises(Disconnected):
            await peer.call(NS, "echo", value=1)
        assert "error" in (await raw.rest())[-1]


# A peer that does not read.


async def test_answers_that_nobody_reads_are_bounded() -> None:
    ours, theirs = trio.testing.lockstep_stream_pair()
    raw = Raw(ours)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(deaf_peer, theirs)
        await greet(raw)
        sent = 0
        with trio.move_on_after(5):
            while True:
                await raw.send(cmd(f"c{sent}", "nope"))
                sent += 1
        assert 100 < sent < 10_000
        await trio.sleep(60)
        assert not nursery.child_tasks  # it has given the connection up


async def greet(raw: Raw) -> None:
    """Exchange hellos over a stream that holds nothing: both at once."""
    async with trio.open_nursery() as nursery:
        nursery.start_soon(raw.send, UID)
        await raw.receive()


async def deaf_peer(stream: trio.abc.Stream) -> None:

    settings = Settings(answer_bytes=10_000, answer_seconds=30)
    await serve_stream(stream, Fixture().exports(), settings=settings)


async def test_items_that_nobody_reads_wait_in_their_function() -> None:
    ours, theirs = trio.testing.lockstep_stream_pair()
    raw = Raw(ours)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(deaf_peer, theirs)
        await greet(raw)
        await raw.send(cmd("c", "count", n=1_000_000_000))
        await trio.testing.wait_all_tasks_blocked()
        # Memory is bounded if this point is reached at all; and the reader still reads.
        await raw.send(cancel("k", "c"))
        while (await raw.receive()) != error("c", "ContextCancelled"):
            pass
        await ours.aclose()


async def test_too_many_calls_of_our_own() -> None:

    async with calling(limits=Limits(open_calls=4)) as (peer, raw), trio.open_nursery() as nursery:
        for _ in range(4):
            nursery.start_soon(hanging, peer)
        await raw.receive_many(4)
        with pytest.raises(TooManyCallsError):
            await peer.call(NS, "hang")
        await raw.stream.aclose()


async def hanging(peer: Peer) -> None:
    """A call that ends with the connection."""
    with pytest.raises(Disconnected):
        await peer.call(NS, "hang")
