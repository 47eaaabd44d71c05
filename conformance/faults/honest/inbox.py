"""The items of one call that have come and that its consumer has not taken yet."""

from __future__ import annotations

from collections import deque
from typing import Any

import trio


class ItemsLost(Exception):  # noqa: N818  (it names what has happened)
    """The consumer was overrun: items are gone."""


class Inbox:
    """Held items, oldest first, with the size of each in bytes."""

    def __init__(self) -> None:
        self.items: deque[tuple[Any, int]] = deque()
        self.size = 0
        self.closed = False
        self.lost = False
        """Items have been dropped, or are being."""
        self.unwanted = False
        """Nobody will take any more."""
        self.change = trio.lowlevel.ParkingLot()

    def put(self, value: Any, size: int) -> None:
        """Hold one more."""
        self.items.append((value, size))
        self.size += size
        self.change.unpark_all()

    def close(self) -> None:
        """No more will come."""
        self.closed = True
        self.change.unpark_all()

    def abandon(self) -> None:
        """No more will be taken: whoever waits for room has it."""
        self.unwanted = True
        self.items.clear()
        self.size = 0
        self.change.unpark_all()

    async def take(self) -> Any:
        """Return the oldest.  Raises trio.EndOfChannel at the end, ItemsLost where some are missing."""
        await trio.lowlevel.checkpoint()
        while not self.items:
            if self.lost:
                raise ItemsLost
            if self.closed:
                raise trio.EndOfChannel
            await self.change.park()
        value, size = self.items.popleft()
        self.size -= size
        self.change.unpark_all()
        return value
