"""Writing to a connection: the first frame of a turn at once, what follows it together.

Frames are queued whole and written whole: no cancelled task can leave half a frame behind (FRM-05s). The
first frame after a pause goes straight to the stream, from the task that has it. What is said after it in the
same turn of the scheduler is joined: it leaves when it makes a piece, or by one task a turn later. An ACK is
held until the next frame, so that it leaves together with an answer that is there at once; whoever holds it
lets it go when that is not.

What is queued is bounded: whatever a task has to send, terminals included, waits for room in that task, and
the reader rests while too much of what it answers itself waits: ACKs, refusals, the answers of cancels. So
two ends that answer each other at length never wait for each other.
"""

from __future__ import annotations

from collections import deque
from enum import Enum
from typing import TYPE_CHECKING, Final

import trio

from ._waiters import Waiters

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ._settings import Settings
    from ._transport import Transport

_PIECE = 16384
"""Bytes that are worth a system call of their own. As small items they are fewer than an inbox holds: one
that is filled at once makes the reader wait for it."""
SOON: Final = 1400
"""Bytes of calls and answers that are, about a packet: the other end need not be idle while more are made."""
_FIRST = 160
"""Bytes of a piece of single items, doubled with each that leaves in a turn: an end that answers the first of
them need not be idle while more are made, and many take few system calls."""
_BATCH = 262144
_AT_ONCE = 16
"""How many of those that wait for room look again at a time: woken all, most would find it taken."""


class Turn(Enum):
    """Who writes the next frame."""

    FRESH = "whoever has it, at once"
    TAKEN = "the task, a turn later: something was written in this turn already"
    WRITING = "the task, when the stream has taken what it waits with"
    STOPPED = "nobody any more"


# To look one up costs 0.1 us.
_FRESH, _TAKEN, _WRITING, _STOPPED = Turn.FRESH, Turn.TAKEN, Turn.WRITING, Turn.STOPPED


class Writer:
    """Queue and task; the task joins the frames that were queued since it last wrote."""

    def __init__(self, transport: Transport, settings: Settings) -> None:
        self._transport = transport
        self._settings = settings
        self._parts: list[bytes] = []
        self._queued = self._written = 0
        self._full_at = settings.send_bytes
        self.full = False
        """Whether no application data should be queued: so much waits, or nothing is written any more."""
        self._answers = 0
        self._ends: deque[tuple[int, int]] = deque()  # of each answer: where it ends, and its size
        self.piece = _FIRST
        """Bytes of single items that are worth a system call by now."""
        self._turn = Turn.FRESH
        self._work = Waiters()
        self._progress = trio.lowlevel.ParkingLot()
        self._room = trio.lowlevel.ParkingLot()
        self._scope = trio.CancelScope()

    def put(
        self, parts: Sequence[bytes], *, answer: bool = False, hold: bool = False, piece: int = _PIECE
    ) -> None:
        """Queue a frame in its parts, or several; drop them if nothing more is written. Never waits.

        `answer` marks what the reader sends at once because the other end asked for it. With `hold` the frame
        waits for the next to leave with it, or for `let_go`.
        """
        if self._turn is _STOPPED:
            return
        size = sum(map(len, parts))
        self._parts += parts
        self._queued += size
        self.full = self._queued > self._full_at
        if answer:
            self._answers += size
            self._ends.append((self._queued, size))
        if self.full or (
            not hold and (self._turn is _FRESH or self._work.tasks or self._queued - self._written >= piece)
        ):
            self.let_go(piece)

    def next_turn(self) -> None:
        """Say that the scheduler has had a turn since the last frame: the next one may go out at once."""
        if self._turn is _TAKEN:
            self._begin_turn()

    def _begin_turn(self) -> None:
        self._turn = _FRESH
        self.piece = _FIRST

    def let_go(self, piece: int = _PIECE) -> None:
        """Write what is held, if nothing has taken it along."""
        if not self._parts:
            return
        if self._turn is _FRESH or (self._turn is _TAKEN and self._queued - self._written >= piece):
            self._write_now()
        if self._parts and self._work.tasks:
            self._work.wake()

    async def progress(self) -> None:
        """Wait until there may be room, or never will be."""
        await self._room.park()

    def wake(self) -> None:
        """Let whoever waits for room look again."""
        self._room.unpark_all()

    @property
    def behind(self) -> bool:
        """Whether the other end leaves too many of our answers unread."""
        return self._answers > self._settings.answer_bytes

    async def listened_to(self) -> bool:
        """Wait until the other end has read enough of our answers. False if it read too few for too long."""
        with trio.move_on_after(self._settings.answer_seconds):
            while self.behind and not self.stopped:
                await self._progress.park()
        return not self.behind

    async def flushed(self) -> None:
        """Wait until everything queued has been written, or can't be written any more."""
        self.let_go()
        while self._queued > self._written and not self.stopped:
            await self._progress.park()

    @property
    def stopped(self) -> bool:
        """Whether nothing more will be written."""
        return self._turn is _STOPPED

    def stop(self) -> None:
        """Write nothing more. The connection has to be closed then: a frame may be half written."""
        self._turn = _STOPPED
        self.full = True
        self._scope.cancel()
        self._parts.clear()
        self._progress.unpark_all()
        self._room.unpark_all()

    async def run(self) -> None:
        """Write until stopped, or until the stream takes nothing any more."""
        with self._scope:
            try:
                while True:
                    while not self._parts:
                        await self._find_work()
                    await self._gather()
                    await self._write_some()
            except (trio.BrokenResourceError, trio.ClosedResourceError):
                self.stop()

    async def _find_work(self) -> None:
        if self._room:
            self._room.unpark(count=_AT_ONCE)
        await trio.lowlevel.checkpoint()
        if not self._parts and not self._room:  # nobody goes on: the next frame may go out at once
            self._begin_turn()
            await self._work.wait()

    async def _gather(self) -> None:
        """Wait for what others have to say in this turn, and in the next ones while they go on."""
        seen = -1
        while seen < self._queued < self._written + _PIECE:
            seen = self._queued
            await trio.lowlevel.checkpoint()

    def _write_now(self) -> None:
        """Write all that is queued, as far as the stream takes it; the task goes on with the rest."""
        parts, self._parts = self._parts, []
        size = self._queued - self._written
        taken = self._transport.write_now(parts)
        self.piece = min(2 * self.piece, _PIECE)
        self._turn = _TAKEN
        if taken < size:
            self._parts.append(b"".join(parts)[taken:])
            self._turn = _WRITING
        self._wrote(taken)

    async def _write_some(self) -> None:
        parts = self._batch()
        if not parts:
            return
        data = b"".join(parts)
        self._turn = _WRITING
        taken = self._transport.write_now([data])
        if taken < len(data):
            await self._transport.write(data[taken:])
        if not self.stopped:
            self._turn = _TAKEN
        self._wrote(len(data))

    def _batch(self) -> list[bytes]:
        parts, self._parts = self._parts, []
        if self._queued - self._written > _BATCH:
            size = count = 0
            while count < len(parts) and size < _BATCH:
                size += len(parts[count])
                count += 1
            self._parts = parts[count:]
            del parts[count:]
        return parts

    def _wrote(self, size: int) -> None:
        self._written += size
        self._full_at += size
        self.full = self._queued > self._full_at or self.stopped
        while self._ends and self._ends[0][0] <= self._written:
            self._answers -= self._ends.popleft()[1]
        if self._progress:
            self._progress.unpark_all()
        # Only the task wakes those who wait for room: whoever writes at once may be about to wait there.
        if self._room and self._work.tasks:
            self._work.wake()
