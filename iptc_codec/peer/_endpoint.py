"""One end of one call, as the caller's and the callee's side have it in common."""

from __future__ import annotations

import sys
from typing import Final, NoReturn

import trio

from iptc_codec import OVERRUN_TYPE, End, Fail, Item, LocalProtocolError, State

from ._errors import remote_error
from ._exports import Kind
from ._flow import LARGE_ITEM, TURN, Inbox
from ._link import Link, Phase
from ._reading import Stage
from ._waiters import Waiters

_ENDED: Final = Phase.ENDED  # to look one up costs 0.1 us
_FREE: Final = Stage.FREE
_ASYNCFUNC: Final = Kind.ASYNCFUNC
_NOBODY: Final = Waiters()
"""Those of calls for which nobody has waited yet."""

Outcome = tuple[object] | End | Fail | Exception
"""How a call has ended for this end: with a value, in a tuple, as the garbage collector does not follow a
message; by another terminal of the callee, or by what became of it here."""


_DEEP: Final = 200


def _is_deep() -> bool:
    """Whether so many frames are on the stack that legal values might not be read there (ENC-06r).

    In Python 3.11 frames and levels of nesting count against the same limit.
    """
    try:
        sys._getframe(_DEEP)  # noqa: SLF001  (there is no other way to ask)
    except ValueError:
        return False
    return True


class Endpoint:
    """A call's inbox and its way out. What state the call is in only the codec knows.

    A unary call gets no items, and shares the inbox that takes none with all others.
    """

    own_half_open: frozenset[State]
    """In these states this end may still send items."""
    other_half_shut: frozenset[State]
    """In these states the other end has sent its END."""

    outcome: Outcome | None = None
    seen = False
    closed = False
    overrun_notices = 0
    turn = TURN
    """How many more items may be sent before others have to run."""

    def __init__(self, link: Link, cid: str, kind: Kind) -> None:
        self.link = link
        self.cid = cid
        self.inbox = link.gate.nobodys if kind is _ASYNCFUNC else Inbox(link.gate)
        self.waiters = _NOBODY

    @property
    def state(self) -> State:
        """The state of the call at this end."""
        return self.link.conn.call_state(self.cid)

    @property
    def can_send(self) -> bool:
        """Whether this end may send an item."""
        return self.outcome is None and self.state in self.own_half_open

    @property
    def ended_by_other(self) -> bool:
        """Whether no item can come any more."""
        return self.outcome is not None or self.state in self.other_half_shut

    def wake(self) -> None:
        """Let whoever waits for this call look again."""
        self.waiters.wake()
        if self.link.reading.by is self:
            self.link.reading.call_off(self)

    async def wait(self) -> None:
        """Wait until something may have happened to this call; read from the connection if nobody does."""
        reading = self.link.reading
        if reading.stage is _FREE and not _is_deep():
            await reading.once(self)
        else:
            if self.waiters is _NOBODY:
                self.waiters = Waiters()
            await self.waiters.wait()

    def deliver(self, value: object, size: int) -> None:
        """Take an item from the wire, or drop it and say so (FLW-02s)."""
        if self.inbox.put(value, size):
            self.link.say(Fail.of(OVERRUN_TYPE, "the consumer takes no items", self.cid))
        if self.waiters.tasks:
            self.waiters.wake()

    def deliver_all(self, values: list[object], sizes: list[int]) -> int:
        """Take the first of these items in one go; how many. The next one, if any, is for `deliver`."""
        taken = self.inbox.put_all(values, sizes)
        if taken and self.waiters.tasks:
            self.waiters.wake()
        return taken

    async def receive(self) -> object:
        """The next item. Raises `trio.EndOfChannel` after the last one, and what `check` raises.

        Raises `trio.ClosedResourceError` once this end has left the stream.
        """
        await self._arrival()
        if not self.inbox.hand:
            self.inbox.next_run()
        return self.inbox.take_now()

    async def receive_batch(self) -> list[object]:
        """All items that have come, at least one. Raises as `receive` does."""
        await self._arrival()
        return self.inbox.take_all()

    async def _arrival(self) -> None:
        if self.inbox.turn:
            await trio.lowlevel.checkpoint_if_cancelled()
        else:
            self.inbox.turn = TURN
            await trio.lowlevel.checkpoint()
        while self.inbox.empty:
            # A cancelled call drops what it held: to whoever was woken just before, that is no end (STR-06s).
            await trio.lowlevel.checkpoint_if_cancelled()
            if self.closed:
                raise trio.ClosedResourceError("the stream was left")
            self.check()
            if self.ended_by_other:
                raise trio.EndOfChannel
            if self.link.phase is _ENDED:  # a served function that shields itself is told as well
                raise self.link.disconnected()
            await self.wait()

    def send_now(self, value: object) -> bool:
        """Send an item; false, and nothing has happened, if that might wait. Raises as `send` does."""
        link = self.link
        if not self.turn or self.outcome is not None or link.writer.full or link.phase is _ENDED:
            return False
        self.turn -= 1
        try:
            parts = link.conn.parts(Item(value, self.cid))
        except LocalProtocolError:
            self._own_fault()
        link.writer.put(parts, piece=link.writer.piece)
        if len(parts[1]) >= LARGE_ITEM:  # looked at here, for speed
            self.spend(len(parts[1]))
        return True

    async def send(self, value: object) -> None:
        """Send an item. Raises `trio.ClosedResourceError` if this half is closed, and what `check` raises."""
        if self.turn:
            self.turn -= 1
            await trio.lowlevel.checkpoint_if_cancelled()
        else:
            self.turn = TURN - 1
            await trio.lowlevel.checkpoint()
        if self.link.writer.full:
            await self.link.room()
        if self.outcome is not None:
            self.check()
            raise trio.ClosedResourceError("this half of the stream is closed")
        try:
            self.spend(self.link.post(Item(value, self.cid)))
        except LocalProtocolError:
            self._own_fault()

    def _own_fault(self) -> NoReturn:
        if self.can_send:  # it is the value's
            raise  # noqa: PLE0704  (called where one is handled)
        raise trio.ClosedResourceError("this half of the stream is closed") from None

    def spend(self, size: int) -> None:
        """Count an item of so many bytes, which was sent, as all the small ones in whose place it stands."""
        self.turn = max(0, self.turn - size // LARGE_ITEM)

    def close(self) -> None:
        """Take no more items, and let go what waits."""
        self.closed = True
        self.inbox.leave()
        self.wake()

    def check_unseen(self) -> None:
        """Raise the error with which the call has ended, if it was not raised before."""
        if not self.seen:
            self.check()

    def check(self) -> None:
        """Raise the error with which the call has ended, if it has."""
        self.seen = self.seen or self.outcome is not None
        if isinstance(self.outcome, Fail):
            raise remote_error(self.outcome)
        if isinstance(self.outcome, Exception):
            raise self.outcome
