"""Sockets read and written directly, and the turns in which frames leave."""

from __future__ import annotations

import os
import socket
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING

import pytest
import trio
import trio.testing

from iptc_codec import Limits
from iptc_codec.peer import Disconnected, Exports, Settings, open_stream_peer, serve_stream
from iptc_codec.peer._transport import Transport, transport
from iptc_codec.peer._writer import SOON, Writer
from iptc_codec.peer.testee import Fixture
from tests.peer.peer_support import NS, calling, cmd, frame, pair, serving

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

PART = (b"head", b"body")


@pytest.fixture
def sockets() -> Iterator[tuple[trio.SocketStream, socket.socket]]:
    """A stream, and the plain socket at its other end."""
    ours, theirs = socket.socketpair()
    theirs.settimeout(5)
    with ours, theirs:
        yield trio.SocketStream(trio.socket.from_stdlib_socket(ours)), theirs


class Recording:
    """A transport that takes so many bytes at once, and the rest when it is let."""

    drained = False

    def __init__(self, at_once: int = 1 << 30) -> None:
        self.at_once = at_once
        self.writes: list[bytes] = []
        self.open = trio.Event()

    async def read(self) -> bytes:
        raise NotImplementedError

    def call_off(self) -> None:
        raise NotImplementedError

    def write_now(self, parts: list[bytes]) -> int:
        data = b"".join(parts)
        taken = min(len(data), self.at_once)
        self.at_once -= taken
        if taken:
            self.writes.append(data[:taken])
        return taken

    async def write(self, data: bytes) -> None:
        await self.open.wait()
        self.writes.append(data)


# The socket.


@pytest.mark.usefixtures("real_clock")
async def test_a_socket_gives_all_that_comes(sockets: tuple[trio.SocketStream, socket.socket]) -> None:
    stream, other = sockets
    sent = os.urandom(3_000_000)
    got = bytearray()
    reads = transport(stream)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(trio.to_thread.run_sync, lambda: other.sendall(sent))
        while len(got) < len(sent):
            data = await reads.read()
            assert data is not None
            assert 0 < len(data) <= 262144
            got += data
    assert got == sent
    other.close()
    assert not await reads.read()


@pytest.mark.usefixtures("real_clock")
async def test_a_socket_takes_what_fits_and_then_the_rest(
    sockets: tuple[trio.SocketStream, socket.socket],
) -> None:
    stream, other = sockets
    writes = transport(stream)
    data = os.urandom(8_000_000)
    taken = writes.write_now([data])
    assert 0 < taken < len(data)
    assert writes.write_now([data[taken:]]) == 0
    got = bytearray()

    def read() -> None:
        while len(got) < len(data):
            got.extend(other.recv(65536))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(trio.to_thread.run_sync, read)
        await writes.write(data[taken:])
    assert got == data


@pytest.mark.usefixtures("real_clock")
async def test_a_closed_stream_touches_no_other_descriptor(
    sockets: tuple[trio.SocketStream, socket.socket],
) -> None:
    """The number of a closed descriptor is soon that of another connection."""
    stream, _ = sockets
    closed = transport(stream)
    number = stream.socket.fileno()
    await stream.aclose()
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        with socket.create_connection(listener.getsockname()) as bystander, listener.accept()[0] as peer:
            assert number in {bystander.fileno(), peer.fileno(), listener.fileno()}
            assert closed.write_now([b"stray"]) == 0
            assert not await closed.read()
            for end in (bystander, peer):
                end.settimeout(0)
                with pytest.raises(BlockingIOError):
                    end.recv(1)


@pytest.mark.usefixtures("real_clock")
async def test_a_reset_is_the_end(sockets: tuple[trio.SocketStream, socket.socket]) -> None:
    stream, other = sockets
    broken = transport(stream)
    other.close()
    while broken.write_now([b"x" * 1000]):
        pass
    with pytest.raises(trio.BrokenResourceError):
        await broken.write(b"x")
    assert not await broken.read()


