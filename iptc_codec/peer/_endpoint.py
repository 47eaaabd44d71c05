"""One end of one call, as the caller's and the callee's side have it in common."""

from __future__ import annotations

from typing import TYPE_CHECKING

import trio

from iptc_codec import OVERRUN_TYPE, End, Fail, Item, Result, State

from ._errors import remote_error
from ._flow import Inbox
from ._pace import Pace

if TYPE_CHECKING:
    from ._link import Link

Outcome = Result | End | Fail | Exception
"""How a call has ended for this end: by the callee's terminal, or by what became of it here."""


class Endpoint:
    """A call's inbox and its way out. What state the call is in only the codec knows."""

    own_half_open: frozenset[State]
    """In these states this end may still send items."""
    other_half_shut: frozenset[State]
    """In these states the other end has sent its END."""

    def __init__(self, link: Link, cid: str) -> None:
        self.link = link
        self.cid = cid
        self.inbox = Inbox(link.gate)
        self.overrun_notices = 0
        self.outcome: Outcome | None = None
        self.seen = False
        self.closed = False
        self._lot = trio.lowlevel.ParkingLot()
        self._pace = Pace()

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
        self._lot.unpark_all()

    async def wait(self) -> None:
        """Wait until something has happened to this call."""
        await self._lot.park()

    def deliver(self, item: Item, size: int) -> None:
        """Take an item from the wire, or drop it and say so (FLW-02s)."""
        if self.inbox.put(item.value, size):
            self.link.say(Fail.of(OVERRUN_TYPE, "the consumer takes no items", self.cid))
        self.wake()

    async def receive(self) -> object:
        """The next item. Raises `trio.EndOfChannel` after the last one, and what `check` raises.

        Raises `trio.ClosedResourceError` once this end has left the stream.
        """
        await self._pace.step()
        while not self.inbox and not self.inbox.lost:
            if self.closed:
                raise trio.ClosedResourceError("the stream was left")
            self.check()
            if self.ended_by_other:
                raise trio.EndOfChannel
            await self.wait()
        return self.inbox.take()

    async def send(self, value: object) -> None:
        """Send an item. Raises `trio.ClosedResourceError` if this half is closed, and what `check` raises."""
        await self._pace.step()
        await self.link.room()
        self.check()
        if not self.can_send:
            raise trio.ClosedResourceError("this half of the stream is closed")
        self.link.post(Item(value, self.cid), answer=False)

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
