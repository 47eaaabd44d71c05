"""Over sockets, whoever waits for something of a connection reads there, and nothing depends on who it is."""

from __future__ import annotations

import os
import socket
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

import pytest
import trio
import trio.testing

from iptc_codec.peer import Exports, Peer, Settings, current_peer
from iptc_codec.peer._calls import Call
from iptc_codec.peer._reading import Reading, Stage
from iptc_codec.peer._serving import Serving
from iptc_codec.peer._transport import transport
from iptc_codec.peer._workers import Worker
from tests.peer.peer_support import NS, Raw, calling, cmd, pair, serving

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from iptc_codec import Open, Violation

OVER = ["sockets"]

_whose: ContextVar[str] = ContextVar("whose", default="nobody's")


@pytest.fixture
def readers(monkeypatch: pytest.MonkeyPatch) -> list[type]:
    """For what those were waiting that have read, one after the other."""
    kinds: list[type] = []
    once = Reading.once

    async def noted(reading: Reading, by: object) -> None:
        kinds.append(type(by))
        await once(reading, by)

    monkeypatch.setattr(Reading, "once", noted)
    return kinds


def reader(peer: Peer) -> object:
    """Who waits for the stream now."""
    reading = peer._link.reading
    assert reading.stage is Stage.WAITING
    return reading.by


def cid_of(opening: Any) -> str:
    cid: str = opening["cmd"][4]
    return cid


def ack(opening: Any, functype: str = "asyncfunc") -> dict[str, object]:
    return {"functype": functype, "cid": cid_of(opening)}


def result(opening: Any, value: object) -> dict[str, object]:
    return {"return": value, "cid": cid_of(opening)}


async def test_caller_and_callee_read_for_themselves(readers: list[type]) -> None:
    async with pair() as (peer, _other):
        for value in range(20):
            assert await peer.call(NS, "echo", value=value) == value
        assert set(readers[-20:]) == {Call, Worker}


async def test_items_are_read_by_those_that_wait_for_them(readers: list[type]) -> None:
    async with (
        pair() as (peer, _other),
        peer.context(NS, "ctx_echo", first=1) as (ctx, _first),
        ctx.stream() as stream,
    ):
        for value in range(20):
            await stream.send(value)
            assert await stream.receive() == value
        assert Reading not in readers[-20:]


async def test_a_caller_reads_for_all_others() -> None:
    got: list[object] = []
    async with calling() as (peer, raw):

        async def call() -> None:
            got.append(await peer.call(NS, "echo", value=0))

        async with trio.open_nursery() as nursery:
            for _ in range(3):
                nursery.start_soon(call)
            openings = await raw.receive_many(3)
            await trio.testing.wait_all_tasks_blocked()
            await raw.send(*(ack(one) for one in openings), *(result(one, cid_of(one)) for one in openings))
        assert sorted(map(str, got)) == sorted(map(cid_of, openings))


async def test_a_caller_that_is_cancelled_leaves_the_reading_to_others() -> None:
    async with calling() as (peer, raw), trio.open_nursery() as nursery:
        first = await nursery.start(_cancellable, peer)
        leaves = await raw.receive()
        await trio.testing.wait_all_tasks_blocked()
        assert isinstance(reader(peer), Call | Reading)

        async def stays() -> None:
            assert await peer.call(NS, "echo", value=2) == "stays"

        nursery.start_soon(stays)
        other = await raw.receive()
        first.cancel()
        cancelling = await raw.receive()
        await raw.send(
            ack(leaves),
            ack(other),
            ack(cancelling),
            {"error": {"tb_str": "", "type_str": "ContextCancelled"}, "cid": cid_of(leaves)},
            result(cancelling, value=True),
        )
        await trio.testing.wait_all_tasks_blocked()
        await raw.send(result(other, "stays"))


async def _cancellable(
    peer: Peer, task_status: trio.TaskStatus[trio.CancelScope] = trio.TASK_STATUS_IGNORED
) -> None:
    with trio.CancelScope() as scope:
        task_status.started(scope)
        await peer.call(NS, "hang")


async def _answered(peer: Peer, raw: Raw) -> None:
    """Have a call answered, so that the task that is at it reads at the end."""
    async with trio.open_nursery() as nursery:
        nursery.start_soon(peer.call, NS, "echo")
        opening = await raw.receive()
        await raw.send(ack(opening), result(opening, 1))


async def test_a_caller_that_has_its_answer_reads_no_longer() -> None:
    async with calling() as (peer, raw), trio.open_nursery() as nursery:

        async def quick() -> None:
            assert await peer.call(NS, "echo", value=1) == "quick"
            await trio.sleep(100)

        async def slow() -> None:
            with trio.fail_after(10):
                assert await peer.call(NS, "echo", value=2) == "slow"
            nursery.cancel_scope.cancel()

        nursery.start_soon(quick)
        one = await raw.receive()
        nursery.start_soon(slow)
        two = await raw.receive()
        await raw.send(ack(one), ack(two), result(one, "quick"))
        await trio.sleep(1)
        await raw.send(result(two, "slow"))
    assert trio.current_time() < 10


