"""The calls of a connection, and the walker that takes them through the table.

Rule 1. Whether a message is legal, where it leads and what it costs if it is not, stands in the table
(`_call_table.py`, generated from the specification) and nowhere else. The table is total. This module asks
it.

Rule 2. This module does not know which side we are. A call has two ends, the caller, which opened it, and the
callee; a connection has two sides, and each may open calls. `opener` ties one to the other. So what we send
is measured with the same rod as what we receive, and an observer between the two can use it as well.

Rule 3. What is remembered is bounded. A call that has ended is kept for a while, to tell a late message from
one that makes no sense, and the oldest is forgotten first: then its cid is idle again.

Three rules span more than one call and so cannot be cells. They stand here, each in one function: a CANCEL is
answered after its target (`live_target`, CXL-02s), a side leaves only after its answers (`owes`,
DSC-02s), and a side has a bounded number of calls open (`count`, OPN-12s).

A call stands at a `Place`, its state with what either side may simply say next: the table's own cells, less
all that needs a second look. Mostly that is all there is to know of it, and many calls share it; a `Call` of
its own has one that is cancelled, or cancels, or was cut off.

Not here: bytes, messages, hellos, and what the application does about a violation.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Final

from ._call_table import CALL_TABLE, INITIAL, LIVE, CallEvent, Cell, Sender, State
from ._places import PLACES, Place, Role

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


OVER: Final = Cell(State.DONE, crossed="crossed the end")
"""What a message meets whose call ended without a terminal: by FATAL, by GOODBYE, with the stream."""

_OPENED: Final = CALL_TABLE[INITIAL, Sender.CALLER, CallEvent.OPEN].next
_OWED: Final = LIVE - {State.REQUESTED, State.FAILED}


class Call:
    """One call that more than its place decides: where it stands, and which call it cancels, if it does.

    `over` is what all of its messages meet once it has ended without a terminal.
    """

    __slots__ = ("cid", "over", "place", "target")

    def __init__(self, cid: str, place: Place) -> None:
        self.cid = cid
        self.place = place
        self.target: Call | None = None
        self.over: Cell | None = None

    @property
    def state(self) -> State:
        """Where it stands in the table."""
        return self.place.state

    def look_twice(self) -> None:
        """Let the table be asked from here on."""
        self.place = self.place.by_table


class Calls:
    """Every call of one connection, live or remembered.

    `remembered` ended calls are kept. `seat` is the side that we are, None for an observer: a call that
    failed there owes its caller nothing more, so it counts as ended.
    """

    def __init__(self, remembered: int, seat: Role | None = None) -> None:
        self._remembered = remembered
        self._places = {opener: PLACES[seat, opener] for opener in Role}
        self._calls: dict[str, Place | Call] = {}
        self.get: Callable[[str], Place | Call | None] = self._calls.get
        """The call with this cid, if it is live or remembered."""
        self._ended: OrderedDict[str, None] = OrderedDict()  # in the order in which they ended
        self._counts = dict.fromkeys(Role, 0)
        self._left: set[Role] = set()
        self._over: Cell | None = None

    def look(self, side: Role, event: CallEvent, cid: str) -> Cell:
        """What the table says of an event from `side`; nothing changes."""
        if self._over:
            return self._over
        call = self._calls.get(cid)
        if call is None:
            return CALL_TABLE[INITIAL, Sender.CALLER, event]
        if call.over:
            return call.over
        place = call.place
        return CALL_TABLE[place.state, Sender.CALLER if place.opener is side else Sender.CALLEE, event]

    def take(self, side: Role, event: CallEvent, cid: str, cell: Cell) -> None:
        """Let an event happen of which `look` has just said `cell`."""
        if event is CallEvent.OPEN and cell.legal:
            self._ended.pop(cid, None)
            self._calls[cid] = self._places[side][cell.next]
            self._counts[side] += 1
            if side.other in self._left:  # it has crossed the GOODBYE of who should have served it
                self._cut(cid)
        else:
            self.move(cid, cell.next)

    def open_plainly(self, side: Role, cid: str) -> bool:
        """Take an OPEN that nothing speaks against: false, and nothing has happened, if anything might."""
        if self._over or self._left or cid in self._calls:
            return False
        self._calls[cid] = self._places[side][_OPENED]
        self._counts[side] += 1
        return True

    def step(self, side: Role, event: CallEvent, cid: str) -> Cell:
        """Look, and let it happen."""
        cell = self.look(side, event, cid)
        self.take(side, event, cid, cell)
        return cell

    def move(self, cid: str, state: State) -> None:
        """Move a call, if it is not forgotten yet, to where its table says, or another's."""
        call = self._calls.get(cid)
        if call and not call.over:
            self.move_to(cid, call, call.place.places[state])

    def state(self, cid: str) -> State:
        """Where a call stands."""
        call = self._calls.get(cid)
        return INITIAL if call is None else call.place.state

    def sender(self, side: Role, cid: str) -> Sender | None:
        """Which end of a call a side is, None if there is no such call."""
        call = self._calls.get(cid)
        if call is None:
            return None
        return Sender.CALLER if call.place.opener is side else Sender.CALLEE

    def live(self) -> Iterator[tuple[str, Place]]:
        """The calls that have not ended, by cid."""
        return ((cid, call.place) for cid, call in self._calls.items() if call.place.live)

    def count(self, opener: Role) -> int:
        """How many calls a side has open (OPN-12s)."""
        return self._counts[opener]

    def cancels(self, cid: str, target: str) -> None:
        """Note that the call just opened is a CANCEL. Only a call of the same opener can be hit (CXL-10r).

        One that has crossed a GOODBYE may have ended and been forgotten at once.
        """
        call, hit = self._calls.get(cid), self._calls.get(target)
        if call and hit and target != cid and hit.place.opener is call.place.opener:
            cancel = self._singled_out(cid)
            cancel.target = self._singled_out(target)
            cancel.look_twice()

    def live_target(self, cid: str) -> Call | None:
        """The call that this CANCEL is about, while no terminal has ended it (CXL-02s)."""
        call = self._calls.get(cid)
        target = call.target if call else None
        if target and target.state in LIVE and self._calls.get(target.cid) is target:
            return target
        return None

    def owes(self, side: Role) -> str | None:
        """A call that a side has acknowledged and not ended, if there is one: it may not leave (DSC-02s)."""
        owed = (cid for cid, place in self._served(side) if place.state in _OWED)
        return next(owed, None)

    def leave(self, side: Role) -> None:
        """End the calls that a side serves, now or later: it has said GOODBYE, and answers none of them."""
        self._left.add(side)
        for cid, _ in list(self._served(side)):
            if cid in self._calls:  # one that has failed here counts as ended: to cut another may forget it
                self._cut(cid)

    def end(self) -> None:
        """End every call: whatever still comes for any of them has crossed the end (ERR-04r, DSC-04r)."""
        self._over = OVER
        self._calls.clear()
        self._ended.clear()
        self._counts = dict.fromkeys(Role, 0)

    def _served(self, side: Role) -> Iterator[tuple[str, Place]]:
        places = ((cid, call.place) for cid, call in self._calls.items())
        return ((cid, place) for cid, place in places if place.opener is not side and place.state in LIVE)

    def _singled_out(self, cid: str) -> Call:
        call = self._calls[cid]
        if isinstance(call, Place):
            call = self._calls[cid] = Call(cid, call)
        return call

    def _cut(self, cid: str) -> None:
        call = self._singled_out(cid)
        self.move(cid, OVER.next)
        call.over = OVER
        call.look_twice()

    def move_to(self, cid: str, call: Place | Call, place: Place) -> None:
        """Let a call that is still remembered come to a place, which its own place has just said."""
        before = call.place
        if type(call) is Place:
            self._calls[cid] = place
        else:
            call.place = place
        if before.live and not place.live:
            self._counts[before.opener] -= 1
            if type(call) is Call:
                call.target = None
            self._ended[cid] = None
            if len(self._ended) > self._remembered:
                oldest, _ = self._ended.popitem(last=False)
                del self._calls[oldest]
