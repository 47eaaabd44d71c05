"""Many calls in both directions at once, and what their terminals wait for."""

from __future__ import annotations

from functools import partial

import pytest
import trio
import trio.testing

from iptc_codec.peer import Exports, Peer, RemoteError, Settings, open_peer, serve
from tests.peer.peer_support import cancel, cmd, error, serving

TEXT = "y" * 8000


def failing() -> Exports:
    """A function whose failure has much to say."""
    exports = Exports()

    @exports.function("ns")
    async def bad() -> None:
        raise ValueError(TEXT)

    return exports


async def call_often(peer: Peer, count: int) -> None:
    """Open that many calls at once; each fails as it should."""

    async def one() -> None:
        with pytest.raises(RemoteError, match="ValueError"):
            await peer.call("ns", "bad")

    async with trio.open_nursery() as nursery:
        for _ in range(count):
            nursery.start_soon(one)


async def test_two_ends_that_fail_each_others_calls(real_clock: None) -> None:
    settings = Settings(answer_bytes=65536, answer_seconds=5)
    done = trio.Event()

    async def on_peer(peer: Peer) -> None:
        await call_often(peer, 600)
        done.set()

    async with trio.open_nursery() as nursery:
        listen = partial(serve, failing(), "tcp://127.0.0.1:0", settings=settings, on_peer=on_peer)
        listeners = await nursery.start(listen)
        port = listeners[0].socket.getsockname()[1]
        async with open_peer(f"tcp://127.0.0.1:{port}", exports=failing(), settings=settings) as peer:
            await call_often(peer, 600)
            await done.wait()
        nursery.cancel_scope.cancel()


async def test_the_terminal_of_a_cancelled_call_waits_for_room_and_comes() -> None:
    exports = Exports()

    @exports.function("ns")
    async def hang() -> None:
        await trio.sleep_forever()

    @exports.function("ns")
    async def much() -> str:
        return "x" * 10_000_000

    async with serving(exports, settings=Settings(send_bytes=100)) as raw:
        await raw.send(cmd("h", "hang", "ns"), cmd("a", "much", "ns"), cmd("b", "much", "ns"))
        await trio.testing.wait_all_tasks_blocked()
        await raw.send(cancel("k", "h"))
        got = await raw.receive_many(8)
        assert error("h", "ContextCancelled") in got
        assert got.index(error("h", "ContextCancelled")) < got.index({"return": True, "cid": "k"})


async def test_a_function_that_returns_though_cancelled_has_ended_by_itself() -> None:
    exports = Exports()

    @exports.function("ns")
    async def commit() -> str:
        with trio.CancelScope(shield=True):
            await trio.sleep(1)
        return "receipt"

    @exports.function("ns")
    async def swallows() -> str:
        try:
            await trio.Event().wait()
        except trio.Cancelled:
            return "receipt"
        return ""

    async with serving(exports) as raw:
        for func in ("commit", "swallows"):
            await raw.send(cmd("c", func, "ns"))
            await raw.receive()
            await trio.testing.wait_all_tasks_blocked()
            await raw.send(cancel("k", "c"))
            got = await raw.receive_many(3)
            assert got[1:] == [{"return": "receipt", "cid": "c"}, {"return": True, "cid": "k"}]
