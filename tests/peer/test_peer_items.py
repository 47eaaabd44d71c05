"""How a consumer comes by its items: one by one, in batches, in loops that are left and taken up again."""

from __future__ import annotations

import gc
import warnings
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest
import trio
import trio.testing

from iptc_codec import Limits
from iptc_codec.peer import StreamOverrunError
from iptc_codec.peer._flow import NOTHING, TURN, Gate, Inbox
from tests.peer.peer_support import calling

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from iptc_codec.peer import ItemStream
    from tests.peer.peer_support import Raw


@asynccontextmanager
async def stream_of(count: int) -> AsyncIterator[tuple[ItemStream, Raw, str]]:
    """A stream to which so many items have come, its callee, and its cid."""
    async with calling() as (peer, raw), peer.stream("any", "numbers") as items:
        cid = (await raw.receive())["cmd"][4]
        await raw.send({"functype": "asyncgen", "cid": cid})
        await raw.send(*[{"yield": i, "cid": cid} for i in range(count)])
        await trio.testing.wait_all_tasks_blocked()
        yield items, raw, cid


async def taken(items: ItemStream, count: int) -> list[object]:
    """So many items, by a loop that is left then."""
    found: list[object] = []
    async for item in items:
        found.append(item)
        if len(found) == count:
            break
    return found


async def test_a_loop_that_was_left_is_taken_up_where_it_was() -> None:
    async with stream_of(150) as (items, raw, cid):
        await raw.send({"stop": True, "cid": cid})
        assert await taken(items, 3) == [0, 1, 2]
        assert await items.receive() == 3
        assert await anext(items) == 4
        assert await taken(items, 80) == [*range(5, 85)]
        batches = [batch async for batch in items.batches()]
        assert [item for batch in batches for item in batch] == [*range(85, 150)]


async def test_a_loop_that_was_cancelled_can_be_begun_again() -> None:
    async with stream_of(2) as (items, raw, cid):
        found: list[object] = []
        with trio.move_on_after(1) as scope:
            async for item in items:
                found.append(item)  # noqa: PERF401 - what came before the cancellation counts
        assert scope.cancelled_caught
        await raw.send({"yield": 2, "cid": cid}, {"stop": True, "cid": cid})
        assert found + [item async for item in items] == [0, 1, 2]


async def test_a_loop_in_a_loop_that_was_cancelled_ends_itself_alone() -> None:
    async with stream_of(2) as (items, raw, cid):
        found: list[object] = []
        async for item in items:
            found.append(item)
            if item == 0:
                with trio.move_on_after(1):
                    async for inner in items:
                        found.append(inner)  # noqa: PERF401 - as above
                await raw.send({"yield": 2, "cid": cid}, {"stop": True, "cid": cid})
        assert found == [0, 1, 2]


