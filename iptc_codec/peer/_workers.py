"""Tasks that run served calls, one after the other: to start one costs more than most calls do.

To open and to close a cancel scope costs as much as a small call as well. A call has its scope for itself
while it lasts. Afterwards the next call of the same task gets it, if it is as it was. Where somebody has
cancelled it, the task closes it and opens a new one, before that call comes, while nobody waits for it. A
task ends whose function has left another scope open inside.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

import trio

from ._reading import Stage

if TYPE_CHECKING:
    import contextvars
    from collections.abc import Callable, Coroutine

    from ._reading import Reading

_log = logging.getLogger("iptc_codec.peer")
_Job = TypeVar("_Job")

_MOST_RESTING: Final = 128


def innermost_scope(task: trio.lowlevel.Task | None) -> object:
    """What stands for the innermost cancel scope in which a task is; None if this trio does not show it.

    Trio has no public way to ask. A version that has it elsewhere costs each call a scope of its own.
    """
    return getattr(task, "_cancel_status", None)


class Worker(Generic[_Job]):
    """A task, the job that it is to do next, and the scope in which it will; without a job it ends."""

    __slots__ = ("job", "scope", "task")

    def __init__(self) -> None:
        self.job: _Job | None = None
        self.scope = trio.CancelScope()
        self.task: trio.lowlevel.Task | None = None

    def is_back(self, inside: object) -> bool:
        """Whether its scope is as it was before the job, with `inside` as the innermost."""
        as_before = inside is not None and innermost_scope(self.task) is inside
        return as_before and not self.scope.cancel_called


class Workers(Generic[_Job]):
    """The workers of one connection. Each job runs in a context of its own, as in a task of its own.

    `run` does a job to its end. If it raises, or is cancelled, `give_up` gets the job and the error, or None
    for a cancellation.
    """

    nursery: trio.Nursery
    """Where they run; set by `open`, before the first job."""
    _context: contextvars.Context

    def __init__(
        self,
        run: Callable[[_Job], Coroutine[Any, Any, None]],
        give_up: Callable[[_Job, BaseException | None], Coroutine[Any, Any, None]],
        reading: Reading,
    ) -> None:
        self._run, self._give_up = run, give_up
        self._reading = reading
        self._resting: list[Worker[_Job]] = []
        self._may_rest = _MOST_RESTING

    def open(self, nursery: trio.Nursery, context: contextvars.Context) -> None:
        """Say where they run; the context of each job is a copy of this one."""
        self.nursery = nursery
        self._context = context

    def start(self, job: _Job) -> trio.CancelScope:
        """Start a job; the scope in which it runs."""
        worker = self._reading.by
        if isinstance(worker, Worker) and worker.job is None:  # it has read of the job, and goes on with it
            worker.job = job
            return worker.scope
        worker = self._resting.pop() if self._resting else Worker()
        worker.job = job
        if worker.task:
            worker.task.context = self._context.copy()
            trio.lowlevel.reschedule(worker.task)
        else:
            # The new task takes a copy of whatever context it is started in.
            self._context.copy().run(self._hire, worker)
        return worker.scope

    def _hire(self, worker: Worker[_Job]) -> None:
        self.nursery.start_soon(self._work, worker, name="<serves calls>")

    def close(self) -> None:
        """Let nobody rest any more."""
        self._may_rest = 0
        while self._resting:
            if task := self._resting.pop().task:
                trio.lowlevel.reschedule(task)

    # Protected: a KeyboardInterrupt in here is the function's own, not the user's Ctrl-C.
    @trio.lowlevel.enable_ki_protection
    async def _work(self, worker: Worker[_Job]) -> None:
        worker.task = trio.lowlevel.current_task()
        while await self._do_some(worker) and len(self._resting) < self._may_rest:
            worker.scope = trio.CancelScope()

    async def _do_some(self, worker: Worker[_Job]) -> bool:
        """Do jobs for as long as the scope can be used; whether the task may go on with another."""
        job: _Job | None = None
        try:
            with worker.scope:
                inside = innermost_scope(worker.task)
                while (job := await self._next(worker)) is not None:
                    await self._run(job)
                    job = None
                    if not worker.is_back(inside):
                        return True
        except trio.Cancelled:
            if job is not None:
                await self._give_up(job, None)
            raise
        except BaseException as error:  # noqa: BLE001 - it is the caller's to know
            if job is None:
                _log.exception("a task that serves calls has ended: has a function left a cancel scope open?")
            else:
                await self._give_up(job, error)
        else:
            if job is not None:
                await self._give_up(job, None)
        return False

    async def _next(self, worker: Worker[_Job]) -> _Job | None:
        """The next job, or None if nobody may rest any more."""
        if worker.job is None:
            await self._rest(worker)
        job, worker.job = worker.job, None
        return job

    async def _rest(self, worker: Worker[_Job]) -> None:
        """Wait for a job, and read what comes if nobody does; or until nobody may rest."""

        def aborted(_: Any) -> trio.lowlevel.Abort:
            self._resting.remove(worker)
            return trio.lowlevel.Abort.SUCCEEDED

        while worker.job is None and len(self._resting) < self._may_rest:
            if self._reading.stage is Stage.FREE:
                trio.lowlevel.current_task().context = self._context.copy()  # from the next turn on
                await self._reading.once(worker)
            else:
                self._resting.append(worker)
                await trio.lowlevel.wait_task_rescheduled(aborted)
