"""Whatever two ends say, it arrives as it was said, and ends as it ended; a slow reader stops the writer."""

from __future__ import annotations

import pytest
import trio
import trio.testing

from iptc_conformance.driving.streams import Address, reset
from iptc_conformance.tap import Tap, Tape, TapSettings
from tests.tap.tap_support import SECONDS, Notes, dice, frame, hello, opens, read_all, read_some, tapped

_BOUND = 700_000
"""Two memory streams of 256 KiB, one chunk of 64 KiB between them, and room for surprises."""


def legal_talk(seed: int) -> bytes:
    """A hello and many legal OPENs, some of them long."""
    chance = dice(seed)
    calls = (
        frame({"cmd": ["m", "f", {"x": "y" * chance.choice((0, 9, 70_000))}, ["anna", "u-1"], str(number)]})
        for number in range(40)
    )
    return hello("initiator") + b"".join(calls)


async def say(stream: trio.abc.HalfCloseableStream, data: bytes, seed: int) -> None:
    """Send in chunks of random sizes, then close this half."""
    chance, at = dice(seed), 0
    while at < len(data):
        size = chance.choice((1, 2, 3, 5, 17, 1000, 65536, 100_000))
        await stream.send_all(data[at : at + size])
        at += size
    await stream.send_eof()


async def send_for_ever(stream: trio.abc.SendStream) -> None:
    """Send until that fails."""
    while True:
        await stream.send_all(bytes(100_000))


@pytest.mark.parametrize("enforce", [False, True])
@pytest.mark.parametrize("seed", range(6))
async def test_legal_bytes_arrive_as_they_were_sent(seed: int, *, enforce: bool) -> None:
    sent = legal_talk(seed)
    answer = hello("acceptor")
    got: dict[str, bytes] = {}

    async def hear(name: str, stream: trio.abc.ReceiveStream) -> None:
        got[name] = await read_all(stream)

    async with tapped(enforce=enforce) as it, trio.open_nursery() as nursery:
        nursery.start_soon(say, it.left, sent, seed)
        nursery.start_soon(say, it.right, answer, seed)
        nursery.start_soon(hear, "left", it.left)
        nursery.start_soon(hear, "right", it.right)
    assert (got["right"], got["left"]) == (sent, answer)
    assert it.clauses == []
    assert it.ended is not None
    assert it.ended.reset_by is None


@pytest.mark.parametrize("seed", range(6))
async def test_random_bytes_arrive_as_they_were_sent(seed: int) -> None:
    sent = [dice(seed + side).randbytes(300_000) for side in range(2)]
    got: dict[int, bytes] = {}

    async def hear(side: int, stream: trio.abc.ReceiveStream) -> None:
        got[side] = await read_all(stream)

    async with tapped() as it, trio.open_nursery() as nursery:
        nursery.start_soon(say, it.left, sent[0], seed)
        nursery.start_soon(say, it.right, sent[1], seed)
        nursery.start_soon(hear, 1, it.left)
        nursery.start_soon(hear, 0, it.right)
    assert got == dict(enumerate(sent))


@pytest.mark.parametrize("enforce", [False, True])
async def test_a_half_close_is_passed_on_as_one(*, enforce: bool) -> None:
    async with tapped(enforce=enforce) as it:
        await it.left.send_all(hello("initiator"))
        await it.left.send_eof()
        assert await read_all(it.right) == hello("initiator")
        await it.right.send_all(hello("acceptor"))
        assert await read_some(it.left, len(hello("acceptor"))) == hello("acceptor")
        await it.right.send_eof()
        assert await read_all(it.left) == b""


async def test_a_frame_cut_short_arrives_as_far_as_it_came() -> None:
    async with tapped(enforce=True) as it:
        await it.left.send_all(hello("initiator") + opens("c1")[:-3])
        await it.left.send_eof()
        assert await read_all(it.right) == hello("initiator") + opens("c1")[:-3]
    assert it.clauses == []


@pytest.mark.parametrize("side", ["initiator", "acceptor"])
async def test_a_reset_is_passed_on_as_one(side: str) -> None:
    async with tapped() as it:
        near, far = (it.left, it.right) if side == "initiator" else (it.right, it.left)
        await near.send_all(hello(side))
        assert await read_some(far, len(hello(side))) == hello(side)
        await reset(near)
        with pytest.raises(trio.BrokenResourceError):
            await far.receive_some()
        await it.done.wait()
    assert it.ended is not None
    assert it.ended.reset_by == side


async def test_who_writes_to_an_end_that_is_gone_is_reset() -> None:
    async with tapped() as it:
        await it.right.aclose()
        with pytest.raises(trio.BrokenResourceError):
            await send_for_ever(it.left)
    assert it.ended is not None
    assert it.ended.reset_by == "acceptor"


@pytest.mark.parametrize("enforce", [False, True])
async def test_a_reader_that_does_not_read_stops_the_writer(*, enforce: bool) -> None:
    passed = 0

    async def flood(stream: trio.abc.SendStream) -> None:
        nonlocal passed
        await stream.send_all(hello("initiator"))
        for number in range(1000):
            call = opens(f"{number:030}")
            await stream.send_all(call)
            passed += len(call)

    async with tapped(enforce=enforce) as it, trio.open_nursery() as nursery:
        nursery.start_soon(flood, it.left)
        await trio.testing.wait_all_tasks_blocked()
        assert passed == 1000 * len(opens("0" * 30))
        await it.left.send_all(frame({"cmd": ["m", "f", {"x": bytes(100_000)}, ["anna", "u-1"], "a"]}))
        passed = 0

        async def flood_more() -> None:
            nonlocal passed
            for number in range(200):
                await it.left.send_all(
                    frame({"cmd": ["m", "f", {"x": bytes(50_000)}, ["anna", "u-1"], f"b{number}"]})
                )
                passed += 50_000

        nursery.start_soon(flood_more)
        await trio.testing.wait_all_tasks_blocked()
        assert 0 < passed < _BOUND
        stuck = passed
        await read_some(it.right, 500_000)
        await trio.testing.wait_all_tasks_blocked()
        assert passed > stuck
        nursery.cancel_scope.cancel()


async def test_back_pressure_of_one_direction_leaves_the_other_alone() -> None:
    async with tapped() as it, trio.open_nursery() as nursery:
        nursery.start_soon(it.left.send_all, bytes(2_000_000))
        await trio.testing.wait_all_tasks_blocked()
        await it.right.send_all(hello("acceptor"))
        assert await read_some(it.left, len(hello("acceptor"))) == hello("acceptor")
        nursery.cancel_scope.cancel()


def test_a_connection_that_waits_for_room_ends_with_the_tap() -> None:
    """One is held, and the next is accepted but not passed on: it is closed too."""

    async def run() -> None:
        target = (await trio.open_tcp_listeners(0, host="127.0.0.1"))[0]
        here = (await trio.open_tcp_listeners(0, host="127.0.0.1"))[0]
        port: int = here.socket.getsockname()[1]
        tap = Tap(Address(*target.socket.getsockname()), Tape(Notes()), TapSettings(at_once=1))
        with trio.fail_after(SECONDS):
            async with trio.open_nursery() as nursery, target:
                nursery.start_soon(tap.run, [here])
                ends = [await trio.open_tcp_stream("127.0.0.1", port) for _ in range(2)]
                async with await target.accept():
                    await trio.testing.wait_all_tasks_blocked()
                    nursery.cancel_scope.cancel()
            for end in ends:
                async with end:
                    assert await read_all(end) == b""

    trio.run(run)
