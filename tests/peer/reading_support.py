"""Who reads a connection, and a caller that does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import trio
import trio.testing

from iptc_codec.peer._calls import Call
from iptc_codec.peer._reading import Stage
from tests.peer.peer_support import NS, Raw

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from iptc_codec.peer import Peer


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


async def caller_reads(
    nursery: trio.Nursery, peer: Peer, raw: Raw, then: Callable[[], Awaitable[object]], reads: type = Call
) -> None:
    """Start a task that goes on with `then` after a call, and that reads while it waits there."""

    async def task() -> None:
        await peer.call(NS, "echo", value="first")
        await then()

    nursery.start_soon(task)
    first = await raw.receive()
    await raw.send(ack(first), result(first, 1))
    await trio.testing.wait_all_tasks_blocked()
    assert isinstance(reader(peer), reads)
