"""What the codec will not let the peer say: it costs a call or a connection, never the application."""

from __future__ import annotations

import pytest
import trio
import trio.testing

from iptc_codec.peer import open_stream_peer
from tests.peer.peer_support import UID, Raw, cmd, frame

# After our own GOODBYE.


@pytest.mark.parametrize(
    "crossing",
    [
        pytest.param(frame(5), id="no message"),
        pytest.param(b"\x01\x00\x00\x00\xc1", id="no msgpack"),
        pytest.param(frame({"cmd": ["ns", "f", {}, ["who", "else"], "x"]}), id="OPEN of a stranger"),
        pytest.param(frame({"cmd": ["ns", "f", 5, UID, "x"]}), id="malformed OPEN"),
        pytest.param(frame(cmd("x", "echo", value=1)), id="OPEN"),
        pytest.param(frame({"yield": 1, "cid": "x"}), id="ITEM of no call"),
        pytest.param(frame(UID), id="second HELLO"),
    ],
)
async def test_whatever_follows_our_goodbye_the_block_is_left_in_peace(crossing: bytes) -> None:
    ours, theirs = trio.testing.memory_stream_pair()
    raw = Raw(theirs)
    await raw.send(UID)

    async def other_end() -> None:
        assert (await raw.receive_many(2))[1] is None
        await raw.send_bytes(crossing)
        await raw.send(None)
        assert await raw.rest() == []

    async with trio.open_nursery() as nursery:
        nursery.start_soon(other_end)
        async with open_stream_peer(ours):
            pass
