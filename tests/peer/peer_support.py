"""The other end by hand: raw frames over a stream, so that it can say what no honest peer would."""

from __future__ import annotations

import socket
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

import msgspec
import trio
import trio.testing

from iptc_codec import Limits, Role
from iptc_codec.peer import Exports, Peer, Settings, open_stream_peer, serve_stream
from iptc_codec.peer.testee import NAMESPACE, Fixture

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

Streams = tuple[trio.abc.HalfCloseableStream, trio.abc.HalfCloseableStream]

_sockets: ContextVar[list[trio.SocketStream]] = ContextVar("sockets")


def socket_pair() -> Streams:
    """Two sockets that are connected; what one sends is there for the other at once."""
    one, two = (trio.SocketStream(trio.socket.from_stdlib_socket(end)) for end in socket.socketpair())
    _sockets.get().extend((one, two))
    return one, two


STREAMS: dict[str, Callable[[], Streams]] = {
    "memory": trio.testing.memory_stream_pair,
    "sockets": socket_pair,
}
_streams: ContextVar[Callable[[], Streams]] = ContextVar("streams")


def stream_pair() -> Streams:
    """Two connected streams, of the kind that the test is to run over."""
    return _streams.get()()


@contextmanager
def using_streams(kind: str) -> Iterator[None]:
    """Say what `stream_pair` makes in here."""
    _streams.set(STREAMS[kind])
    _sockets.set([])
    try:
        yield
    finally:
        for stream in _sockets.get():
            stream.socket.close()


UID = ["raw", "u1"]
NS = NAMESPACE


def frame(value: object) -> bytes:
    """A value as one frame."""
    body = msgspec.msgpack.encode(value)
    return len(body).to_bytes(4, "little") + body


def cmd(cid: str, func: str, ns: str = NS, /, **kwargs: object) -> dict[str, object]:
    """An OPEN."""
    return {"cmd": [ns, func, kwargs, UID, cid]}


def cancel(cid: str, target: str) -> dict[str, object]:
    """A CANCEL."""
    return cmd(cid, "_cancel_task", "self", cid=target)


def error(cid: str, type_str: str) -> dict[str, object]:
    """A FAIL, or OVERRUN."""
    return {"error": {"tb_str": "", "type_str": type_str}, "cid": cid}


class Raw:
    """One end of a stream, frame by frame."""

    def __init__(self, stream: trio.abc.Stream) -> None:
        self.stream = stream
        self._held = bytearray()

    async def send(self, *values: object) -> None:
        """Send values as frames, in one piece."""
        await self.stream.send_all(b"".join(frame(value) for value in values))

    async def send_bytes(self, data: bytes) -> None:
        """Send bytes as they are."""
        await self.stream.send_all(data)

    async def receive(self) -> Any:
        """The next frame's value. Raises `EOFError` at the end of the stream."""
        length = int.from_bytes(await self._take(4), "little")
        return msgspec.msgpack.decode(await self._take(length))

    async def receive_many(self, count: int) -> list[Any]:
        """The next frames' values."""
        return [await self.receive() for _ in range(count)]

    async def rest(self) -> list[Any]:
        """All values up to the end of the stream, which has to come."""
        values = []
        while True:
            try:
                values.append(await self.receive())
            except EOFError:
                return values

    async def answers(self, cid: str) -> list[Any]:
        """What comes for one call up to its terminal; a context's END is none."""
        values: list[Any] = []
        kind = None
        while True:
            value = await self.receive()
            if value.get("cid") != cid:
                continue
            values.append(value)
            kind = value.get("functype", kind)
            overrun = value.get("error", {}).get("type_str") == "StreamOverrun"
            if (
                "return" in value
                or ("error" in value and not overrun)
                or ("stop" in value and kind == "asyncgen")
            ):
                return values

    async def barrier(self, cid: str) -> list[Any]:
        """What has come until a fresh call was answered: nothing more comes for what was asked before."""
        await self.send(cmd(cid, "echo", value="barrier"))
        values: list[Any] = []
        while not values or values[-1] != {"return": "barrier", "cid": cid}:
            values.append(await self.receive())
        return [value for value in values if value.get("cid") != cid]

    async def _take(self, count: int) -> bytes:
        while len(self._held) < count:
            try:
                data = await self.stream.receive_some()
            except trio.BrokenResourceError:  # a socket whose other end was closed with bytes unread
                data = b""
            if not data:
                raise EOFError
            self._held += data
        taken = bytes(self._held[:count])
        del self._held[:count]
        return taken


@asynccontextmanager
async def serving(
    exports: Exports | None = None, *, limits: Limits | None = None, settings: Settings | None = None
) -> AsyncIterator[Raw]:
    """A serving peer, of the fixture's functions by default, and a raw caller; hellos are exchanged."""
    ours, theirs = stream_pair()
    async with trio.open_nursery() as nursery:

        async def serve() -> None:
            await serve_stream(theirs, exports or Fixture().exports(), limits=limits, settings=settings)

        nursery.start_soon(serve)
        raw = Raw(ours)
        await raw.send(UID)
        assert len(await raw.receive()) == 2
        yield raw
        await ours.aclose()


@asynccontextmanager
async def calling(
    exports: Exports | None = None, *, limits: Limits | None = None, settings: Settings | None = None
) -> AsyncIterator[tuple[Peer, Raw]]:
    """A calling peer and a raw callee, whose end closes when the block is left: nothing waits for it."""
    ours, theirs = stream_pair()
    raw = Raw(theirs)
    await raw.send(UID)
    async with open_stream_peer(ours, exports=exports, limits=limits, settings=settings) as peer:
        assert len(await raw.receive()) == 2
        try:
            yield peer, raw
        finally:
            await theirs.aclose()


@asynccontextmanager
async def pair(
    left: Exports | None = None,
    right: Exports | None = None,
    *,
    limits: Limits | None = None,
    settings: Settings | None = None,
) -> AsyncIterator[tuple[Peer, Peer]]:
    """Two peers that are connected; the right one serves the fixture's functions by default."""
    one, two = stream_pair()
    async with trio.open_nursery() as nursery:
        ready = trio.Event()
        leave = trio.Event()
        peers: list[Peer] = []

        async def other() -> None:
            async with open_stream_peer(
                two,
                role=Role.ACCEPTOR,
                exports=right or Fixture().exports(),
                limits=limits,
                settings=settings,
            ) as peer:
                peers.append(peer)
                ready.set()
                await leave.wait()

        nursery.start_soon(other)
        async with open_stream_peer(one, exports=left, limits=limits, settings=settings) as peer:
            await ready.wait()
            yield peer, peers[0]
        leave.set()
