"""How often a task that need not wait lets the others run."""

from __future__ import annotations

import trio

_EVERY = 64


class Pace:
    """Checkpoints for a hot path: always a look at cancellation, and every 64th time a turn for the others.

    A full checkpoint costs several microseconds, more than all the work for one item.
    """

    def __init__(self) -> None:
        self._steps = 0

    async def step(self) -> None:
        """Take one step; raises `trio.Cancelled` if the task is cancelled."""
        self._steps += 1
        if self._steps % _EVERY:
            await trio.lowlevel.checkpoint_if_cancelled()
        else:
            await trio.lowlevel.checkpoint()
