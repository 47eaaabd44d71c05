"""Tasks that run served calls, one after the other: to start one costs more than most calls do."""

from __future__ import annotations

import contextvars
from typing import TYPE_CHECKING, Any, Final

import trio

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    Job = Callable[[], Coroutine[Any, Any, bool]]
    """Whether the task that ran it may run another: not if it was left by an error, or cancelled."""

_MOST_RESTING: Final = 128


class Worker:
    """A task, and the job that it is to do next; if there is none, it ends."""

    __slots__ = ("job", "task")

    def __init__(self, job: Job) -> None:
        self.job: Job | None = job
        self.task: trio.lowlevel.Task | None = None

    def wake(self, job: Job | None) -> None:
        """Let it do this, in the context that its task has by now."""
        self.job = job
        if self.task:  # as it has, since it rests
            trio.lowlevel.reschedule(self.task)


class Workers:
    """The workers of one connection. Each job runs in a context of its own, as in a task of its own."""

    nursery: trio.Nursery
    """Where they run; set by `open`, before the first job."""
    _context: contextvars.Context

    def __init__(self) -> None:
        self._resting: list[Worker] = []
        self._may_rest = _MOST_RESTING

    def open(self, nursery: trio.Nursery) -> None:
        """Say where they run; the context of each job is a copy of this task's."""
        self.nursery = nursery
        self._context = contextvars.copy_context()

    def start(self, job: Job) -> None:
        """Start a job, which raises nothing but `trio.Cancelled`."""
        if not self._resting:
            self.nursery.start_soon(self._work, Worker(job), name="<serves calls>")
            return
        worker = self._resting.pop()
        if worker.task:
            worker.task.context = self._context.copy()
        worker.wake(job)

    def close(self) -> None:
        """Let nobody rest any more."""
        self._may_rest = 0
        while self._resting:
            self._resting.pop().wake(None)

    # Protected: a KeyboardInterrupt in here is the function's own, not the user's Ctrl-C.
    @trio.lowlevel.enable_ki_protection
    async def _work(self, worker: Worker) -> None:
        worker.task = trio.lowlevel.current_task()
        while job := worker.job:
            worker.job = None
            if not await job() or len(self._resting) >= self._may_rest:
                return
            del job  # and all that it holds
            await self._rest(worker)

    async def _rest(self, worker: Worker) -> None:
        def abort(_: Any) -> trio.lowlevel.Abort:
            self._resting.remove(worker)
            return trio.lowlevel.Abort.SUCCEEDED

        self._resting.append(worker)
        await trio.lowlevel.wait_task_rescheduled(abort)
