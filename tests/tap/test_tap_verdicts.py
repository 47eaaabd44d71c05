"""The tap names what is violated and nothing else, cuts in time if told to, and its trace says the same."""

from __future__ import annotations

import io
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest
import trio
import trio.testing

from iptc_codec import Role
from iptc_codec.peer import Peer, PeerError, open_stream_peer, serve_stream
from iptc_codec.peer.testee import NAMESPACE as NS
from iptc_codec.peer.testee import Fixture
from iptc_conformance import trace, wire
from iptc_conformance.driving.streams import MemoryStream, memory_streams
from iptc_conformance.judge import Memory
from iptc_conformance.tap import Tape, pass_between
from tests.tap.tap_support import SECONDS, Notes, dice, frame, hello, opens, read_all, read_some, tapped

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

    from iptc_codec.peer import Context

BOTH = pytest.mark.parametrize("enforce", [False, True])


async def everything(peer: Peer) -> None:
    """Use each kind of call, leave some of them early, and fail at some."""
    assert await peer.call(NS, "echo", value=b"\0" * 200_000) == b"\0" * 200_000
    for func, kwargs in (("fail", {"message": "no"}), ("nowhere", {}), ("echo", {"wrong": 1})):
        with pytest.raises(PeerError):
            await peer.call(NS, func, **kwargs)
    with trio.move_on_after(0.1):
        await peer.call(NS, "hang", tag="t")
    async with peer.stream(NS, "count", n=20) as items:
        assert [item async for item in items] == list(range(20))
    async with peer.stream(NS, "count_forever") as items:
        async for item in items:
            if item == 3:
                break
    async with peer.context(NS, "ctx_echo", first=0) as (ctx, _):
        await echo(ctx)
    async with peer.context(NS, "ctx_push", first=0, n=100) as (ctx, _), ctx.stream() as stream:
        assert len([item async for item in stream]) == 100
    async with peer.context(NS, "ctx_hang", first=0):
        pass


async def echo(ctx: Context) -> None:
    """Send three items and read them back."""
    async with ctx.stream() as stream:
        for number in range(3):
            await stream.send(number)
            assert await stream.receive() == number


@BOTH
async def test_two_honest_peers_have_no_finding(*, enforce: bool) -> None:
    async with tapped(enforce=enforce) as it, trio.open_nursery() as nursery:

        async def serve() -> None:
            await serve_stream(it.right, Fixture().exports(), on_peer=everything)

        nursery.start_soon(serve)
        async with open_stream_peer(it.left, exports=Fixture().exports()) as peer:
            await everything(peer)
    assert it.clauses == []
    assert it.rejudged() == []
    assert it.tape.report().judged > 200


@BOTH
@pytest.mark.parametrize("seed", range(8))
async def test_no_race_is_taken_for_a_violation(seed: int, *, enforce: bool) -> None:
    """Calls of both sides are cancelled, left and ended at random moments: all kinds of frames cross."""
    chance = dice(seed)

    async def one(peer: Peer) -> None:
        await trio.sleep(chance.random() / 20)
        ways: list[AbstractAsyncContextManager[Any]] = [
            peer.stream(NS, "count_forever"),
            peer.context(NS, "ctx_hang", first=0),
            peer.context(NS, "ctx_echo", first=0),
            peer.context(NS, "ctx_push", first=0, n=5),
        ]
        with trio.move_on_after(chance.random() / 10):
            async with ways[chance.randrange(len(ways))]:
                await trio.sleep(chance.random() / 10)

    async def many(peer: Peer) -> None:
        async with trio.open_nursery() as calls:
            for _ in range(40):
                calls.start_soon(one, peer)

    async def work(stream: trio.abc.Stream, role: Role) -> None:
        async with open_stream_peer(stream, role=role, exports=Fixture().exports()) as peer:
            with trio.move_on_after(chance.choice((0.05, 9))):
                await many(peer)

    async with tapped(enforce=enforce) as it, trio.open_nursery() as nursery:
        nursery.start_soon(quietly, work, it.left, Role.INITIATOR)
        nursery.start_soon(quietly, work, it.right, Role.ACCEPTOR)
    assert it.clauses == []
    assert it.rejudged() == []


