"""Where a call stands, ready for the common message: what either side may simply say, and where that leads.

Derived from the table (`_call_table.py`) once, at import: its legal cells, less all that needs a second look.
So a message that a call may simply go on with costs one lookup. Whatever is not here is asked of the table.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Final

from ._call_table import CALL_TABLE, LIVE, CallEvent, Sender, State

if TYPE_CHECKING:
    from typing import ClassVar


class Role(Enum):
    """A side of a connection: the one that connected, or the one that accepted."""

    INITIATOR = "initiator"
    ACCEPTOR = "acceptor"

    __hash__ = object.__hash__

    @property
    def other(self) -> Role:
        """The side opposite."""
        return Role.ACCEPTOR if self is Role.INITIATOR else Role.INITIATOR


class Place:
    """A state of a call, as one of its ends or an observer sees it, and who has opened the call.

    `live` says that it has not ended there. `ours` and `theirs` are what the side that we are and the other
    may simply say, and the place to which that leads. `places` are all that it belongs to. `by_table` is the
    same place where nothing is simply said, as more than the state decides.

    Of most calls nothing else is to be known: for those a place stands for the call (`_calls.Call`).
    """

    __slots__ = ("by_table", "live", "opener", "ours", "place", "places", "state", "theirs")

    over: ClassVar[None] = None
    target: ClassVar[None] = None

    def __init__(self, state: State, opener: Role, places: Places, *, live: bool) -> None:
        self.state = state
        self.opener = opener
        self.places = places
        self.live = live
        self.place = self
        self.by_table = self
        self.ours: dict[CallEvent, Place] = {}
        self.theirs: dict[CallEvent, Place] = {}


Places = dict[State, Place]


def _by_table(opener: Role, live: frozenset[State]) -> Places:
    places: Places = {}
    places.update((state, Place(state, opener, places, live=state in live)) for state in State)
    return places


def _at(seat: Role, opener: Role) -> Places:
    """At its caller a call that failed has ended, as nothing more is due."""
    ours, theirs, live = Sender.CALLEE, Sender.CALLER, LIVE
    if seat is opener:
        ours, theirs, live = Sender.CALLER, Sender.CALLEE, LIVE - {State.FAILED}
    places, by_table = _by_table(opener, live), _by_table(opener, live)
    for state, place in places.items():
        place.ours = _row(state, ours, places)
        place.theirs = _row(state, theirs, places)
        place.by_table = by_table[state]
    return places


def _row(state: State, sender: Sender, places: Places) -> dict[CallEvent, Place]:
    """The legal cells of a row of the table. An OPEN is in none: it makes the call."""
    return {
        event: places[cell.next]
        for event in CallEvent
        if event is not CallEvent.OPEN and (cell := CALL_TABLE[state, sender, event]).legal
    }


PLACES: Final[dict[tuple[Role | None, Role], Places]] = {
    **{(seat, opener): _at(seat, opener) for seat in Role for opener in Role},
    **{(None, opener): _by_table(opener, LIVE) for opener in Role},
}
"""By the side that we are, None for an observer, who asks the table alone; and by who has opened the call."""
