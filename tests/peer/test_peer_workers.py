"""Served calls share tasks, and nothing else."""

from __future__ import annotations

import weakref
from contextvars import ContextVar, copy_context
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
import trio
import trio.testing

from iptc_codec.peer import Exports, RemoteError, Settings, _workers
from iptc_codec.peer._reading import Reading
from iptc_codec.peer._transport import transport
from iptc_codec.peer._workers import Workers
from tests.peer.peer_support import cmd, pair, serving

if TYPE_CHECKING:
    from collections.abc import Generator

_VALUE: ContextVar[int] = ContextVar("value", default=0)

EXPORTS = Exports()


@EXPORTS.function("work")
async def task() -> int:
    return id(trio.lowlevel.current_task())


@EXPORTS.function("work")
async def set_value(value: int) -> int:
    before = _VALUE.get()
    _VALUE.set(value)
    return before


@EXPORTS.function("work")
async def hang() -> None:
    await trio.sleep_forever()


@EXPORTS.function("work")
async def fail() -> None:
    raise ValueError("meant")


@EXPORTS.function("work")
async def fail_in_a_group() -> None:
    async def broken() -> None:
        try:
            await trio.sleep_forever()
        finally:
            raise KeyError("meant")

    async with trio.open_nursery() as nursery:
        nursery.start_soon(trio.sleep_forever)
        nursery.start_soon(broken)


@EXPORTS.function("work")
async def wait() -> None:
    await trio.sleep(5)


@EXPORTS.function("work")
async def leave_a_scope_open() -> None:
    trio.move_on_after(3).__enter__()


async def test_calls_one_after_the_other_share_a_task() -> None:
    async with pair(right=EXPORTS) as (peer, _):
        assert len({await peer.call("work", "task") for _ in range(5)}) == 1


async def test_calls_at_once_share_none() -> None:
    async with pair(right=EXPORTS) as (peer, _), trio.open_nursery() as nursery:
        for _ in range(3):
            nursery.start_soon(peer.call, "work", "hang")
        await trio.testing.wait_all_tasks_blocked()
        assert len({await peer.call("work", "task") for _ in range(3)}) == 1
        nursery.cancel_scope.cancel()


async def test_each_call_has_a_context_of_its_own() -> None:
    async with pair(right=EXPORTS) as (peer, _):
        assert [await peer.call("work", "set_value", value=one) for one in (1, 2, 3)] == [0, 0, 0]


async def test_a_cancelled_or_failed_call_leaves_nothing_to_the_next() -> None:
    async with pair(right=EXPORTS) as (peer, _):
        for _ in range(3):
            with trio.move_on_after(1):
                await peer.call("work", "hang")
            with pytest.raises(RemoteError, match="ValueError"):
                await peer.call("work", "fail")
            assert await peer.call("work", "set_value", value=1) == 0


async def test_of_a_group_only_the_errors_count() -> None:
    """CXL-04s: what was raised on the way out of a cancellation is that cancellation."""
    async with pair(right=EXPORTS) as (peer, _), trio.open_nursery() as nursery:

        async def cancelled() -> None:
            with trio.move_on_after(1) as scope:
                await peer.call("work", "fail_in_a_group")
            assert scope.cancelled_caught

        nursery.start_soon(cancelled)


def nothing_to_read() -> Reading:
    stream, _ = trio.testing.memory_stream_pair()
    return Reading(transport(stream))


async def never(job: object, error: BaseException | None) -> None:
    raise AssertionError(f"{job} was given up for {error!r}")


async def test_no_more_than_some_rest() -> None:
    everybody = trio.Event()
    done: list[int] = []

    async def run(job: int) -> None:
        await everybody.wait()
        done.append(job)

    workers = Workers(run, never, nothing_to_read())
    async with trio.open_nursery() as nursery:
        workers.open(nursery, copy_context())
        for job in range(200):
            workers.start(job)
        await trio.testing.wait_all_tasks_blocked()
        everybody.set()
        await trio.testing.wait_all_tasks_blocked()
        assert len(done) == 200
        assert len(nursery.child_tasks) == 128
        workers.close()


async def test_a_job_that_was_left_by_an_error_is_the_last_of_its_task() -> None:
    error = ValueError("meant")
    given_up: list[object] = []

    async def run(job: str) -> None:
        if job == "fails":
            raise error
        await trio.sleep_forever()

    async def give_up(job: str, error: BaseException | None) -> None:
        await trio.lowlevel.checkpoint()
        given_up.append((job, error))

    workers = Workers(run, give_up, nothing_to_read())
    async with trio.open_nursery() as nursery:
        workers.open(nursery, copy_context())
        workers.start("fails")
        scope = workers.start("hangs")
        scope.cancel()
        await trio.testing.wait_all_tasks_blocked()
        assert sorted(given_up, key=str) == [("fails", error), ("hangs", None)]
        assert not nursery.child_tasks


async def test_a_worker_that_rests_holds_nothing_of_its_job() -> None:
    class Large:
        pass

    async def run(_: Large) -> None:
        await trio.lowlevel.checkpoint()

    workers = Workers(run, never, nothing_to_read())
    large = Large()
    seen = weakref.ref(large)
    async with trio.open_nursery() as nursery:
        workers.open(nursery, copy_context())
        workers.start(large)
        del large
        await trio.testing.wait_all_tasks_blocked()
        assert len(nursery.child_tasks) == 1
        assert seen() is None
        workers.close()


