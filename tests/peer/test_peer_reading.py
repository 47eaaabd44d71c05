"""Over sockets, whoever waits for something of a connection reads there, and nothing depends on who it is."""

from __future__ import annotations

import os
import socket
import sys
from typing import TYPE_CHECKING, Any

import pytest
import trio
import trio.testing

from iptc_codec.peer import Disconnected, Peer
from iptc_codec.peer._calls import Call
from iptc_codec.peer._reading import Reading, Stage
from iptc_codec.peer._serving import Serving
from iptc_codec.peer._transport import transport
from iptc_codec.peer._workers import Worker
from tests.peer.peer_support import NS, Raw, calling, cmd, error, pair, serving, stream_pair
from tests.peer.reading_support import ack, caller_reads, cid_of, result

if TYPE_CHECKING:
    from iptc_codec import Open

OVER = ["sockets"]


class Readers(list[tuple[Reading, type]]):
    """Of which connection somebody has read, and for what it was waiting, one after the other."""

    def of(self, peer: Peer) -> list[type]:
        """Those of one end."""
        return [kind for reading, kind in self if reading is peer._link.reading]


@pytest.fixture
def readers(monkeypatch: pytest.MonkeyPatch) -> Readers:
    """Who has read."""
    seen = Readers()
    once = Reading.once

    async def noted(reading: Reading, by: object) -> None:
        seen.append((reading, type(by)))
        await once(reading, by)

    monkeypatch.setattr(Reading, "once", noted)
    return seen


async def test_caller_and_callee_read_for_themselves(readers: Readers) -> None:
    async with pair() as (peer, other):
        for value in range(20):
            assert await peer.call(NS, "echo", value=value) == value
        assert (set(readers.of(peer)[-10:]), set(readers.of(other)[-10:])) == ({Call}, {Worker})


async def test_where_many_call_the_reader_reads_for_all(readers: Readers) -> None:
    """How many calls the other end sees at a time is a matter of how they come."""
    async with pair() as (peer, other):
        so_far: list[int] = []

        async def calls() -> None:
            for value in range(10):
                assert await peer.call(NS, "echo", value=value) == value
            so_far.append(len(readers.of(peer)))

        async with trio.open_nursery() as nursery:
            for _ in range(30):
                nursery.start_soon(calls)
        while_all_call = readers.of(peer)[: so_far[0]]
        assert set(while_all_call[-5:]) == {Reading}
        for value in range(60):  # as long as it takes to be sure that they are gone
            await peer.call(NS, "echo", value=value)
        assert (set(readers.of(peer)[-10:]), set(readers.of(other)[-10:])) == ({Call}, {Worker})


async def test_items_are_read_by_those_that_wait_for_them(readers: Readers) -> None:
    async with (
        pair() as (peer, _other),
        peer.context(NS, "ctx_echo", first=1) as (ctx, _first),
        ctx.stream() as stream,
    ):
        for value in range(20):
            await stream.send(value)
            assert await stream.receive() == value
        assert Reading not in [kind for _, kind in readers[-20:]]


async def test_a_caller_reads_for_all_others() -> None:
    got: list[object] = []
    async with calling() as (peer, raw):

        async def call() -> None:
            got.append(await peer.call(NS, "echo", value=0))

        async with trio.open_nursery() as nursery:
            for _ in range(3):
                nursery.start_soon(call)
            openings = await raw.receive_many(3)
            await trio.testing.wait_all_tasks_blocked()
            await raw.send(*(ack(one) for one in openings), *(result(one, cid_of(one)) for one in openings))
        assert sorted(map(str, got)) == sorted(map(cid_of, openings))


async def test_a_caller_that_is_cancelled_leaves_the_reading_to_others() -> None:
    async with calling() as (peer, raw), trio.open_nursery() as nursery:
        scope = trio.CancelScope()

        async def cancelled() -> None:
            with scope:
                await peer.call(NS, "hang")

        async def stays() -> None:
            assert await peer.call(NS, "echo", value=2) == "stays"

        await caller_reads(nursery, peer, raw, cancelled)
        leaves = await raw.receive()
        nursery.start_soon(stays)
        other = await raw.receive()
        scope.cancel()
        await ended_by_cancel(raw, leaves, ack(leaves), ack(other))
        await trio.testing.wait_all_tasks_blocked()
        await raw.send(result(other, "stays"))


async def ended_by_cancel(raw: Raw, opening: Any, *before: dict[str, object]) -> None:
    """Answer the CANCEL of a call."""
    cancelling = await raw.receive()
    assert cancelling["cmd"][2] == {"cid": cid_of(opening)}
    terminal = error(cid_of(opening), "ContextCancelled")
    await raw.send(*before, ack(cancelling), terminal, result(cancelling, value=True))


async def test_a_caller_that_has_its_answer_reads_no_longer() -> None:
    async with calling() as (peer, raw), trio.open_nursery() as nursery:

        async def quick() -> None:
            assert await peer.call(NS, "echo", value=1) == "quick"
            await trio.sleep(100)

        async def slow() -> None:
            with trio.fail_after(10):
                assert await peer.call(NS, "echo", value=2) == "slow"
            nursery.cancel_scope.cancel()

        nursery.start_soon(quick)
        one = await raw.receive()
        nursery.start_soon(slow)
        two = await raw.receive()
        await raw.send(ack(one), ack(two), result(one, "quick"))
        await trio.sleep(1)
        await raw.send(result(two, "slow"))
    assert trio.current_time() < 10


