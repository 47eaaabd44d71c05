"""Items that wait for their consumer, and the gate that holds the reader back for them (FLW).

An inbox is bounded by `held_items` and `held_bytes`. One that reaches its mark shuts the gate: nothing is
read from the connection until its consumer has taken a few items and the inbox is below the mark. A consumer
that takes nothing for `stall_seconds` is overrun: from then on the items of its call are dropped and counted,
and the gate opens. Nothing but items counts (FLW-05r).

While the gate is shut nothing else of the connection is seen either, its end included: v1 has no credit, and
what comes behind the items of a slow consumer waits for them. That is why the gate opens after a few items,
and why no single pause is longer than 30 `stall_seconds`. A consumer that takes an item in each
`stall_seconds` is below its mark long before, unless single items are as large as the mark itself; one that
is not is overrun at that bound.
"""

from __future__ import annotations

from collections import deque
from enum import Enum
from typing import TYPE_CHECKING, Final

import trio

from ._errors import StreamOverrunError

if TYPE_CHECKING:
    from iptc_codec import Limits


_PAUSE_STALLS = 30
"""The longest pause for one inbox, in `stall_seconds`."""

_REFILL_ITEMS = 16
"""How many items below its mark an inbox is when the gate opens; a quarter of the mark if that is less."""


class Mode(Enum):
    """What an inbox does with an item that comes."""

    HOLDING = "holds it for the consumer"
    OVERRUN = "drops and counts it: the consumer has taken nothing for too long"
    LEFT = "lets it go: the consumer wants no more"


_HOLDING = Mode.HOLDING  # to look it up costs 0.1 us


class Gate:
    """Where the reader of one connection waits for slow consumers."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.most_items, self.most_bytes = limits.held_items, limits.held_bytes
        self.above: dict[Inbox, float] = {}
        """Those above their mark, and since when nothing was taken from them. Then the gate is shut."""
        self._shut_since: dict[Inbox, float] = {}
        self._lot = trio.lowlevel.ParkingLot()

    @property
    def shut(self) -> bool:
        """Whether an inbox stands above its mark."""
        return bool(self.above)

    def touch(self, inbox: Inbox) -> None:
        """Note that an inbox has reached its mark, or that its consumer has taken an item above it."""
        self.above[inbox] = trio.current_time()
        self._shut_since.setdefault(inbox, self.above[inbox])

    def clear(self, inbox: Inbox) -> None:
        """Wait no longer for this inbox."""
        self._shut_since.pop(inbox, None)
        if self.above.pop(inbox, None) is not None and not self.above:
            self._lot.unpark_all()

    def holds(self, inbox: Inbox) -> bool:
        """Whether the gate is shut for this inbox."""
        return inbox in self.above

    async def passage(self) -> None:
        """Wait until no inbox stands above its mark; overrun those whose consumer takes nothing (FLW-06r)."""
        await trio.lowlevel.checkpoint()  # most consumers want no more than their turn
        while self.above:
            with trio.move_on_at(min(self._deadline(inbox) for inbox in self.above)):
                await self._lot.park()
            now = trio.current_time()
            for inbox in list(self.above):
                # As the deadline was made: rounded otherwise, it might never be reached.
                if self._deadline(inbox) <= now:
                    inbox.overrun()

    def _deadline(self, inbox: Inbox) -> float:
        stall = self.limits.stall_seconds
        return min(self.above[inbox] + stall, self._shut_since[inbox] + _PAUSE_STALLS * stall)


_NO_ITEMS: Final[deque[tuple[object, int]]] = deque(maxlen=0)


class Inbox:
    """The items of one call that its consumer has not taken yet."""

    __slots__ = ("_bytes", "_gate", "_mode", "items", "lost")

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self.items = _NO_ITEMS
        """The oldest first, each with the size of its frame. Only looked at from outside."""
        self._bytes = 0
        self._mode = _HOLDING
        self.lost = 0

    @property
    def empty(self) -> bool:
        """Whether there is nothing to take, not even word of a loss."""
        return not self.items and not self.lost

    def __len__(self) -> int:
        return len(self.items)

    def put(self, value: object, size: int) -> bool:
        """Take an item of a frame of `size` bytes. True if it is the first that is lost: give notice."""
        if self._mode is _HOLDING:
            items = self.items
            if items is _NO_ITEMS:  # most calls never need one, and it is larger than all the rest of a call
                items = self.items = deque()
            items.append((value, size))
            self._bytes += size
            gate = self._gate
            if len(items) >= gate.most_items or self._bytes >= gate.most_bytes:
                gate.touch(self)
        elif self._mode is Mode.OVERRUN:
            self.lost += 1
            return self.lost == 1
        return False

    def take(self) -> object:
        """The oldest item. Raises `IndexError` if there is none, `StreamOverrunError` if they were lost."""
        if not self.items and self.lost:
            raise StreamOverrunError(self.lost)
        value, size = self.items.popleft()
        self._bytes -= size
        if self._gate.above:
            self._refill()
        return value

    def take_all(self) -> list[object]:
        """All items that are held, the oldest first. Raises `StreamOverrunError` as `take` does."""
        if not self.items and self.lost:
            raise StreamOverrunError(self.lost)
        values = [value for value, _ in self.items]
        self.items.clear()
        self._bytes = 0
        if self._gate.above:
            self._refill()
        return values

    def _refill(self) -> None:
        if self._gate.holds(self):
            if self._above(min(_REFILL_ITEMS, self._gate.limits.held_items // 4)):
                self._gate.touch(self)
            else:
                self._gate.clear(self)

    def overrun(self) -> None:
        """Hold no more items; those held stay."""
        self._mode = Mode.OVERRUN
        self._gate.clear(self)

    def leave(self) -> None:
        """The consumer is gone: let go what is held and what still comes."""
        self._mode = Mode.LEFT
        self.items = _NO_ITEMS
        self._bytes = 0
        self._gate.clear(self)

    def _above(self, refill: int) -> bool:
        limits = self._gate.limits
        # Of the bytes no refill is asked: the next item that goes above shuts the gate again.
        return len(self.items) > max(0, limits.held_items - 1 - refill) or self._bytes >= limits.held_bytes
