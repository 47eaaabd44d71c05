"""How long leaving takes, what ends with a connection, and what is refused before there is one."""

from __future__ import annotations

from functools import partial

import pytest
import trio
import trio.testing

from iptc_codec import Limits
from iptc_codec.peer import Exports, Peer, open_peer, open_stream_peer, serve, serve_stream
from iptc_codec.peer.testee import Fixture
from tests.peer.peer_support import NS, UID, Raw, cmd, error, stream_pair


async def test_a_peer_that_hangs_is_left_within_one_bound() -> None:
    ours, theirs = stream_pair()
    raw = Raw(theirs)
    await raw.send(UID)
    with trio.move_on_after(1):
        async with open_stream_peer(ours, limits=Limits(cancel_seconds=3, goodbye_seconds=2)) as peer:
            await peer.call(NS, "hang")
    assert trio.current_time() == pytest.approx(1 + 3 + 2, abs=1.1)


class SlowLink(trio.abc.Stream):
    """A stream that takes 20 KiB in a second."""

    def __init__(self, stream: trio.abc.Stream) -> None:
        self._stream = stream

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        """Send, slowly."""
        for start in range(0, len(data), 1024):
            await trio.sleep(0.05)
            await self._stream.send_all(data[start : start + 1024])

    async def wait_send_all_might_not_block(self) -> None:
        """Nobody asks."""
        raise AssertionError

    async def receive_some(self, max_bytes: int | None = None) -> bytes | bytearray:
        """Read at once."""
        return await self._stream.receive_some(max_bytes)

    async def aclose(self) -> None:
        """Close."""
        await self._stream.aclose()


async def test_terminals_and_goodbye_come_over_a_slow_link() -> None:
    ours, theirs = stream_pair()
    raw = Raw(ours)
    await raw.send(UID, cmd("e", "echo", value="x" * 60000), cmd("h", "hang"))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(serve_stream, SlowLink(theirs), Fixture().exports())
        await raw.receive_many(2)
        await raw.send(None)
        assert (await raw.rest())[-2:] == [error("h", "ContextCancelled"), None]


async def test_on_peer_ends_with_the_connection() -> None:
    async def on_peer(_peer: Peer) -> None:
        await trio.sleep_forever()

    ours, theirs = stream_pair()
    await ours.send_all(b"\x06\x00\x00\x00\x92\xa1r\xa2u1")
    await ours.aclose()
    before = trio.current_time()
    await serve_stream(theirs, Exports(), on_peer=on_peer)
    assert trio.current_time() <= before + 1


async def test_what_on_peer_raises_is_raised() -> None:
    async def on_peer(_peer: Peer) -> None:
        raise ZeroDivisionError

    ours, theirs = stream_pair()
    await Raw(ours).send(UID, None)
    with pytest.raises(ZeroDivisionError):
        await serve_stream(theirs, Exports(), on_peer=on_peer)


@pytest.mark.parametrize("uid", [("", "u"), ("n", ""), ("n", "\ud800"), ("n", 1), ("n",)])
async def test_a_uid_that_is_none_is_refused_before_anything_is_opened(uid: tuple[str, str]) -> None:
    ours, theirs = stream_pair()
    for opening in (
        open_peer("tcp://127.0.0.1:1", uid=uid),
        open_stream_peer(ours, uid=uid),
    ):
        with pytest.raises(ValueError, match="uid"):
            async with opening:
                raise AssertionError
    with pytest.raises(ValueError, match="uid"):
        await partial(serve, Exports(), "tcp://127.0.0.1:0", uid=uid)()
    await ours.send_all(b"untouched")
    assert await theirs.receive_some() == b"untouched"