async def test_a_stream_that_is_left_while_another_task_reads_for_it() -> None:
    seen: list[str] = []
    async with calling() as (peer, raw), trio.open_nursery() as nursery:

        async def answer() -> None:
            opening = await raw.receive()
            await raw.send(ack(opening, "context"), {"started": 1, "cid": cid_of(opening)})

        nursery.start_soon(answer)
        async with peer.context("ns", "context") as (ctx, _first):
            async with ctx.stream() as stream:

                async def waits() -> None:
                    with pytest.raises(trio.ClosedResourceError):
                        await stream.receive()
                    seen.append("closed")

                await caller_reads(nursery, peer, raw, waits)
            await trio.testing.wait_all_tasks_blocked()
            assert seen == ["closed"]
            stop = await raw.receive()
            await raw.send({"return": 1, "cid": stop["cid"]})
            assert await ctx.result() == 1


async def test_nothing_is_taken_from_a_connection_that_is_over() -> None:
    one, two = stream_pair()
    taken: list[bytes | bytearray] = []
    reading = Reading(transport(one))
    reading.received = lambda data: bool(taken.append(data))  # type: ignore[func-returns-value]
    async with trio.open_nursery() as nursery:
        nursery.start_soon(reading.once, None)
        await trio.testing.wait_all_tasks_blocked()
        reading.close()
        await two.send_all(b"late")
    assert (taken, reading.stage) == ([], Stage.OVER)


async def test_a_wait_that_is_called_off_disturbs_no_writer() -> None:
    one, two = socket.socketpair()
    stream = trio.SocketStream(trio.socket.from_stdlib_socket(one))
    writes, sent = transport(stream), os.urandom(3_000_000)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(writes.write, sent)
        read: list[object] = []

        async def reads() -> None:
            read.append(await writes.read())

        nursery.start_soon(reads)
        await trio.testing.wait_all_tasks_blocked()
        writes.call_off()
        await trio.testing.wait_all_tasks_blocked()
        assert read == [None]
        got = bytearray()
        two.setblocking(False)  # noqa: FBT003  (the standard library's own)
        while len(got) < len(sent):
            try:
                got += two.recv(1 << 20)
            except BlockingIOError:
                await trio.testing.wait_all_tasks_blocked()
    assert got == sent
    two.close()
    await stream.aclose()


async def test_a_function_that_never_returns_keeps_no_other_from_being_read(readers: Readers) -> None:
    async with serving() as raw:
        for number in range(10):
            await raw.send(cmd(f"hangs-{number}", "hang"))
            assert await raw.receive() == {"functype": "asyncfunc", "cid": f"hangs-{number}"}
            assert await raw.barrier(f"b-{number}") == []
        assert Worker in [kind for _, kind in readers]


@pytest.mark.parametrize("ending", [False, True])
async def test_an_error_of_our_own_ends_the_connection_whoever_reads(
    monkeypatch: pytest.MonkeyPatch, ending: bool
) -> None:
    """It is raised as well where the reader was told to end before it has seen the error."""

    def fails(serving: Serving, _message: Open) -> None:
        if ending:
            serving._link.reading.scope.cancel()
        raise RuntimeError("meant")

    monkeypatch.setattr(Serving, "opened", fails)
    seen: list[str] = []
    with pytest.raises(BaseExceptionGroup) as raised:  # noqa: PT012  (where the connection was opened)
        async with calling() as (peer, raw), trio.open_nursery() as nursery:

            async def calls() -> None:
                with pytest.raises(Disconnected, match="the peer itself has failed"):
                    await peer.call(NS, "echo")
                seen.append("the caller was told")

            await caller_reads(nursery, peer, raw, calls)
            await raw.receive()
            await raw.send(cmd("c", "echo", value=1))
            await trio.testing.wait_all_tasks_blocked()
    assert raised.group_contains(RuntimeError, match="meant")
    assert seen == ["the caller was told"]


async def test_a_call_that_reads_fails_at_once_with_all_others() -> None:
    async with calling() as (peer, raw), trio.open_nursery() as nursery:

        async def calls() -> None:
            with pytest.raises(Disconnected):
                await peer.call(NS, "echo")

        await caller_reads(nursery, peer, raw, calls)
        await raw.receive()
        peer._link.writer.put([b"x" * 10_000_000])
        before = trio.current_time()
        peer._link.break_off("meant")
        while nursery.child_tasks:
            await trio.testing.wait_all_tasks_blocked()
        assert trio.current_time() == before


async def test_a_wait_that_is_called_off_before_it_has_begun() -> None:
    """After a read that has filled its buffer the next one takes a turn, and may find nothing."""
    one, two = stream_pair()
    reads = transport(one)
    await two.send_all(b"x" * 65536)
    data = await reads.read()
    assert data is not None
    assert (len(data), reads.drained) == (65536, False)
    with trio.fail_after(1):
        assert await reads.read() is None
    assert reads.drained


async def test_a_caller_deep_in_its_own_calls_reads_for_nobody() -> None:
    async with calling() as (peer, raw), trio.open_nursery() as nursery:
        nested: object = 1
        for _ in range(100):
            nested = [nested]

        async def deep(levels: int) -> None:
            if levels:
                await deep(levels - 1)
            else:
                assert await peer.call(NS, "echo") == 1

        async def other() -> None:
            assert await peer.call(NS, "echo") == nested

        await caller_reads(nursery, peer, raw, lambda: deep(sys.getrecursionlimit() - 200), reads=Reading)
        one = await raw.receive()
        nursery.start_soon(other)
        two = await raw.receive()
        await raw.send(ack(one), ack(two), result(two, nested), result(one, 1))