@pytest.mark.usefixtures("real_clock")
async def test_closing_ends_a_waiting_read(sockets: tuple[trio.SocketStream, socket.socket]) -> None:
    stream, _ = sockets
    async with trio.open_nursery() as nursery:

        async def read() -> None:
            assert not await transport(stream).read()

        nursery.start_soon(read)
        await trio.testing.wait_all_tasks_blocked()
        await stream.aclose()


# The writer.


@asynccontextmanager
async def _writing(recording: Transport, settings: Settings | None = None) -> AsyncIterator[Writer]:
    """A writer whose task waits for work."""
    writer = Writer(recording, settings or Settings())
    async with trio.open_nursery() as nursery:
        nursery.start_soon(writer.run)
        await trio.testing.wait_all_tasks_blocked()
        yield writer
        nursery.cancel_scope.cancel()


async def _written(recording: Transport, *turns: list[dict[str, bool]]) -> Writer:
    """Put a frame for each of the marks, a turn for each list."""
    async with _writing(recording) as writer:
        for marks in turns:
            for mark in marks:
                writer.put(PART, **mark)
            await trio.testing.wait_all_tasks_blocked()
    return writer


async def test_the_first_frame_leaves_at_once_and_the_rest_together() -> None:
    recording = Recording()
    await _written(recording, [{}, {}, {}], [{}])
    assert recording.writes == [b"headbody", b"headbody" * 2, b"headbody"]


async def test_a_held_frame_leaves_with_the_answer() -> None:
    recording = Recording()
    await _written(recording, [{"hold": True}, {}])
    assert recording.writes == [b"headbody" * 2]


async def test_a_held_frame_leaves_when_it_is_let_go() -> None:
    recording = Recording()
    writer = await _written(recording, [{"hold": True}])
    assert recording.writes == []
    writer.let_go()
    assert recording.writes == [b"headbody"]


async def test_what_the_stream_does_not_take_keeps_its_place() -> None:
    recording = Recording(at_once=3)
    async with _writing(recording) as writer:
        writer.put((b"head", b"one"))
        writer.put((b"head", b"two"))
        await trio.testing.wait_all_tasks_blocked()
        writer.put((b"head", b"three"))
        assert recording.writes == [b"hea"]
        recording.open.set()
        await writer.flushed()
        await trio.testing.wait_all_tasks_blocked()
        assert b"".join(recording.writes) == b"headoneheadtwoheadthree"


