"""Frames over a socket, read and written in batches, and nothing else."""

from __future__ import annotations

import socket
from struct import Struct
from typing import Any

import msgspec
import trio

Message = dict[str, Any]

_LENGTH = Struct("<I")
_BUFFER = 1 << 20
_BATCH = 1 << 16

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder().decode


class Wire:
    """Frames over a connection, by trio's own streams."""

    def __init__(self, stream: trio.SocketStream) -> None:
        self._stream = stream
        self._buffer = memoryview(bytearray(_BUFFER))
        self._held = 0
        self._out: list[bytes] = []
        self._queued = 0

    async def read(self) -> list[Message]:
        """All messages that one read completes; maybe none. Raises `EOFError`."""
        size = await self._receive(self._buffer[self._held :])
        if not size:
            raise EOFError
        end = self._held + size
        messages, at = [], 0
        while end - at >= _LENGTH.size:
            after = at + _LENGTH.size + _LENGTH.unpack_from(self._buffer, at)[0]
            if after > end:
                break
            messages.append(_decode(self._buffer[at + _LENGTH.size : after]))
            at = after
        self._buffer[: end - at] = self._buffer[at:end]
        self._held = end - at
        return messages

    def say(self, message: Message) -> None:
        """Put a message after the others that wait."""
        body = _encode(message)
        self._out += (_LENGTH.pack(len(body)), body)
        self._queued += len(body)

    @property
    def full(self) -> bool:
        """Whether enough waits for one system call."""
        return self._queued >= _BATCH

    async def flush(self) -> None:
        """Write what waits."""
        data = b"".join(self._out)
        self._out.clear()
        self._queued = 0
        if data:
            await self._send(data)

    async def _receive(self, into: memoryview) -> int:
        return await self._stream.socket.recv_into(into)

    async def _send(self, data: bytes) -> None:
        await self._stream.send_all(data)


class DirectWire(Wire):
    """The same by system calls, tried at once: trio only waits."""

    def __init__(self, stream: trio.SocketStream) -> None:
        super().__init__(stream)
        self._socket = socket.socket(fileno=socket.dup(stream.socket.fileno()))
        self._socket.setblocking(False)  # noqa: FBT003  (the standard library's own)
        self._full_read = False

    async def _receive(self, into: memoryview) -> int:
        if not self._full_read:
            await trio.lowlevel.wait_readable(self._socket)
        while True:
            try:
                size = self._socket.recv_into(into)
            except BlockingIOError:
                await trio.lowlevel.wait_readable(self._socket)
            else:
                self._full_read = size == len(into)
                return size

    async def _send(self, data: bytes) -> None:
        rest = memoryview(data)
        while rest:
            try:
                rest = rest[self._socket.send(rest) :]
            except BlockingIOError:
                await trio.lowlevel.wait_writable(self._socket)