async def test_two_tasks_may_share_a_turn() -> None:
    """One uses it up while the other waits."""
    async with stream_of(0) as (items, raw, cid):
        found: list[object] = []

        async def consume() -> None:
            for _ in range(10):
                found.extend([await items.receive() for _ in range(TURN // 2)])
                await trio.sleep(0.1)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(consume)
            nursery.start_soon(consume)
            for start in range(0, 10 * TURN, TURN):
                await trio.testing.wait_all_tasks_blocked()
                await raw.send(*[{"yield": i, "cid": cid} for i in range(start, start + TURN)])
        assert sorted(found, key=str) == sorted(range(10 * TURN), key=str)


async def test_two_tasks_may_share_a_stream() -> None:
    async with stream_of(0) as (items, raw, cid):
        found: list[object] = []

        async def consume() -> None:
            async for item in items:
                found.append(item)
                await trio.sleep(0.1)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(consume)
            nursery.start_soon(consume)
            await trio.testing.wait_all_tasks_blocked()
            await raw.send(*[{"yield": i, "cid": cid} for i in range(6)], {"stop": True, "cid": cid})
        assert sorted(found, key=str) == [*range(6)]


async def test_a_loop_that_was_left_leaves_nothing_for_the_garbage_collector() -> None:
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        async with stream_of(3) as (items, _raw, _cid):
            assert await taken(items, 1) == [0]
        del items
        gc.collect()
        await trio.testing.wait_all_tasks_blocked()
    assert [one for one in told if one.category is ResourceWarning] == []


async def test_a_consumer_lets_others_run_after_64_items_however_they_have_come() -> None:
    async with stream_of(0) as (items, raw, cid):
        for start in range(0, 400, 40):
            await raw.send(*[{"yield": i, "cid": cid} for i in range(start, start + 40)])
            await trio.testing.wait_all_tasks_blocked()
        await raw.send({"stop": True, "cid": cid})
        await trio.testing.wait_all_tasks_blocked()
        turns: list[int] = [0]

        async def other(task_status: trio.TaskStatus[None]) -> None:
            task_status.started()
            while True:
                await trio.lowlevel.checkpoint()
                turns.append(0)

        async with trio.open_nursery() as nursery:
            await nursery.start(other)
            async for _ in items:
                turns[-1] += 1
            nursery.cancel_scope.cancel()
        assert sum(turns) == 400
        assert max(turns) <= 2 * TURN  # the order within a pass of the scheduler is by chance


# The inbox.


def inbox_of(**limits: int) -> tuple[Inbox, Gate]:
    gate = Gate(Limits(**limits))
    return Inbox(gate), gate


def drained(inbox: Inbox) -> list[object]:
    """Items as long as there are any, turn after turn."""
    found: list[object] = []
    while not inbox.empty:
        if (item := inbox.take_now()) is NOTHING:
            inbox.turn = TURN
        else:
            found.append(item)
    return found


async def test_a_run_is_put_as_far_as_it_stays_below_the_mark() -> None:
    inbox, gate = inbox_of(held_items=10)
    assert inbox.put_all([*range(6)], [1] * 6) == 6
    assert inbox.put_all([*range(6, 12)], [1] * 6) == 3
    assert inbox.put_all([9], [1]) == 0
    shut = [gate.shut]
    inbox.put(9, 1)
    shut.append(gate.shut)
    assert inbox.held == 10
    assert drained(inbox) == [*range(10)]
    assert [*shut, gate.shut] == [False, True, False]


async def test_a_run_that_is_too_large_in_bytes_is_left_to_a_closer_look() -> None:
    inbox, gate = inbox_of(held_bytes=100)
    assert inbox.put_all([1, 2], [50, 50]) == 0
    assert inbox.put_all([1, 2], [50, 49]) == 2
    inbox.put(3, 1)
    assert gate.shut


async def test_at_the_mark_in_bytes_each_item_that_is_taken_counts() -> None:
    """FLW-09r: or else a consumer that takes one in each `stall_seconds` would be overrun."""
    inbox, gate = inbox_of(held_bytes=10_000)
    assert inbox.put_all([*range(9)], [1000] * 9) == 9
    for next_one in range(9, 200):
        inbox.put(next_one, 1000)
        shut = gate.shut
        inbox.turn = TURN
        assert inbox.take_now() == next_one - 9
        assert (shut, gate.shut) == (True, False)


async def test_what_comes_for_nobody_is_counted_once_it_was_told() -> None:
    inbox, _gate = inbox_of()
    inbox.overrun()
    assert inbox.put_all([1, 2], [1, 1]) == 0
    assert inbox.put(1, 1)
    assert inbox.put_all([2, 3], [1, 1]) == 2
    assert inbox.lost == 3
    inbox.leave()
    assert inbox.put_all([4, 5], [1, 1]) == 2
    assert inbox.empty


async def test_a_turn_takes_a_part_of_a_run_and_the_next_one_the_rest() -> None:
    inbox, _gate = inbox_of()
    for start in (0, 50, 100):
        inbox.put_all([*range(start, start + 50)], [1] * 50)
    first = []
    while (item := inbox.take_now()) is not NOTHING:
        first.append(item)
    assert first == [*range(TURN)]
    assert inbox.held == 150 - TURN
    inbox.turn = TURN
    assert inbox.take_now() == TURN
    assert inbox.take_all() == [*range(TURN + 1, 150)]
    assert inbox.empty


async def test_a_gate_counts_those_that_want_more() -> None:
    one, gate = inbox_of()
    two = Inbox(gate)
    one.leave()
    assert gate.inboxes == 0
    two.put(1, 1)
    one.put(1, 1)
    assert gate.inboxes == 1
    two.leave()
    two.leave()
    assert gate.inboxes == 0


async def test_what_was_lost_is_told_after_what_was_held() -> None:
    inbox, _gate = inbox_of()
    inbox.put(1, 1)
    inbox.overrun()
    assert inbox.put(2, 1)
    assert not inbox.put(3, 1)
    assert inbox.take_now() == 1
    with pytest.raises(StreamOverrunError, match="2"):
        inbox.take_all()


async def test_a_lone_consumer_gets_a_head_start_and_no_more_than_that() -> None:
    inbox, gate = inbox_of(held_items=1000)
    inbox.put_all([*range(999)], [1] * 999)
    inbox.put(999, 1)

    async def consume() -> None:
        for _ in range(12):
            inbox.turn = TURN
            for _ in range(TURN):
                inbox.take_now()
            await trio.lowlevel.checkpoint()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(consume)
        await gate.passage()
        assert 500 - 3 * TURN <= inbox.held <= 500  # it may be woken a turn later