async def test_a_packet_of_calls_or_answers_does_not_wait_for_the_turn_to_end() -> None:
    recording = Recording()
    async with _writing(recording) as writer:
        for _ in range(4):
            writer.put((b"head", b"x" * (SOON // 2)), piece=SOON)
        assert [len(piece) for piece in recording.writes] == [SOON // 2 + 4, SOON + 8]
        writer.put((b"head", b"item"))
        assert len(recording.writes) == 2


async def test_single_items_leave_in_pieces_that_grow() -> None:
    recording = Recording()
    async with _writing(recording) as writer:
        sizes = []
        for _ in range(2):
            for _ in range(250):
                writer.put((b"head", b"x" * 36), piece=writer.piece)
            await trio.testing.wait_all_tasks_blocked()
            sizes.append([len(piece) for piece in recording.writes])
            recording.writes.clear()
        assert sizes == [[40, 320, 640, 1280, 2560, 5120, 40], [40, 320, 640, 1280, 2560, 5120, 40]]


async def test_other_frames_wait_for_a_large_piece_or_the_turn_to_end() -> None:
    recording = Recording()
    async with _writing(recording) as writer:
        for _ in range(20):
            writer.put([b"x" * 500])
        assert [len(piece) for piece in recording.writes] == [500]


async def test_only_unread_answers_hold_the_reader_back() -> None:
    recording = Recording(at_once=0)
    async with _writing(recording, Settings(answer_bytes=100)) as writer:
        writer.put((b"head", b"i" * 1000))
        writer.put((b"head", b"a" * 96), answer=True)
        behind = [writer.behind]
        writer.put((b"head", b"a"), answer=True)
        behind.append(writer.behind)
        recording.open.set()
        await writer.flushed()
        assert [*behind, writer.behind] == [False, True, False]


# What it is for.


async def test_an_ack_that_has_to_wait_for_its_result_does_not() -> None:
    async with serving() as raw:
        await raw.send(cmd("c", "hang"))
        assert await raw.receive() == {"functype": "asyncfunc", "cid": "c"}


async def test_what_is_answered_within_a_turn_leaves_in_one_piece() -> None:
    async with serving() as raw:
        await raw.send(cmd("c", "echo", value=1))
        piece = await raw.stream.receive_some()
        assert piece.count(b"\xa3cid\xa1c") == 2


@pytest.mark.usefixtures("real_clock")
async def test_an_answer_that_is_there_at_once_takes_one_write(
    sockets: tuple[trio.SocketStream, socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    stream, other = sockets
    written: list[int] = []
    system = os.writev

    def writev(at: int, parts: list[bytes]) -> int:
        written.append(system(at, parts))
        return written[-1]

    monkeypatch.setattr(os, "writev", writev)
    async with trio.open_nursery() as nursery:
        serve = partial(serve_stream, limits=Limits(goodbye_seconds=0.1))
        nursery.start_soon(serve, stream, Fixture().exports())
        other.sendall(frame(["raw", "u1"]))
        await trio.to_thread.run_sync(other.recv, 1000)
        before = len(written)
        other.sendall(frame(cmd("c", "echo", value=1)))
        answer = b""
        while answer.count(b"\xa3cid\xa1c") < 2:
            answer += await trio.to_thread.run_sync(other.recv, 1000)
        assert written[before:] == [len(answer)]
        nursery.cancel_scope.cancel()


async def test_batches_hold_what_has_come_together() -> None:
    async with calling() as (peer, raw), peer.stream(NS, "count", n=5) as items:
        cid = (await raw.receive())["cmd"][4]
        await raw.send({"functype": "asyncgen", "cid": cid}, *[{"yield": i, "cid": cid} for i in range(3)])
        batches = items.batches()
        assert await anext(batches) == [0, 1, 2]
        await raw.send({"yield": 3, "cid": cid}, {"stop": True, "cid": cid})
        assert [batch async for batch in batches] == [[3]]


async def test_a_flood_lets_other_calls_through() -> None:
    """A full turn at least every 64 items, at both ends: beside two full streams a call is soon answered."""
    endless = Exports()

    @endless.function("flood")
    async def numbers() -> object:
        n = 0
        while True:
            yield n
            n += 1

    @endless.function("flood")
    async def echo(value: object) -> object:
        return value

    async with pair(right=endless) as (peer, _), trio.open_nursery() as nursery:
        taken = [0, 0]

        async def flood(which: int) -> None:
            async with peer.stream("flood", "numbers") as items:
                async for _ in items:
                    taken[which] += 1

        nursery.start_soon(flood, 0)
        nursery.start_soon(flood, 1)
        for turn in range(20):
            before = list(taken)
            assert await peer.call("flood", "echo", value=turn) == turn
            assert max(now - then for now, then in zip(taken, before, strict=True)) < 20_000
        assert min(taken) * 10 > max(taken) > 1000
        nursery.cancel_scope.cancel()


@pytest.mark.usefixtures("real_clock")
async def test_the_same_over_sockets(sockets: tuple[trio.SocketStream, socket.socket]) -> None:
    stream, other = sockets
    theirs = trio.SocketStream(trio.socket.from_stdlib_socket(socket.socket(fileno=other.detach())))
    exports = Exports()

    @exports.function("big")
    async def halves(value: bytes) -> object:
        yield value[: len(value) // 2]
        yield value[len(value) // 2 :]

    async with trio.open_nursery() as nursery:
        nursery.start_soon(serve_stream, theirs, exports)
        value = os.urandom(5_000_000)
        async with open_stream_peer(stream) as peer, peer.stream("big", "halves", value=value) as items:
            assert b"".join([item async for item in items]) == value  # type: ignore[misc]


async def test_a_stream_that_breaks_while_it_is_written_ends_the_connection() -> None:
    async with calling() as (peer, raw):
        await raw.stream.aclose()
        with pytest.raises(Disconnected):
            await peer.call(NS, "echo", value=b"x" * 1000)
