"""One connection: reads frames and hands them to its peer, writes whole frames, ends."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import trio

if TYPE_CHECKING:
    from faults.honest.peer import Peer
    from iptc_conformance.driving.streams import Stream

CHUNK = 65536
_GONE = (trio.BrokenResourceError, trio.ClosedResourceError)


class ConnectionOver(Exception):  # noqa: N818  (it names what has happened)
    """The connection is read no further. `how`: violation, fatal or goodbye."""

    def __init__(self, how: str) -> None:
        super().__init__(how)
        self.how = how


class Conn:
    """One connection of a peer. `number` counts them from 0."""

    def __init__(self, peer: Peer, stream: Stream) -> None:
        self.peer, self.stream = peer, stream
        self.number = len(peer.conns)
        peer.conns.append(self)
        self.theirs: list[str] | None = None
        """The uid of the other side, once its hello has come."""
        self.calls: dict[str, Any] = {}
        self.opened = 0
        """How many calls were opened on it so far, by the other side or, as a caller, by us."""
        self.cancels = 0
        self.silent = False
        """Nothing is written any more: it is closed, or we have said GOODBYE."""
        self.over = False
        """Nothing is read any more."""
        self.lock = trio.Lock()
        """Held while a frame is written."""
        self.nursery: trio.Nursery

    async def run(self) -> None:
        """Talk until the connection is over, then end what came by it."""
        try:
            async with trio.open_nursery() as self.nursery:
                how = await self._talk()
                self.over = True
                if how != "goodbye":
                    await self.close()
                await self.peer.end(self, how)
                self.nursery.cancel_scope.cancel()
        finally:
            await self.close()

    async def close(self) -> None:
        """Close both halves."""
        self.silent = True
        await trio.aclose_forcefully(self.stream)

    async def send(self, message: Any) -> None:
        """Write one frame, whole, whatever is cancelled; a connection that is gone takes nothing."""
        data = self.peer.frame(self, self.peer.encode(message))
        with trio.CancelScope(shield=self.peer.whole_frames):
            async with self.peer.exclusive(self):
                if self.silent:
                    return
                try:
                    await self.peer.write(self, data)
                except _GONE:
                    self.silent = True

    async def _talk(self) -> str:
        try:
            return await self._read()
        except ConnectionOver as over:
            return over.how
        except _GONE:
            return self.peer.on_reset(self)

    async def _read(self) -> str:
        await self.peer.greet(self)
        cutter = self.peer.cutter(self)
        with trio.move_on_after(self.peer.hello_seconds) as hello:
            while chunk := await self.stream.receive_some(CHUNK):
                for frame in self.peer.cut(self, cutter, bytes(chunk)):
                    await self.peer.on_frame(self, self.peer.classify(self, frame))
                if self.theirs is not None:
                    hello.deadline = math.inf
            return self.peer.on_eof(self, cutter)
        return "no hello"