@pytest.fixture
def silent() -> Exports:
    """A generator that yields nothing, and one more function."""
    exports = Exports()

    @exports.function("ns")
    async def nothing() -> AsyncIterator[int]:
        await trio.Event().wait()
        yield 1

    @exports.function("ns")
    async def whose(name: str) -> str:
        before = _whose.get()
        _whose.set(name)
        return before

    return exports


async def test_a_stream_that_is_left_while_another_task_reads_for_it(silent: Exports) -> None:
    async with pair(right=silent) as (peer, _other), trio.open_nursery() as nursery:
        seen: list[str] = []
        for value in ("a", "b"):  # from here on callers read
            await peer.call("ns", "whose", name=value)
        async with peer.stream("ns", "nothing") as items:

            async def waits() -> None:
                with trio.fail_after(10), pytest.raises(trio.ClosedResourceError):
                    await items.receive()
                seen.append("closed")

            nursery.start_soon(waits)
            await trio.testing.wait_all_tasks_blocked()
        await trio.testing.wait_all_tasks_blocked()
        assert seen == ["closed"]


async def test_a_wait_that_is_called_off_disturbs_no_writer() -> None:
    one, two = socket.socketpair()
    stream = trio.SocketStream(trio.socket.from_stdlib_socket(one))
    writes, sent = transport(stream), os.urandom(3_000_000)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(writes.write, sent)
        read: list[object] = []

        async def reads() -> None:
            read.append(await writes.read())

        nursery.start_soon(reads)
        await trio.testing.wait_all_tasks_blocked()
        writes.call_off()
        await trio.testing.wait_all_tasks_blocked()
        assert read == [None]
        got = bytearray()
        two.setblocking(False)  # noqa: FBT003  (the standard library's own)
        while len(got) < len(sent):
            try:
                got += two.recv(1 << 20)
            except BlockingIOError:
                await trio.testing.wait_all_tasks_blocked()
    assert got == sent
    two.close()
    await stream.aclose()


async def test_what_is_told_is_told_in_the_context_of_the_connection() -> None:
    told: list[object] = []

    def on_violation(violation: Violation) -> None:
        told.extend((violation.clause, _whose.get(), current_peer(), trio.lowlevel.currently_ki_protected()))

    async with calling(settings=Settings(on_violation=on_violation)) as (peer, raw):
        await _answered(peer, raw)
        _whose.set("the caller's")
        async with trio.open_nursery() as nursery:
            nursery.start_soon(peer.call, NS, "echo")
            opening = await raw.receive()
            await trio.testing.wait_all_tasks_blocked()
            await raw.send(ack(opening), ack(opening), result(opening, 1))
    assert told == ["OPN-04s", "nobody's", peer, True]


async def test_a_function_never_runs_in_the_context_of_who_has_read_of_it(silent: Exports) -> None:
    async with calling(silent) as (peer, raw):
        await _answered(peer, raw)
        _whose.set("the caller's")
        async with trio.open_nursery() as nursery:
            nursery.start_soon(peer.call, NS, "echo")
            opening = await raw.receive()
            for name in ("one", "two"):
                await raw.send(cmd(name, "whose", "ns", name=name))
                assert (await raw.receive_many(2))[1] == {"return": "nobody's", "cid": name}
            await raw.send(ack(opening), result(opening, 1))


async def test_functions_that_come_together_and_one_after_the_other_share_nothing(silent: Exports) -> None:
    async with serving(silent) as raw:
        for turn in range(5):
            names = [f"{turn}-{one}" for one in range(3)]
            await raw.send(*(cmd(name, "whose", "ns", name=name) for name in names))
            answers = await raw.receive_many(6)
            assert [one["return"] for one in answers if "return" in one] == ["nobody's"] * 3


async def test_a_function_that_never_returns_keeps_no_other_from_being_read(readers: list[type]) -> None:
    async with serving() as raw:
        for number in range(10):
            await raw.send(cmd(f"hangs-{number}", "hang"))
            assert await raw.receive() == {"functype": "asyncfunc", "cid": f"hangs-{number}"}
            assert await raw.barrier(f"b-{number}") == []
        assert Worker in readers


async def test_an_error_of_our_own_ends_the_connection_whoever_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(_serving: Serving, _message: Open) -> None:
        raise RuntimeError("meant")

    monkeypatch.setattr(Serving, "opened", fails)
    with pytest.raises(BaseExceptionGroup) as raised:  # noqa: PT012
        async with calling() as (peer, raw):
            await _answered(peer, raw)
            async with trio.open_nursery() as nursery:
                nursery.start_soon(peer.call, NS, "echo")
                await raw.receive()
                await trio.testing.wait_all_tasks_blocked()
                await raw.send(cmd("c", "echo", value=1))
    assert raised.group_contains(RuntimeError, match="meant")
