"""Served calls share tasks, and nothing else."""

from __future__ import annotations

import types
import weakref
from contextvars import ContextVar, copy_context
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
import trio
import trio.testing

from iptc_codec.peer import Exports, RemoteError, Settings
from iptc_codec.peer._reading import Reading
from iptc_codec.peer._transport import transport
from iptc_codec.peer._waits import noticing_waits
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


# Waits.


async def test_what_never_waits_is_not_noticed() -> None:
    noticed: list[int] = []

    async def work() -> str:
        return "value"

    assert await noticing_waits(work(), lambda: noticed.append(1)) == "value"
    assert noticed == []


async def test_each_wait_is_noticed_before_it_begins() -> None:
    seen: list[Any] = []

    async def work() -> str:
        seen.append("begun")
        await trio.lowlevel.checkpoint()
        seen.append("on")
        await trio.lowlevel.checkpoint()
        return "value"

    assert await noticing_waits(work(), lambda: seen.append("waits")) == "value"
    assert seen == ["begun", "waits", "on", "waits"]


async def test_errors_and_cancellation_pass_both_ways() -> None:
    seen: list[str] = []

    async def work() -> None:
        try:
            await trio.sleep_forever()
        except trio.Cancelled:
            seen.append("cancelled")
            raise

    async def broken() -> None:
        await trio.lowlevel.checkpoint()
        raise ValueError("meant")

    with trio.move_on_after(1) as scope:
        await noticing_waits(work(), lambda: None)
    assert scope.cancelled_caught
    assert seen == ["cancelled"]
    with pytest.raises(ValueError, match="meant"):
        await noticing_waits(broken(), lambda: None)


def test_what_is_thrown_in_reaches_the_work() -> None:
    """Trio throws nothing in; whoever closes a coroutine does."""
    seen: list[str] = []

    @types.coroutine
    def wait() -> Generator[str, None, None]:
        yield "wait"

    async def work() -> str:
        try:
            await wait()
        except ValueError:
            seen.append("thrown")
        await wait()
        return "value"

    async def run() -> str:
        return await noticing_waits(work(), lambda: seen.append("waits"))

    running = run()
    assert running.send(None) == "wait"
    assert running.throw(ValueError()) == "wait"
    with pytest.raises(StopIteration, match="value"):
        running.send(None)
    assert seen == ["waits", "thrown", "waits"]


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
