"""Whose turn it is to read from a connection: whoever waits for what it brings.

To be woken by another task costs a turn of the scheduler, more than most of what a small call costs. So there
is no one task that reads for the others. A task that waits for something of a connection reads there
meanwhile, if nobody else does: it passes on what has come, to whichever calls that is for, and mostly finds
what it has waited for itself.

The reader's own task stands by. It reads while nobody waits, and it does whatever may take longer than a
glance: it waits for slow consumers and for an end that does not read. When everything was read it lets two
turns pass first, so that a task that is about to wait can be quicker.

It reads for all where there are many calls: more of their messages are then passed on together, and more of
what is said in answer leaves together. And it does over a stream that does not say whether there is more to
read.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Final

import trio

from ._waiters import Waiters

if TYPE_CHECKING:
    from collections.abc import Callable

    from ._transport import Transport

_PATIENCE: Final = 2
"""So many turns the reader waits for another task to read: in the first those that it has woken run."""

_FEW: Final = 8
"""With more calls than that the reader reads for all."""


class Stage(Enum):
    """How far it is with reading."""

    FREE = "nobody reads: whoever waits for something of this connection may"
    WAITING = "a task waits until there is something to read, or for its turn to"
    HELD = "what was read is being passed on, or it is the reader's turn"
    OVER = "nothing more is read"


_FREE, _WAITING, _HELD, _OVER = Stage.FREE, Stage.WAITING, Stage.HELD, Stage.OVER  # as elsewhere, for speed


class Reading:
    """The turn to read from one connection."""

    received: Callable[[bytes | bytearray], bool]
    """Passes on what was read, nothing at the end; false if the reader has to go on. Never waits."""
    calls_under_way: Callable[[], int]
    """How many calls the connection has, in both directions."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._reader = Waiters()
        self.stage = _HELD
        self.by: object = None
        """Who reads: what the task waits for. It may have to look after that instead: `call_off`."""
        self.scope = trio.CancelScope()
        """In which the reader's own task reads."""
        self._crowd = 0

    # A KeyboardInterrupt in here would be lost bytes to everybody else.
    @trio.lowlevel.enable_ki_protection
    async def once(self, by: object) -> None:
        """Read once, if `stage` is FREE, and pass that on; or return because it is called off."""
        self.stage, self.by = _WAITING, by
        try:
            data = await self._transport.read()
            if data is not None and self.stage is _WAITING:
                self.stage = _HELD
                if self.received(data) and self._is_quiet():
                    self.stage = _FREE
        finally:
            self.by = None
            if self.stage is _WAITING:
                self.stage = _FREE
            self._reader.wake()

    def _is_quiet(self) -> bool:
        """Whether there are few calls, and have been for as many reads as there were more of them."""
        self._crowd = max(self.calls_under_way(), self._crowd - 1)
        return self._crowd <= _FEW

    def call_off(self, by: object) -> None:
        """Let a task look again, at something other than the stream, if it is the one that waits there."""
        if self.by is by and self.stage is not _HELD:
            self._transport.call_off()

    def free(self) -> None:
        """Say that everything was passed on."""
        self.stage = _FREE

    async def stand_by(self) -> None:
        """Wait until the reader has to go on: read for others, if none of them does, or what is HELD."""
        if self._transport.drained and self._crowd <= _FEW:
            for _ in range(_PATIENCE):
                if self.stage is _FREE:
                    await trio.lowlevel.checkpoint()
        if self.stage is _FREE:
            await self.once(self)
        elif self.stage is _WAITING:
            await self._reader.wait()

    def close(self) -> None:
        """Read nothing more. A task that waits there has to be called off, or the stream to be closed."""
        self.stage = _OVER
