"""Whoever reads a connection, what runs because of it runs in its own context."""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING

import pytest
import trio

from iptc_codec import Limits
from iptc_codec.peer import Exports, Peer, Settings, current_peer
from tests.peer.peer_support import NS, calling, cmd, serving
from tests.peer.reading_support import ack, caller_reads, result

if TYPE_CHECKING:
    from iptc_codec import Violation

OVER = ["sockets"]

_whose: ContextVar[str] = ContextVar("whose", default="nobody's")


async def calls_as_somebody(peer: Peer) -> None:
    _whose.set("the caller's")
    await peer.call(NS, "echo")


async def test_what_is_told_is_told_in_the_context_of_the_connection() -> None:
    told: list[object] = []

    def on_violation(violation: Violation) -> None:
        told.extend((violation.clause, _whose.get(), current_peer(), trio.lowlevel.currently_ki_protected()))

    settings = Settings(on_violation=on_violation)
    async with calling(settings=settings) as (peer, raw), trio.open_nursery() as nursery:
        await caller_reads(nursery, peer, raw, lambda: calls_as_somebody(peer))
        opening = await raw.receive()
        await raw.send(ack(opening), ack(opening), result(opening, 1))
    assert told == ["OPN-04s", "nobody's", peer, True]


async def test_what_had_to_wait_is_passed_on_in_the_same_way() -> None:
    told: list[object] = []

    def on_violation(violation: Violation) -> None:
        told.extend((violation.clause, trio.lowlevel.currently_ki_protected()))

    async with serving(limits=Limits(held_items=2), settings=Settings(on_violation=on_violation)) as raw:
        await raw.send(cmd("c", "ctx_hang", first=1))
        await raw.receive_many(2)
        item, stop = {"yield": 1, "cid": "c"}, {"stop": True, "cid": "c"}
        await raw.send(item, item, item, stop, stop)
        await raw.barrier("b")
    assert told == ["STR-03s", True]


@pytest.fixture
def whose() -> Exports:
    """A function that says whose context it has run in, and makes that its own."""
    exports = Exports()

    @exports.function("ns")
    async def whose(name: str) -> str:
        before = _whose.get()
        _whose.set(name)
        return before

    return exports


async def test_a_function_never_runs_in_the_context_of_who_has_read_of_it(whose: Exports) -> None:
    async with calling(whose) as (peer, raw), trio.open_nursery() as nursery:
        await caller_reads(nursery, peer, raw, lambda: calls_as_somebody(peer))
        opening = await raw.receive()
        for name in ("one", "two"):
            await raw.send(cmd(name, "whose", "ns", name=name))
            assert (await raw.receive_many(2))[1] == {"return": "nobody's", "cid": name}
        await raw.send(ack(opening), result(opening, 1))


async def test_functions_that_come_together_and_one_after_the_other_share_nothing(whose: Exports) -> None:
    async with serving(whose) as raw:
        for turn in range(5):
            names = [f"{turn}-{one}" for one in range(3)]
            await raw.send(*(cmd(name, "whose", "ns", name=name) for name in names))
            answers = await raw.receive_many(6)
            assert [one["return"] for one in answers if "return" in one] == ["nobody's"] * 3


async def test_what_the_application_sets_when_it_is_told_reaches_no_call(whose: Exports) -> None:
    def on_violation(_violation: Violation) -> None:
        _whose.set("who is told")

    async with serving(whose, settings=Settings(on_violation=on_violation)) as raw:
        for name in ("one", "two"):
            await raw.send({"yield": 1, "cid": "unknown"}, cmd(name, "whose", "ns", name=name))
            assert (await raw.receive_many(2))[1] == {"return": "nobody's", "cid": name}
