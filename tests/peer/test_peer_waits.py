"""A coroutine whose waits are noticed runs as it would without."""

from __future__ import annotations

import types
from typing import TYPE_CHECKING, Any

import pytest
import trio

from iptc_codec.peer._waits import noticing_waits

if TYPE_CHECKING:
    from collections.abc import Generator


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
