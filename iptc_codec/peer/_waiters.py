"""Tasks that wait until something has happened to a call."""

from __future__ import annotations

from typing import Any

import trio


class Waiters:
    """Tasks that are woken all together, and look again. Cheap where there is one or none, as mostly."""

    __slots__ = ("tasks",)

    def __init__(self) -> None:
        self.tasks: list[trio.lowlevel.Task] = []
        """Those that wait."""

    async def wait(self) -> None:
        """Wait for the next `wake`."""
        task = trio.lowlevel.current_task()
        self.tasks.append(task)

        def abort(_: Any) -> trio.lowlevel.Abort:
            self.tasks.remove(task)
            return trio.lowlevel.Abort.SUCCEEDED

        await trio.lowlevel.wait_task_rescheduled(abort)

    def wake(self) -> None:
        """Let all look again."""
        if self.tasks:
            tasks, self.tasks = self.tasks, []
            for task in tasks:
                trio.lowlevel.reschedule(task)
