"""The listening end of a tap: it takes connections, dials the target, and passes between the two."""

from __future__ import annotations

import errno
from dataclasses import dataclass
from typing import TYPE_CHECKING

import trio

from iptc_conformance.driving.streams import reset
from iptc_conformance.tap.passing import Ended, pass_between

if TYPE_CHECKING:
    from collections.abc import Sequence

    from iptc_conformance.driving.streams import Address
    from iptc_conformance.tap.tape import Tape

_OUT_OF_ROOM = {errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOBUFS}
_PAUSE = 0.1


@dataclass(frozen=True, slots=True)
class TapSettings:
    """How a tap runs.

    `at_once`: how many connections it holds; further ones wait to be accepted. `connections`: end after so
    many, None: go on until told to stop. `dial_seconds`: how long the target may take to accept.
    """

    enforce: bool = False
    at_once: int = 256
    connections: int | None = None
    dial_seconds: float = 10.0


class Tap:
    """A proxy in front of one target."""

    def __init__(self, target: Address, tape: Tape, settings: TapSettings) -> None:
        self._target = target
        self._tape = tape
        self._settings = settings
        self._taken = 0

    async def run(self, listeners: Sequence[trio.SocketListener]) -> None:
        """Take connections until cancelled, or until the last one that is wanted has ended."""
        room = trio.CapacityLimiter(self._settings.at_once)
        async with trio.open_nursery() as nursery, trio.open_nursery() as accepting:
            for listener in listeners:
                accepting.start_soon(self._accept, listener, room, nursery, accepting.cancel_scope)

    async def _accept(
        self,
        listener: trio.SocketListener,
        room: trio.CapacityLimiter,
        nursery: trio.Nursery,
        accepting: trio.CancelScope,
    ) -> None:
        async with listener:
            while True:
                stream = await self._next(listener)
                token = object()
                try:
                    await room.acquire_on_behalf_of(token)
                except BaseException:
                    stream.socket.close()
                    raise
                self._taken += 1
                nursery.start_soon(self._serve, str(self._taken), stream, room, token)
                if self._taken == self._settings.connections:
                    accepting.cancel()

    async def _next(self, listener: trio.SocketListener) -> trio.SocketStream:
        """Accept one; where the machine is out of room, wait until there is some."""
        while True:
            try:
                return await listener.accept()
            except OSError as error:
                if error.errno not in _OUT_OF_ROOM:
                    raise
                self._tape.watcher.troubled(None, f"cannot accept: {error.strerror}")
                await trio.sleep(_PAUSE)

    async def _serve(
        self, conn: str, stream: trio.SocketStream, room: trio.CapacityLimiter, token: object
    ) -> None:
        tape = self._tape
        tape.connections += 1
        try:
            tape.watcher.opened(conn, _peer_of(stream))
            ended = await self._connected(conn, stream)
            tape.unreachable += ended.unreachable is not None
            tape.cut += ended.cut
            tape.watcher.ended(conn, ended)
        finally:
            tape.let_go(conn)
            room.release_on_behalf_of(token)
            await trio.aclose_forcefully(stream)

    async def _connected(self, conn: str, stream: trio.SocketStream) -> Ended:
        """Dial, and pass between. A target that can't be reached shows as a reset."""
        try:
            with trio.fail_after(self._settings.dial_seconds):
                target = await self._target.connect()
        except (OSError, trio.TooSlowError) as error:
            await reset(stream)
            return Ended(unreachable=_reason(error))
        return await pass_between(conn, stream, target, self._tape, enforce=self._settings.enforce)


def _reason(error: BaseException) -> str:
    """Why it failed, in the system's words: trio wraps them, one for each address that it tried."""
    while error.__cause__ is not None or isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0] if isinstance(error, BaseExceptionGroup) else error.__cause__ or error
    return getattr(error, "strerror", None) or str(error) or "no answer in time"


def _peer_of(stream: trio.SocketStream) -> str:
    try:
        host, port = stream.socket.getpeername()[:2]
    except OSError:  # gone already
        return "?"
    return f"{host}:{port}"
