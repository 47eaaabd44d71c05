"""Who sends much lets others run: after 64 items, and after fewer where they are large."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import trio
import trio.testing

from iptc_codec.peer import Exports, ServedContext, Settings
from iptc_codec.peer._flow import LARGE_ITEM, TURN
from tests.peer.peer_support import NS, pair

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

_ROOM = Settings(send_bytes=1 << 30)
"""Who waits for room lets others run anyway."""
_ITEMS = 200


class Turns:
    """How many items were sent in each pass of the scheduler."""

    def __init__(self) -> None:
        self.sent: list[int] = []
        self._passes = 0

    async def count(self) -> None:
        """Count passes until cancelled."""
        while True:
            await trio.lowlevel.checkpoint()
            self._passes += 1

    def note(self) -> None:
        """Note an item."""
        self.sent += [0] * (self._passes + 1 - len(self.sent))
        self.sent[-1] += 1


def by_generator(turns: Turns, size: int) -> Exports:
    exports = Exports()

    @exports.function(NS)
    async def much() -> AsyncIterator[bytes]:
        for _ in range(_ITEMS):
            yield bytes(size)
            turns.note()

    return exports


def by_context(turns: Turns, size: int) -> Exports:
    exports = Exports()

    @exports.context(NS)
    async def much(ctx: ServedContext) -> None:
        await ctx.started()
        async with ctx.stream() as stream:
            for _ in range(_ITEMS):
                await stream.send(bytes(size))
                turns.note()

    return exports


@pytest.mark.parametrize("sending", [by_generator, by_context])
@pytest.mark.parametrize(
    ("size", "most"),
    [(1, TURN), (LARGE_ITEM // 2, TURN), (4 * LARGE_ITEM, TURN // 5 + 1), (TURN * LARGE_ITEM, 1)],
)
async def test_a_sender_lets_others_run(
    sending: Callable[[Turns, int], Exports], size: int, most: int
) -> None:
    turns = Turns()
    async with (
        pair(right=sending(turns, size), settings=_ROOM) as (peer, _other),
        trio.open_nursery() as nursery,
    ):
        nursery.start_soon(turns.count)
        if sending is by_generator:
            async with peer.stream(NS, "much") as items:
                got = [item async for item in items]
        else:
            async with peer.context(NS, "much") as (context, _), context.stream() as items:
                got = [item async for item in items]
        nursery.cancel_scope.cancel()
    assert got == [bytes(size)] * _ITEMS
    assert sum(turns.sent) == _ITEMS
    assert max(turns.sent) <= 2 * most  # the order within a pass of the scheduler is by chance