async def test_a_scope_that_a_function_leaves_open_is_no_matter_of_the_next_call(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """It shows only once the call was answered: then it is told, and its task does nothing more."""
    async with pair(right=EXPORTS) as (peer, _):
        assert await peer.call("work", "leave_a_scope_open") is None
        await trio.testing.wait_all_tasks_blocked()
        assert "left a cancel scope open" in caplog.text
        for _ in range(3):
            await trio.sleep(1)
            assert await peer.call("work", "wait") is None


async def leave_alone() -> None:
    """A job after which the scope is as it was."""


async def be_cancelled() -> None:
    with trio.CancelScope(shield=True):  # too late for this one, which has ended by then
        await trio.sleep(2)


async def test_calls_share_a_scope_that_is_as_it_was() -> None:
    scopes, tasks = await both(leave_alone)
    assert scopes[0] is scopes[1]
    assert tasks[0] is tasks[1]


async def test_a_task_closes_a_scope_that_was_cancelled() -> None:
    scopes, tasks = await both(be_cancelled)
    assert scopes[0].cancel_called
    assert not scopes[1].cancel_called
    assert tasks[0] is tasks[1]


async def test_a_task_ends_in_which_a_scope_was_left_open() -> None:
    scopes, tasks = await both(leave_a_scope_open)
    assert scopes[0] is not scopes[1]
    assert tasks[0] is not tasks[1]


async def test_where_trio_does_not_show_what_was_left_open_no_scope_is_shared(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(_workers, "innermost_scope", lambda _task: None)
    scopes, tasks = await both(leave_alone)
    assert scopes[0] is not scopes[1]
    assert tasks[0] is tasks[1]


async def both(job: Any) -> tuple[list[trio.CancelScope], list[trio.lowlevel.Task]]:
    """The scopes and the tasks of a job, which may be cancelled after a second, and of the next one."""
    tasks: list[trio.lowlevel.Task] = []

    async def run(do: Any) -> None:
        tasks.append(trio.lowlevel.current_task())
        await do()

    workers = Workers(run, never, nothing_to_read())
    async with trio.open_nursery() as nursery:
        workers.open(nursery, copy_context())
        scopes = [workers.start(job)]
        await trio.sleep(1)
        if job is be_cancelled:
            scopes[0].cancel()
        await trio.sleep(1.5)
        scopes.append(workers.start(leave_alone))
        await trio.testing.wait_all_tasks_blocked()
        workers.close()
    return scopes, tasks


# The writer, when a task writes on its way into a wait.


@pytest.mark.parametrize("send_bytes", [10, 65536])
@pytest.mark.parametrize("func", ["echo", "ctx_hang"])
async def test_held_acks_leave_however_little_room_there_is(send_bytes: int, func: str) -> None:
    settings = Settings(send_bytes=send_bytes)
    kwargs = {"value": 1} if func == "echo" else {"first": 1}
    count = 2000
    async with serving(settings=settings) as raw, trio.open_nursery() as nursery:
        nursery.start_soon(raw.send, *(cmd(f"call-{n}", func, **kwargs) for n in range(count)))
        for _ in range(2 * count):
            assert "error" not in await raw.receive()


async def test_a_violation_while_a_function_waits_for_room() -> None:
    """It is cancelled where it waits, with its ACK still held: that must not wake it twice."""
    async with serving(settings=Settings(send_bytes=10)) as raw:
        await raw.send(cmd("c", "ctx_hang", first=1), {"yield": 1, "cid": "c"})
        assert await raw.receive() == {"functype": "context", "cid": "c"}
        assert "error" in await raw.receive()
        await raw.send(cmd("d", "echo", value=1))
        assert await raw.receive() == {"functype": "asyncfunc", "cid": "d"}
        assert await raw.receive() == {"return": 1, "cid": "d"}


# What functions may be.


class Later(partial[object]):
    """An async function as inspect sees it, whose calls give an awaitable that is no coroutine."""

    def __call__(self, *args: object, **kwargs: object) -> object:
        return _Awaitable(super().__call__(*args, **kwargs))


class _Awaitable:
    def __init__(self, work: Any) -> None:
        self._work = work

    def __await__(self) -> Generator[Any, Any, object]:
        return (yield from self._work.__await__())


async def test_a_function_may_give_any_awaitable() -> None:
    async def twice(value: int) -> int:
        await trio.lowlevel.checkpoint()
        return 2 * value

    exports = Exports()
    exports.add("ns", Later(twice), name="twice")
    async with serving(exports) as raw:
        await raw.send(cmd("c", "twice", "ns", value=4))
        assert (await raw.answers("c"))[-1] == {"return": 8, "cid": "c"}


class _Empty(list[None]):
    """Something that can be called, and is false."""

    async def __call__(self) -> str:
        return "cancelled"


async def test_an_on_cancel_is_served_whatever_its_truth_is() -> None:
    async with serving(settings=Settings(on_cancel=_Empty())) as raw:
        await raw.send(cmd("c", "cancel", "self"))
        assert (await raw.answers("c"))[-1] == {"return": "cancelled", "cid": "c"}
