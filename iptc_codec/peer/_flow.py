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

_HEAD_START_ITEMS = 512
"""So many items below its mark is far enough; half of the mark if that is less."""
_AT_IT_SECONDS = 0.001
"""A consumer that is at it has taken as many by then."""


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
        self.opens_at = max(0, limits.held_items - 1 - min(_REFILL_ITEMS, limits.held_items // 4))
        """So many items an inbox may hold when the gate opens."""
        self.above: dict[Inbox, float] = {}
        """Those above their mark, and since when nothing was taken from them. Then the gate is shut."""
        self.inboxes = 0
        """How many have had items, and have not been left by their consumers."""
        self.nobodys = Inbox(self)
        """That of the calls which get no items."""
        self.nobodys.leave()
        self.ahead: Inbox | None = None
        """The one that has a head start, until it holds no more than `low`."""
        self.low = 0
        self._shut_since: dict[Inbox, float] = {}
        self._lot = trio.lowlevel.ParkingLot()

    @property
    def shut(self) -> bool:
        """Whether an inbox stands above its mark."""
        return bool(self.above)

    def touch(self, inbox: Inbox) -> None:
        """Note that an inbox has reached its mark."""
        self.above[inbox] = trio.current_time()
        self._shut_since.setdefault(inbox, self.above[inbox])

    def clear(self, inbox: Inbox) -> None:
        """Wait no longer for this inbox."""
        self._shut_since.pop(inbox, None)
        if self.above.pop(inbox, None) is not None and not self.above:
            self._lot.unpark_all()

    async def passage(self) -> None:
        """Wait until no inbox stands above its mark; overrun those whose consumer takes nothing (FLW-06r)."""
        first = next(iter(self.above))
        await trio.lowlevel.checkpoint()  # most consumers want no more than their turn
        while self.above:
            with trio.move_on_at(min(self._deadline(inbox) for inbox in self.above)):
                await self._lot.park()
            now = trio.current_time()
            for inbox in list(self.above):
                # As the deadline was made: rounded otherwise, it might never be reached.
                if self._deadline(inbox) <= now:
                    inbox.overrun()
        if self.inboxes == 1 and first.holding:
            await self._head_start(first)

    async def _head_start(self, inbox: Inbox) -> None:
        """Let the only consumer go on while it is at it: to be looked after at its mark costs too much.

        A second one would run out of items meanwhile. One that is not at it is not waited for any longer.
        """
        self.low = self.most_items - min(_HEAD_START_ITEMS, self.most_items // 2)
        if inbox.held > self.low:
            self.ahead = inbox
            with trio.move_on_after(_AT_IT_SECONDS):
                await self._lot.park()
            self.ahead = None

    def look(self, inbox: Inbox) -> None:
        """Note that the consumer which has a head start has taken some items."""
        if inbox.held <= self.low:
            self._lot.unpark_all()

    def _deadline(self, inbox: Inbox) -> float:
        stall = self.limits.stall_seconds
        return min(self.above[inbox] + stall, self._shut_since[inbox] + _PAUSE_STALLS * stall)


_Run = tuple[list[object], int]
"""Values of items that have come together, the oldest last, and the bytes of their bodies."""

_NO_RUNS: Final[deque[_Run]] = deque(maxlen=0)
_NO_VALUES: Final[list[object]] = []

TURN: Final = 64
"""After so many items a task lets the others run and looks whether it is cancelled, whether it would have to
wait or not. Both cost more than all the work for one small item."""
LARGE_ITEM: Final = 4096
"""Bytes for which an item that is sent counts once more, each time: 64 items of 64 KiB take milliseconds."""

NOTHING: Final = object()
"""In the place of an item: there is none, or it is not this task's turn."""


class Inbox:
    """The items of one call that its consumer has not taken yet, in runs of those that have come together."""

    __slots__ = (
        "_bytes",
        "_count",
        "_gate",
        "_hand_bytes",
        "_hand_count",
        "_mode",
        "_runs",
        "hand",
        "lost",
        "turn",
    )

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self._runs = _NO_RUNS  # most calls never need any, and it is larger than all the rest of a call
        self._count = self._bytes = 0  # of the items in those runs
        self._mode = _HOLDING
        self._hand_bytes, self._hand_count = 0, 1  # as it was when it came into the hand
        self.hand = _NO_VALUES
        """The run that the consumer is at: to be taken from its end, and `taken` to be told if the gate is
        shut."""
        self.lost = 0
        self.turn = TURN
        """How many more items the consumer may have before it lets others run, and sets this anew."""

    @property
    def holding(self) -> bool:
        """Whether items are held for a consumer: it was neither overrun nor has it left."""
        return self._mode is _HOLDING

    @property
    def held(self) -> int:
        """How many items there are."""
        return self._count + len(self.hand)

    @property
    def _held_bytes(self) -> int:
        """Bytes of the bodies of the items that there are; each in the hand counts as the mean of its run."""
        return self._bytes + self._hand_bytes * len(self.hand) // self._hand_count

    @property
    def empty(self) -> bool:
        """Whether there is nothing to take, not even word of a loss."""
        return not (self.hand or self._runs or self.lost)

    def put_all(self, values: list[object], sizes: list[int]) -> int:
        """Take the first of these items in one go: those that need no closer look. How many they were."""
        if self._mode is not _HOLDING:
            return self._put_nowhere(len(values))
        gate = self._gate
        room = gate.most_items - 1 - self.held  # the next one reaches the mark
        if room < len(values):
            values, sizes = values[: max(room, 0)], sizes[: max(room, 0)]
        size = sum(sizes)
        if not values or self._held_bytes + size >= gate.most_bytes:
            return 0
        self._append((values[::-1], size))
        return len(values)

    def _put_nowhere(self, count: int) -> int:
        """Drop so many items; none if that wants to be told first."""
        if self._mode is Mode.OVERRUN:
            if not self.lost:
                return 0
            self.lost += count
        return count

    def put(self, value: object, size: int) -> bool:
        """Take an item of a frame of `size` bytes. True if it is the first that is lost: give notice."""
        if self._mode is _HOLDING:
            self._append(([value], size))
            gate = self._gate
            if self.held >= gate.most_items or self._held_bytes >= gate.most_bytes:
                gate.touch(self)
        elif self._mode is Mode.OVERRUN:
            self.lost += 1
            return self.lost == 1
        return False

    def _append(self, run: _Run) -> None:
        if self._runs is _NO_RUNS:
            self._runs = deque()
            self._gate.inboxes += 1
        self._runs.append(run)
        self._count += len(run[0])
        self._bytes += run[1]

    def next_run(self) -> None:
        """Put the next run, or what the turn allows of it, into the empty hand.

        Raises `StreamOverrunError` if there is none: it was lost.
        """
        if not self._runs:
            raise StreamOverrunError(self.lost)
        run, size = self._runs.popleft()
        turn = self.turn or 1  # another task may have used it up while this one waited
        if len(run) > turn:
            rest = size * (len(run) - turn) // len(run)
            self._runs.appendleft((run[:-turn], rest))
            run, size = run[-turn:], size - rest
        self.hand, self._hand_bytes, self._hand_count = run, size, len(run)
        self._count -= len(run)
        self._bytes -= size
        self.turn = max(0, self.turn - len(run))
        if self._gate.ahead is self:
            self._gate.look(self)

    def take_now(self) -> object:
        """The oldest item; `NOTHING` if there is none, or the consumer has had its turn."""
        if not self.hand:
            if not self._runs or not self.turn:
                return NOTHING
            self.next_run()
        value = self.hand.pop()
        if self._gate.above:
            self.taken()
        return value

    def take_all(self) -> list[object]:
        """All items that are held, the oldest first. Raises `StreamOverrunError` as `next_run` does."""
        if not self.hand:
            self.next_run()
        values = self.hand[::-1]
        for run, _ in self._runs:
            values += run[::-1]
        self._drop()
        if self._gate.above:
            self.taken()
        return values

    def taken(self) -> None:
        """Note that the consumer has taken an item."""
        gate = self._gate
        if self not in gate.above:
            return
        # Of the bytes no refill is asked: the next item that goes above shuts the gate again.
        if self.held > gate.opens_at or self._held_bytes >= gate.most_bytes:
            gate.above[self] = trio.current_time()
        else:
            gate.clear(self)

    def _drop(self) -> None:
        self.hand.clear()
        self._runs.clear()
        self._count = self._bytes = 0

    def overrun(self) -> None:
        """Hold no more items; those held stay."""
        self._mode = Mode.OVERRUN
        self._gate.clear(self)

    def leave(self) -> None:
        """The consumer is gone: let go what is held and what still comes."""
        if self._mode is _LEFT:
            return
        self._mode = _LEFT
        self.lost = 0
        if self._runs is not _NO_RUNS:
            self._drop()
            self._gate.inboxes -= 1
            self._gate.clear(self)
