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
    from iptc_codec import Item, Limits


_PAUSE_STALLS = 30
"""The longest pause for one inbox, in `stall_seconds`."""

_REFILL_ITEMS = 16
"""How many items below its mark an inbox is when the gate opens; a quarter of the mark if that is less."""


class Mode(Enum):
    """What an inbox does with an item that comes."""

    HOLDING = "holds it for the consumer"
    OVERRUN = "drops and counts it: the consumer has taken nothing for too long"
    LEFT = "lets it go: the consumer wants no more"


_HOLDING, _LEFT = Mode.HOLDING, Mode.LEFT  # to look one up costs 0.1 us


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


_NO_ITEMS: Final[deque[tuple[Item, int]]] = deque(maxlen=0)

TURN: Final = 64
"""After so many items a task lets the others run and looks whether it is cancelled, whether it would have to
wait or not. Both cost more than all the work for one item."""

NOTHING: Final = object()
"""In the place of an item: there is none, or it is not this task's turn."""


class Inbox:
    """The items of one call that its consumer has not taken yet."""

    __slots__ = ("_bytes", "_gate", "_items", "_mode", "lost", "turn")

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self._items = _NO_ITEMS  # the oldest first, each with the size of its frame
        self._bytes = 0
        self._mode = _HOLDING
        self.lost = 0
        self.turn = TURN
        """How many more `take_now` gives before the consumer lets others run, and sets this anew."""

    @property
    def empty(self) -> bool:
        """Whether there is nothing to take, not even word of a loss."""
        return not self._items and not self.lost

    def __len__(self) -> int:
        return len(self._items)

    def put_all(self, items: list[Item], sizes: list[int]) -> bool:
        """Take items in one go. False, and nothing has happened, if they have to be looked at one by one."""
        gate, size = self._gate, sum(sizes)
        fits = len(self._items) + len(items) < gate.most_items and self._bytes + size < gate.most_bytes
        if self._mode is not _HOLDING or not fits:
            return False
        if self._items is _NO_ITEMS:
            self._items = deque()
        self._items.extend(zip(items, sizes, strict=True))
        self._bytes += size
        return True

    def put(self, item: Item, size: int) -> bool:
        """Take an item of a frame of `size` bytes. True if it is the first that is lost: give notice."""
        if self._mode is _HOLDING:
            items = self._items
            if items is _NO_ITEMS:  # most calls never need one, and it is larger than all the rest of a call
                items = self._items = deque()
            items.append((item, size))
            self._bytes += size
            gate = self._gate
            if len(items) >= gate.most_items or self._bytes >= gate.most_bytes:
                gate.touch(self)
        elif self._mode is Mode.OVERRUN:
            self.lost += 1
            return self.lost == 1
        return False

    def take_now(self) -> object:
        """The oldest item; `NOTHING` if there is none, or the consumer has had its turn."""
        if not self.turn or not self._items:
            return NOTHING
        self.turn -= 1
        item, size = self._items.popleft()
        self._bytes -= size
        if self._gate.above:
            self._refill()
        return item.value

    def take(self) -> object:
        """The oldest item, where there is one. Raises `StreamOverrunError` if it was lost."""
        if not self._items and self.lost:
            raise StreamOverrunError(self.lost)
        self.turn = max(self.turn, 1)
        return self.take_now()

    def take_all(self) -> list[object]:
        """All items that are held, the oldest first. Raises `StreamOverrunError` as `take` does."""
        if not self._items and self.lost:
            raise StreamOverrunError(self.lost)
        values = [item.value for item, _ in self._items]
        self._items.clear()
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
        self._mode = _LEFT
        if self._items is not _NO_ITEMS:
            self._items = _NO_ITEMS
            self._bytes = 0
            self._gate.clear(self)

    def _above(self, refill: int) -> bool:
        limits = self._gate.limits
        # Of the bytes no refill is asked: the next item that goes above shuts the gate again.
        return len(self._items) > max(0, limits.held_items - 1 - refill) or self._bytes >= limits.held_bytes
