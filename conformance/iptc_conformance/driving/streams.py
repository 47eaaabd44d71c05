"""Byte streams between the suite and what it judges: TCP, or memory where a testee is embedded.

Memory streams behave as sockets do: they hold a bounded number of bytes, cut writes as they like, and tell an
end from a reset.
"""

from __future__ import annotations

import socket
import struct
from dataclasses import dataclass, field

import trio

Stream = trio.abc.HalfCloseableStream
"""What a connection is: a reliable stream of bytes of which either half can be closed."""
_CAPACITY = 1 << 18


@dataclass(frozen=True, slots=True)
class Address:
    """Where something listens."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"

    async def connect(self) -> Stream:
        """Connect.  Raises OSError."""
        return await trio.open_tcp_stream(self.host, self.port)


async def reset(stream: Stream) -> None:
    """Close a stream so that the other end sees a reset, not an end."""
    if isinstance(stream, MemoryStream):
        stream.abort()
    elif isinstance(stream, trio.SocketStream):
        stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    await trio.aclose_forcefully(stream)


@dataclass(slots=True, eq=False)
class _Pipe:
    """One direction. `ended`: closed by its writer; `broken`: by a reset; `unread`: no reader is left."""

    held: bytearray = field(default_factory=bytearray)
    ended: bool = False
    broken: bool = False
    unread: bool = False
    readers: trio.lowlevel.ParkingLot = field(default_factory=trio.lowlevel.ParkingLot)
    writers: trio.lowlevel.ParkingLot = field(default_factory=trio.lowlevel.ParkingLot)

    def wake(self) -> None:
        self.readers.unpark_all()
        self.writers.unpark_all()


class MemoryStream(trio.abc.HalfCloseableStream):
    """One end of a connection in memory; `memory_streams` makes both."""

    def __init__(self, incoming: _Pipe, outgoing: _Pipe) -> None:
        self._in = incoming
        self._out = outgoing
        self._closed = False

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        """Send all of it, waiting for room. Raises trio.BrokenResourceError, trio.ClosedResourceError."""
        await trio.lowlevel.checkpoint()
        rest = memoryview(data)
        while True:
            self._check_writable()
            room = max(0, _CAPACITY - len(self._out.held))
            self._out.held += rest[:room]
            rest = rest[room:]
            self._out.readers.unpark_all()
            if not rest:
                return
            await self._out.writers.park()

    async def wait_send_all_might_not_block(self) -> None:
        """Wait until there is room. Raises as `send_all` does."""
        await trio.lowlevel.checkpoint()
        self._check_writable()
        while len(self._out.held) >= _CAPACITY:
            await self._out.writers.park()
            self._check_writable()

    async def send_eof(self) -> None:
        """Close this end's half."""
        await trio.lowlevel.checkpoint()
        if self._closed:
            raise trio.ClosedResourceError
        self._out.ended = True
        self._out.wake()

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        """Return what has come, b"" at the end. Raises trio.BrokenResourceError after a reset."""
        await trio.lowlevel.checkpoint()
        while True:
            if self._closed:
                raise trio.ClosedResourceError
            if self._in.broken:
                raise trio.BrokenResourceError("the connection was reset")
            if self._in.held:
                data = bytes(self._in.held[:max_bytes])
                del self._in.held[:max_bytes]
                self._in.writers.unpark_all()
                return data
            if self._in.ended:
                return b""
            await self._in.readers.park()

    async def aclose(self) -> None:
        """Close both halves; what was sent can still be read."""
        self._close()
        await trio.lowlevel.checkpoint()

    def abort(self) -> None:
        """Close both halves at once; the other end sees a reset."""
        self._out.broken = True
        self._out.held.clear()
        self._close()

    def _close(self) -> None:
        self._closed = True
        self._out.ended = self._in.unread = True
        self._in.held.clear()
        self._in.wake()
        self._out.wake()

    def _check_writable(self) -> None:
        if self._closed or self._out.ended:
            raise trio.ClosedResourceError
        if self._out.unread or self._in.broken:
            raise trio.BrokenResourceError("the other end is gone")


def memory_streams() -> tuple[MemoryStream, MemoryStream]:
    """Return the two ends of a fresh connection."""
    one, other = _Pipe(), _Pipe()
    return MemoryStream(one, other), MemoryStream(other, one)
