"""Tasks that run served calls, one after the other: to start one, and a scope, costs more than most calls."""

from __future__ import annotations

import contextvars
from typing import TYPE_CHECKING, Any, Final

import trio

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    Job = Callable[[], Coroutine[Any, Any, None]]

_MOST_RESTING: Final = 128


class Worker:
    """A task, and the scope in which it works: to cancel its job spends both."""

    __slots__ = ("job", "scope", "task")

    def __init__(self, job: Job) -> None:
        self.job = job
        self.scope = trio.CancelScope()
        self.task: trio.lowlevel.Task | None = None


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

    def start(self, job: Job) -> trio.CancelScope:
        """Start a job, which raises nothing but `trio.Cancelled`; the scope that cancels it."""
        if not self._resting:
            worker = Worker(job)
            self.nursery.start_soon(self._work, worker, name="<serves calls>")
            return worker.scope
        worker = self._resting.pop()
        worker.job = job
        if worker.task:  # as it has, since it rests
            worker.task.context = self._context.copy()
            trio.lowlevel.reschedule(worker.task)
        return worker.scope

    def close(self) -> None:
        """Let nobody rest any more."""
        self._may_rest = 0
        for worker in list(self._resting):  # each of them leaves it
            worker.scope.cancel()

    # Protected: a KeyboardInterrupt in here is the function's own, not the user's Ctrl-C.
    @trio.lowlevel.enable_ki_protection
    async def _work(self, worker: Worker) -> None:
        worker.task = trio.lowlevel.current_task()
        with worker.scope:
            await worker.job()
            while len(self._resting) < self._may_rest:
                await self._rest(worker)  # not in a scope that was cancelled: then it ends here
                await worker.job()

    async def _rest(self, worker: Worker) -> None:
        def abort(_: Any) -> trio.lowlevel.Abort:
            self._resting.remove(worker)
            return trio.lowlevel.Abort.SUCCEEDED

        self._resting.append(worker)
        await trio.lowlevel.wait_task_rescheduled(abort)