async def quietly(work: Any, *arguments: Any) -> None:
    """The other side leaves when it likes; what that costs this one is not the matter here."""
    try:
        await work(*arguments)
    except* PeerError:
        pass


@pytest.mark.parametrize("first", ["initiator", "acceptor"])
async def test_what_crosses_is_legal_in_either_order(first: str) -> None:
    """A CANCEL and the RESULT of its target, each sent before the other came."""
    cancel = {"cmd": ["self", "_cancel_task", {"cid": "c1"}, ["anna", "u-1"], "k1"]}
    async with tapped() as it:
        await it.left.send_all(hello("initiator") + opens("c1"))
        await read_some(it.right, len(hello("initiator") + opens("c1")))
        await it.right.send_all(hello("acceptor") + frame({"functype": "asyncfunc", "cid": "c1"}))
        await trio.testing.wait_all_tasks_blocked()
        moves = [it.left.send_all(frame(cancel)), it.right.send_all(frame({"return": 1, "cid": "c1"}))]
        for move in moves if first == "initiator" else moves[::-1]:
            await move
        await read_some(it.right, len(frame(cancel)))
        await it.right.send_all(frame({"functype": "asyncfunc", "cid": "k1"}))
        await it.right.send_all(frame({"return": first == "initiator", "cid": "k1"}))
        await it.right.send_eof()
        await read_all(it.left)
    assert it.clauses == []


async def say(stream: trio.abc.SendStream, talk: bytes, piece: int) -> None:
    """Send in pieces, each of which the tap may see alone."""
    for at in range(0, len(talk), piece):
        await stream.send_all(talk[at : at + piece])
        await trio.testing.wait_all_tasks_blocked()


async def say_on(stream: trio.abc.SendStream, talk: bytes, piece: int) -> None:
    """Send in pieces, and then more and more."""
    while True:
        await say(stream, talk, piece)


@BOTH
@pytest.mark.parametrize("piece", [1, 7, 1000])
async def test_a_dishonest_side_is_named_at_once(piece: int, *, enforce: bool) -> None:
    wrong = frame({"yield": 1, "cid": "c1"})
    talk = hello("acceptor") + frame({"functype": "asyncfunc", "cid": "c1"}) + wrong
    async with tapped(enforce=enforce) as it:
        await it.left.send_all(hello("initiator") + opens("c1"))
        await read_some(it.right, len(hello("initiator") + opens("c1")))
        with suppress(trio.BrokenResourceError):
            await say(it.right, talk, piece)
        await it.done.wait() if enforce else await read_some(it.left, len(talk))
        (finding,) = it.notes.findings
        assert (finding.clause, finding.side, finding.cid, finding.conn) == ("STR-01s", "acceptor", "c1", "1")
    assert it.rejudged() == it.notes.findings


@pytest.mark.parametrize("piece", [1, 7, 1000])
async def test_enforce_passes_nothing_of_the_violating_frame_and_ends_both(piece: int) -> None:
    legal = hello("acceptor") + frame({"functype": "asyncfunc", "cid": "c1"})
    talk = legal + frame({"yield": bytes(100), "cid": "c1"}) + frame({"return": 1, "cid": "c1"})
    async with tapped(enforce=True) as it:
        await it.left.send_all(hello("initiator") + opens("c1"))
        assert await read_some(it.right, len(hello("initiator") + opens("c1")))
        with pytest.raises(trio.BrokenResourceError):
            await say_on(it.right, talk, piece)
        assert await read_all(it.left) == legal
        with pytest.raises(trio.BrokenResourceError):
            await it.left.send_all(b"more")
    assert it.ended is not None
    assert it.ended.violation is not None
    assert it.ended.violation.clause == "STR-01s"
    assert it.rejudged() == it.notes.findings


async def test_enforce_cuts_at_a_refused_length_without_waiting_for_the_body() -> None:
    async with tapped(enforce=True) as it:
        await it.left.send_all(hello("initiator") + b"\xff\xff\xff\xff")
        assert await read_all(it.right) == hello("initiator")
        await it.done.wait()
    assert it.clauses == [("FRM-03s", "initiator")]


