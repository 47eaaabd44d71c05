"""The byte stream under a connection: what a socket can do at once, and any other stream with a wait.

Reading gives large pieces. Writing tries first and waits only for what was not taken: most of what is said
fits into the socket's buffer, and a wait costs more than all the rest of a small message.
"""

from __future__ import annotations

import os
import socket
from contextlib import suppress
from typing import Final, Protocol, runtime_checkable

import trio

_SMALL: Final = 65536
_LARGE: Final = 262144
"""Bytes read at a time: a connection that has filled the small buffer gets the large one."""

_UNSENT: Final = 16384
"""So many bytes the system takes before it can send them: what is written later waits behind them."""

_FEW: Final = 16

_BROKEN = (trio.BrokenResourceError, trio.ClosedResourceError)


@runtime_checkable
class Transport(Protocol):
    """What reader and writer want of a stream. One of each may wait at the same time."""

    @property
    def drained(self) -> bool:
        """Whether nothing is there to read, as far as the last read could tell; false where none can tell."""

    async def read(self) -> bytes | bytearray | None:
        """What has come; empty at the end of the stream, however it ended. None: look again.

        Nothing has come then, after all, or it was called off.
        """

    def call_off(self) -> None:
        """End the wait of a `read` that stands, if the stream is one that can be `drained`."""

    def write_now(self, parts: list[bytes]) -> int:
        """Write what the stream takes without a wait; how many bytes that was. Never raises."""

    async def write(self, data: bytes) -> None:
        """Write all. Raises `trio.BrokenResourceError`, `trio.ClosedResourceError`."""


def transport(stream: trio.abc.Stream) -> Transport:
    """The fastest way to use a stream, with the same semantics for all. One may know a way of its own."""
    if isinstance(stream, Transport):
        return stream
    if isinstance(stream, trio.SocketStream) and hasattr(os, "writev"):
        return _Socket(stream)
    return _Stream(stream)


class _Stream:
    """Any stream of trio: TLS, a pipe, memory."""

    drained = False

    def __init__(self, stream: trio.abc.Stream) -> None:
        self._stream = stream

    def call_off(self) -> None:
        pass

    async def read(self) -> bytes | bytearray:
        try:
            return await self._stream.receive_some(_SMALL)
        except _BROKEN:
            return b""

    def write_now(self, parts: list[bytes]) -> int:  # noqa: ARG002  (no stream says what it would take at once)
        return 0

    async def write(self, data: bytes) -> None:
        await self._stream.send_all(data)


class _Socket:
    """A socket, read and written directly: trio is asked only when there is something to wait for.

    The descriptor is asked for anew each time. Once the stream is closed it is -1, which nobody has: its old
    number may by then be that of another connection.
    """

    def __init__(self, stream: trio.SocketStream) -> None:
        self._stream = stream
        self._descriptor = stream.socket.fileno
        self._most = _SMALL
        self.drained = True
        with suppress(OSError, AttributeError):  # it is no TCP, or the system knows no such thing
            stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, _UNSENT)

    async def read(self) -> bytes | None:
        try:
            if not self.drained:
                await trio.lowlevel.checkpoint()
            elif (descriptor := self._descriptor()) >= 0:
                await trio.lowlevel.wait_readable(descriptor)
            data = self._read_now()
        except trio.ClosedResourceError:
            return None if self._descriptor() >= 0 else b""
        except OSError:
            return b""
        self.drained = data is None or len(data) < self._most  # as it got less than it asked for
        self._most = _SMALL if self.drained else _LARGE
        return data

    def call_off(self) -> None:
        # Whoever waits for the descriptor is told to look again, a writer as well.
        if (descriptor := self._descriptor()) >= 0:
            trio.lowlevel.notify_closing(descriptor)

    def _read_now(self) -> bytes | None:
        try:
            return os.read(self._descriptor(), self._most)
        except BlockingIOError:
            return None

    def write_now(self, parts: list[bytes]) -> int:
        try:
            if len(parts) <= _FEW:  # to join many costs less, and the system takes no more than 1024
                return os.writev(self._descriptor(), parts)
            return os.write(self._descriptor(), b"".join(parts))
        except OSError:
            return 0  # full, or broken: then whoever waits to write is told

    async def write(self, data: bytes) -> None:
        rest = memoryview(data)
        while rest:
            if (descriptor := self._descriptor()) < 0:
                raise trio.ClosedResourceError
            with suppress(trio.ClosedResourceError):  # closed, or `call_off`
                await trio.lowlevel.wait_writable(descriptor)
            try:
                rest = rest[os.write(self._descriptor(), rest) :]
            except BlockingIOError:
                pass
            except OSError as error:
                raise trio.BrokenResourceError from error
