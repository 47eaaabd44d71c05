"""What the calling and the serving half of a peer share: one connection's codec, writer and gate."""

from __future__ import annotations

import logging
from enum import Enum
from typing import TYPE_CHECKING

import trio

from iptc_codec import Connection, Fatal, HalfState, Limits, LocalProtocolError, Message, Violation

from ._errors import VIOLATION_TYPE, Disconnected
from ._flow import Gate
from ._reading import Reading
from ._report import shortened
from ._transport import transport
from ._writer import SOON, Writer

if TYPE_CHECKING:
    import contextvars

    from ._settings import Settings


_log = logging.getLogger("iptc_codec.peer")


class Phase(Enum):
    """How far the connection has come. It only moves forward."""

    TALKING = "calls can be opened"
    LEAVING = "GOODBYE has come, or will be sent: no call is opened any more"
    ENDED = "nothing comes and nothing goes"


_ENDED, _TALKING = Phase.ENDED, HalfState.TALKING  # to look one up costs 0.1 us


class Link:
    """One connection as both halves of its peer see it."""

    context: contextvars.Context
    """Set when the peer runs. In copies of it calls are served, and the application is told of something,
    whichever task has read it."""

    def __init__(self, stream: trio.abc.Stream, conn: Connection, limits: Limits, settings: Settings) -> None:
        self.conn = conn
        self.limits = limits
        self.settings = settings
        self.transport = transport(stream)
        self.writer = Writer(self.transport, settings)
        self.gate = Gate(limits)
        self.phase = Phase.TALKING
        self.why = "the connection is open"
        self.fault: str | None = None
        self.reading = Reading(self.transport)

    def move(self, phase: Phase, why: str) -> None:
        """Enter a later phase, for a reason that `Disconnected` will tell."""
        self.phase = phase
        self.why = why
        self.writer.wake()

    def disconnected(self) -> Disconnected:
        """The error of whoever wants something from a connection that is ending."""
        return Disconnected(self.why)

    def break_off(self, why: str) -> None:
        """End the connection for a fault of this end: nothing more is read."""
        self.fault = self.fault or why
        self.reading.scope.cancel()

    def contain(self, error: LocalProtocolError) -> None:
        """The codec refused what the runtime had to say: a bug, which costs this connection alone."""
        _log.error("the codec refused what the peer had to say", exc_info=error)
        self.break_off(f"this end was about to break the protocol: {error}")

    def post(self, message: Message, *, answer: bool = False, hold: bool = False) -> int:
        """Queue what the application says, without waiting; how many bytes its body has.

        Does nothing once the connection has ended. `answer` and `hold` as in `Writer.put`. Raises
        `LocalProtocolError` where the codec does, `UnencodableValueError` among them.
        """
        if self.phase is _ENDED:
            return 0
        parts = self.conn.parts(message)
        self.writer.put(parts, answer=answer, hold=hold, piece=SOON)
        return len(parts[1])

    def post_all(self, parts: list[bytes]) -> None:
        """Queue frames in parts that the codec has given."""
        if self.phase is not _ENDED:
            self.writer.put(parts)

    def say(self, message: Message, *, answer: bool = True, hold: bool = False) -> None:
        """Queue what the runtime says by itself. Never raises.

        After our GOODBYE nothing can be said any more (DSC-01s), however the other end goes on.
        """
        if self.phase is _ENDED or self.conn.local is not _TALKING:
            return
        try:
            self.writer.put(self.conn.parts(message), answer=answer, hold=hold, piece=SOON)
        except LocalProtocolError as error:
            self.contain(error)

    def fatal(self, violation: Violation) -> None:
        """Queue FATAL for a violation that costs the connection (ROB-03s)."""
        detail = shortened(f"{violation.clause}: {violation.detail}", self.settings)
        self.say(Fatal.of(VIOLATION_TYPE, detail))

    async def room(self) -> None:
        """Wait until application data may be posted. Raises `Disconnected`.

        Cancellation is looked at after the wait, so that nothing is sent for a call that has been given up
        meanwhile.
        """
        while self.writer.full and self.phase is not _ENDED:
            await self.writer.progress()
        await trio.lowlevel.checkpoint_if_cancelled()
        if self.phase is _ENDED:
            raise self.disconnected()

    async def room_for_terminal(self) -> None:
        """Wait until the terminal of a call may be posted, or the connection is being left.

        Shielded: a cancelled call has a terminal too. Once nobody can open another call, what
        waits is bounded without it.
        """
        with trio.CancelScope(shield=True):
            while self.writer.full and self.phase is Phase.TALKING:
                await self.writer.progress()