async def test_a_should_is_told_and_cuts_nothing() -> None:
    longer = frame(["anna", "u-1", 7])
    async with tapped(enforce=True) as it:
        await it.left.send_all(longer)
        await it.left.send_eof()
        assert await read_all(it.right) == longer
    assert it.clauses == [("EXT-01s", "initiator")]
    assert (it.tape.findings, it.tape.musts) == (1, 0)


async def test_connections_are_judged_apart_and_forgotten() -> None:
    async with tapped() as one:
        async with tapped(tape=one.tape) as two:
            await two.left.send_all(opens("c1"))
            await two.left.send_eof()
            await read_all(two.right)
        one.tape.let_go("1")
        await one.left.send_all(hello("initiator"))
        await one.left.send_eof()
        await read_all(one.right)
    assert one.clauses == [("HSK-01s", "initiator")]
    report = one.tape.report()
    assert report.clauses["HSK-01s"] == "fail"
    assert report.judged == 2


@BOTH
async def test_a_connection_that_cannot_be_judged_is_told_of_and_never_passed_unjudged(
    *, enforce: bool
) -> None:
    notes = Notes()
    tape = Tape(notes, memory=Memory(ended_calls=2, open_calls=3, findings=0))
    talk = hello("initiator") + b"".join(opens(f"c{number}") for number in range(9)) + frame(5)
    async with tapped(enforce=enforce, tape=tape) as it:
        await it.left.send_all(talk)
        await it.left.send_eof()
        got = await read_all(it.right)
    assert notes.findings == []
    assert len(notes.troubles) == 1
    assert it.ended is not None
    if enforce:
        assert it.ended.cut
        assert talk.startswith(got)
        assert len(wire.Deframer().feed(got)) == 4
    else:
        assert got == talk


class Full(io.StringIO):
    """A file on a full disk."""

    def flush(self) -> None:
        raise OSError(28, "No space left on device")


async def test_a_full_disk_ends_the_trace_and_not_the_conversation() -> None:
    notes = Notes()
    tape = Tape(notes, Full())
    async with tapped(tape=tape) as it:
        await it.left.send_all(hello("initiator"))
        await it.left.send_all(opens("c1"))
        await it.left.send_eof()
        assert await read_all(it.right) == hello("initiator") + opens("c1")
    assert tape.failed
    assert notes.troubles == ["the trace ends here: No space left on device"]


async def test_the_trace_holds_the_chunks_as_they_came() -> None:
    async with tapped() as it:
        await it.left.send_all(hello("initiator")[:3])
        assert await read_some(it.right, 3)
        await it.left.send_all(hello("initiator")[3:])
        await it.left.send_eof()
        await read_all(it.right)
    events = list(trace.read(it.trace.getvalue().splitlines()))
    mine = [event for event in events if event.sender == "initiator"]
    assert [event.data for event in mine] == [hello("initiator")[:3], hello("initiator")[3:], None]
    assert mine[-1].eof


class Lagging(MemoryStream):
    """An end whose writes return only when the other end has had time to read and to answer."""

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        await super().send_all(data)
        await trio.testing.wait_all_tasks_blocked()


async def test_an_answer_that_comes_before_the_write_returns_is_an_answer() -> None:
    left, near = memory_streams()
    far, right = memory_streams()
    far.__class__ = Lagging
    notes = Notes()

    async def answer() -> None:
        await read_some(right, len(hello("initiator") + opens("c1")))
        await right.send_all(hello("acceptor") + frame({"functype": "asyncfunc", "cid": "c1"}))
        await right.send_all(frame({"return": 1, "cid": "c1"}))
        await right.send_eof()

    with trio.fail_after(SECONDS):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(answer)
            nursery.start_soon(pass_between, "1", near, far, Tape(notes))
            await left.send_all(hello("initiator") + opens("c1"))
            await left.send_eof()
            await read_all(left)
    assert notes.findings == []
