"""Where a call stands, ready for the common message: what either side may simply say, and where that leads.

Derived from the table (`_call_table.py`) once, at import: its legal cells, less all that needs a second look.
So a message that a call may simply go on with costs one lookup. Whatever is not here is asked of the table.
"""

from __future__ import annotations

from typing import Final

from ._call_table import CALL_TABLE, LIVE, CallEvent, Sender, State


class Place:
    """A state of a call, as one of its ends or an observer sees it.

    `live` says that it has not ended there. `ours` and `theirs` are what the side that we are and the other
    may simply say, and the place to which that leads. `places` are all that it belongs to. `by_table` is the
    same place where nothing is simply said, as more than the state decides.
    """

    __slots__ = ("by_table", "live", "ours", "places", "state", "theirs")

    def __init__(self, state: State, places: Places, *, live: bool) -> None:
        self.state = state
        self.places = places
        self.live = live
        self.by_table = self
        self.ours: dict[CallEvent, Place] = {}
        self.theirs: dict[CallEvent, Place] = {}


Places = dict[State, Place]


def _by_table(live: frozenset[State]) -> Places:
    places: Places = {}
    places.update((state, Place(state, places, live=state in live)) for state in State)
    return places


def _at(ours: Sender, live: frozenset[State]) -> Places:
    theirs = Sender.CALLEE if ours is Sender.CALLER else Sender.CALLER
    places, by_table = _by_table(live), _by_table(live)
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


AT_CALLER: Final = _at(Sender.CALLER, LIVE - {State.FAILED})
"""The places of a call at its caller: there one that failed has ended, as nothing more is due."""
AT_CALLEE: Final = _at(Sender.CALLEE, LIVE)
SEEN: Final = _by_table(LIVE)
"""As an observer sees it, who asks the table alone."""
