"""The one task that writes to a connection.

Frames are queued whole and written whole: no cancelled task can leave half a frame behind (FRM-05s). What is
queued is bounded: whatever a task has to send, terminals included, waits for room in that task, and the
reader rests while too much of what it answers itself waits: ACKs, refusals, the answers of cancels. So two
ends that answer each other at length never wait for each other.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

import trio

if TYPE_CHECKING:
    from ._settings import Settings

_BATCH = 65536
_AT_ONCE = 16
"""How many of those that wait for room look again at a time: woken all, most would find it taken."""


class Writer:
    """Queue and task; the task joins the frames that were queued since it last wrote."""

    def __init__(self, stream: trio.abc.SendStream, settings: Settings) -> None:
        self._stream = stream
        self._settings = settings
        self._frames: deque[tuple[bytes, bool]] = deque()
        self._waiting = 0
        self._answers = 0
        self._work = trio.lowlevel.ParkingLot()
        self._progress = trio.lowlevel.ParkingLot()
        self._room = trio.lowlevel.ParkingLot()
        self._scope = trio.CancelScope()

    def put(self, frame: bytes, *, answer: bool) -> None:
        """Queue a frame, or drop it if nothing more is written. Never waits.

        `answer` marks what the reader sends at once because the other end asked for it.
        """
        if self.stopped:
            return
        self._frames.append((frame, answer))
        self._waiting += len(frame)
        if answer:
            self._answers += len(frame)
        self._work.unpark_all()

    @property
    def full(self) -> bool:
        """Whether no application data should be queued: so much waits, or nothing is written any more."""
        return self._waiting > self._settings.send_bytes or self.stopped

    async def progress(self) -> None:
        """Wait until there may be room, or never will be."""
        await self._room.park()

    def wake(self) -> None:
        """Let whoever waits for room look again."""
        self._room.unpark_all()

    async def listened_to(self) -> bool:
        """Wait until the other end has read enough of our answers. False if it read too few for too long."""
        if self._answers <= self._settings.answer_bytes:
            return True
        with trio.move_on_after(self._settings.answer_seconds):
            while self._answers > self._settings.answer_bytes:
                await self._progress.park()
        return self._answers <= self._settings.answer_bytes

    async def flushed(self) -> None:
        """Wait until everything queued has been written, or can't be written any more."""
        while self._waiting and not self.stopped:
            await self._progress.park()

    @property
    def stopped(self) -> bool:
        """Whether nothing more will be written."""
        return self._scope.cancel_called

    def stop(self) -> None:
        """Write nothing more. The connection has to be closed then: a frame may be half written."""
        self._scope.cancel()
        self._frames.clear()
        self._progress.unpark_all()
        self._room.unpark_all()

    async def run(self) -> None:
        """Write until stopped, or until the stream takes nothing any more."""
        with self._scope:
            try:
                while True:
                    while not self._frames:
                        await self._find_work()
                    await self._write_some()
            except (trio.BrokenResourceError, trio.ClosedResourceError):
                self.stop()

    async def _find_work(self) -> None:
        if self._room:
            self._room.unpark(count=_AT_ONCE)
            await trio.lowlevel.checkpoint()
        else:
            await self._work.park()

    async def _write_some(self) -> None:
        batch: list[bytes] = []
        size = answers = 0
        while self._frames and size < _BATCH:
            frame, answer = self._frames.popleft()
            batch.append(frame)
            size += len(frame)
            answers += len(frame) if answer else 0
        await self._stream.send_all(batch[0] if len(batch) == 1 else b"".join(batch))
        self._waiting -= size
        self._answers -= answers
        self._progress.unpark_all()
        self._room.unpark(count=_AT_ONCE)
