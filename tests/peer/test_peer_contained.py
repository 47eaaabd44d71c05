"""What the codec will not let the peer say: it costs a call or a connection, never the application."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import pytest
import trio
import trio.testing

from iptc_codec import Result, Violation
from iptc_codec.peer import Exports, RemoteError, ServedContext, Settings, open_stream_peer, serve_stream
from iptc_codec.peer.testee import Fixture
from tests.peer.peer_support import UID, Raw, cancel, cmd, frame, pair, serving, stream_pair

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

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
async def test_whatever_follows_our_goodbye_the_block_is_left_in_peace(
    crossing: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    ours, theirs = stream_pair()
    raw = Raw(theirs)
    await raw.send(UID)

    async def other_end() -> None:
        assert (await raw.receive_many(2))[1] is None
        with suppress(trio.BrokenResourceError):  # a socket may be closed by then
            await raw.send_bytes(crossing)
            await raw.send(None)
        assert await raw.rest() == []

    async with trio.open_nursery() as nursery:
        nursery.start_soon(other_end)
        async with open_stream_peer(ours):
            pass
    assert not caplog.records  # the codec never had to refuse anything


# A served call.


async def test_a_served_stream_that_is_failed_costs_its_call_alone() -> None:
    exports = Exports()

    @exports.context("ns")
    async def fails(ctx: ServedContext) -> None:
        await ctx.started()
        async with ctx.stream() as stream:
            stream.fail(ValueError("no such thing"))  # type: ignore[attr-defined]

    @exports.function("ns")
    async def other() -> int:
        await trio.sleep(2)
        return 1

    async with pair(right=exports) as (peer, _other), trio.open_nursery() as nursery:

        async def unrelated() -> None:
            assert await peer.call("ns", "other") == 1

        nursery.start_soon(unrelated)
        with pytest.raises(RemoteError, match="AttributeError"):
            async with peer.context("ns", "fails") as (ctx, _first):
                await ctx.result()


async def test_a_terminal_that_the_codec_refuses_costs_its_connection_alone(
    caplog: pytest.LogCaptureFixture,
) -> None:
    exports = Exports()

    @exports.context("ns")
    async def says_two(ctx: ServedContext) -> None:
        await ctx.started()
        ctx._served.link.post(Result(1, ctx._served.cid), answer=False)

    async with pair(right=exports) as (peer, other):
        async with peer.context("ns", "says_two") as (ctx, _first):
            assert await ctx.result() == 1
        assert "TRM-0" in await other.closed()
    assert "refused" in caplog.text


# A writer that fails while reading goes on.


class WriteOnceBroken(trio.abc.Stream):
    """A stream that takes a number of bytes, and then fails to write; reading goes on."""

    def __init__(self, stream: trio.abc.Stream, takes: int) -> None:
        self._stream = stream
        self._left = takes

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        """Send, or fail."""
        self._left -= len(data)
        if self._left < 0:
            raise trio.BrokenResourceError
        await self._stream.send_all(data)

    async def wait_send_all_might_not_block(self) -> None:
        """Nobody asks."""
        raise AssertionError

    async def receive_some(self, max_bytes: int | None = None) -> bytes | bytearray:
        """Read on."""
        return await self._stream.receive_some(max_bytes)

    async def aclose(self) -> None:
        """Close."""
        await self._stream.aclose()


async def test_a_connection_that_cannot_be_written_to_is_over() -> None:
    exports = Exports()
    yielded = 0

    @exports.function("ns")
    async def numbers() -> AsyncIterator[bytes]:
        nonlocal yielded
        while True:
            yield b"x" * 1000
            yielded += 1

    ours, theirs = trio.testing.memory_stream_pair()  # a socket is closed with its writing half
    raw = Raw(ours)
    await raw.send(UID, cmd("c", "numbers", "ns"))
    before = trio.current_time()
    why = await serve_stream(WriteOnceBroken(theirs, 5000), exports)
    assert why == "the other end takes nothing any more"
    assert trio.current_time() <= before + 1
    assert yielded < 100
    assert await raw.rest()


# The application's own mistakes.


async def test_a_ring_of_contexts_is_walked_once() -> None:
    exports = Exports()

    @exports.function("ns")
    async def rings() -> None:
        try:
            await trio.sleep_forever()
        finally:
            one, two = ValueError("one"), ValueError("two")
            one.__context__, two.__context__ = two, one
            raise ExceptionGroup("clean-up", [one])

    async with serving(exports) as raw:
        await raw.send(cmd("c", "rings", "ns"))
        await raw.receive()
        await trio.testing.wait_all_tasks_blocked()
        await raw.send(cancel("k", "c"))
        assert (await raw.receive_many(3))[1]["error"]["type_str"] == "ExceptionGroup"


async def test_an_on_violation_that_raises_costs_nothing(caplog: pytest.LogCaptureFixture) -> None:
    def raises(_violation: Violation) -> None:
        raise ZeroDivisionError

    async with serving(settings=Settings(on_violation=raises)) as raw:
        await raw.send({"yield": 1, "cid": "c"}, {"functype": "asyncfunc", "cid": "c"})
        assert await raw.barrier("b") == []
    assert "on_violation" in caplog.text


@pytest.mark.parametrize(
    "asked",
    [
        cmd("c", "fail", message="secret"),
        cmd("c", "echo", wrong="secret"),
        cmd("c", "nope"),
        cmd("c", "f", "nope"),
        cmd("c", "unencodable", "ns"),
        cmd("c", "_cancel_task", "self", wrong="secret"),
        {"cmd": ["ns", "f", {}, ["who", "else"], "c"]},
    ],
)
async def test_what_is_to_stay_at_home_stays_there(asked: dict[str, object]) -> None:
    exports = Fixture().exports()

    @exports.function("ns")
    async def unencodable() -> object:
        return object()

    async with serving(exports, settings=Settings(send_tracebacks=False)) as raw:
        await raw.send(asked)
        assert (await raw.answers("c"))[-1]["error"]["tb_str"] == ""
        await raw.send(5)
        assert (await raw.rest())[-1]["error"] == {"tb_str": "", "type_str": "ProtocolError"}
