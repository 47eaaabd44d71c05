"""Over real loopback TCP: listening, resets, half-written frames, and the testee as a process."""

from __future__ import annotations

import os
import signal
import socket
import struct
import subprocess
import sys
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest
import trio
import trio.testing

from iptc_codec import Limits
from iptc_codec.peer import Disconnected, Exports, Peer, Settings, open_peer, serve
from iptc_codec.peer._serving import Serving
from iptc_codec.peer.testee import Fixture
from tests.peer.peer_support import NS, UID, Raw, cancel, cmd, error, frame

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

pytestmark = pytest.mark.usefixtures("real_clock")


@asynccontextmanager
async def listening(
    exports: Exports | None = None, *, limits: Limits | None = None, settings: Settings | None = None
) -> AsyncIterator[int]:
    """A serving peer on a free port."""
    async with trio.open_nursery() as nursery:

        async def run(task_status: trio.TaskStatus[list[trio.SocketListener]]) -> None:
            await serve(
                exports or Fixture().exports(),
                "tcp://127.0.0.1:0",
                limits=limits,
                settings=settings,
                task_status=task_status,
            )

        listeners: list[trio.SocketListener] = await nursery.start(run)
        yield listeners[0].socket.getsockname()[1]
        nursery.cancel_scope.cancel()


async def connect(port: int) -> Raw:
    """A raw end that has exchanged hellos."""
    raw = Raw(await trio.open_tcp_stream("127.0.0.1", port))
    await raw.send(UID)
    await raw.receive()
    return raw


async def fine(port: int) -> None:
    """A sane exchange on a fresh connection."""
    async with open_peer(f"tcp://127.0.0.1:{port}") as peer:
        assert await peer.call(NS, "echo", value="fine") == "fine"


async def test_every_kind_of_call() -> None:
    async with listening() as port, open_peer(f"tcp://127.0.0.1:{port}", uid=("a", "b")) as peer:
        assert peer.uid == ("a", "b")
        assert peer.remote_uid is not None
        assert await peer.call(NS, "echo", value=b"x" * 5_000_000) == b"x" * 5_000_000
        async with peer.stream(NS, "count", n=1000) as items:
            assert [item async for item in items] == [*range(1000)]
        async with peer.context(NS, "ctx_collect", first=1) as (ctx, first):
            assert first == 1
            async with ctx.stream() as stream:
                for i in range(500):
                    await stream.send(i)
            assert await ctx.result() == [*range(500)]


@pytest.mark.parametrize(
    "data",
    [
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"",
        b"\x20\x00",
        b"\x32\x00\x00\x00abc",
        frame(["x"]),
        frame(UID) + b"\x01\x00\x00\x00\xc1",
        frame(UID) + frame(5),
        frame(UID) + frame(cmd("c", "hang")) + b"\x10\x00\x00\x00\x81",
    ],
)
@pytest.mark.parametrize("how", ["close", "reset"])
async def test_hostile_connections_harm_no_other(data: bytes, how: str) -> None:
    async with listening() as port:
        sane = await connect(port)
        await sane.send(cmd("c", "ctx_collect", first=1))
        await sane.receive_many(2)
        hostile = await trio.open_tcp_stream("127.0.0.1", port)
        await hostile.send_all(data)
        if how == "reset":
            hostile.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        await hostile.aclose()
        await fine(port)
        await sane.send({"yield": 1, "cid": "c"}, {"stop": True, "cid": "c"})
        assert (await sane.answers("c"))[-1] == {"return": [1], "cid": "c"}
        await sane.stream.aclose()


async def test_a_reset_cancels_what_is_served_and_fails_what_is_called() -> None:
    fixture = Fixture()
    async with listening(fixture.exports()) as port:
        raw = await connect(port)
        await raw.send(cmd("c", "hang", tag="reset"))
        await raw.receive()
        assert isinstance(raw.stream, trio.SocketStream)
        raw.stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        await raw.stream.aclose()
        async with open_peer(f"tcp://127.0.0.1:{port}") as peer:
            while await peer.call(NS, "cancelled_tags") != ["reset"]:
                await trio.lowlevel.checkpoint()


async def test_no_frame_is_left_half_written_by_a_cancel() -> None:
    exports = Fixture().exports()

    @exports.function("ns")
    async def big() -> AsyncIterator[bytes]:
        while True:
            yield b"x" * 30_000_000

    async with listening(exports) as port:
        raw = await connect(port)
        await raw.send(cmd("c", "big", "ns"))
        assert await raw.receive() == {"functype": "asyncgen", "cid": "c"}
        await trio.testing.wait_all_tasks_blocked()  # the first item is on its way, and stuck: nobody reads
        await raw.send(cancel("k", "c"))
        got = [await raw.receive()]
        while got[-1] != {"return": True, "cid": "k"}:
            got.append(await raw.receive())
        assert {"yield": b"x" * 30_000_000, "cid": "c"} in got
        assert error("c", "ContextCancelled") in got
        assert await raw.barrier("b") == []
        await raw.stream.aclose()


async def test_leaving_a_peer_that_does_not_read() -> None:
    limits = Limits(cancel_seconds=0.2, goodbye_seconds=0.2)
    listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
    port = listeners[0].socket.getsockname()[1]
    async with trio.open_nursery() as nursery, listeners[0]:

        async def deaf() -> None:
            async with await listeners[0].accept() as stream:
                await stream.send_all(frame(UID))
                await trio.sleep_forever()

        nursery.start_soon(deaf)
        with trio.move_on_after(0.2) as scope:
            async with open_peer(f"tcp://127.0.0.1:{port}", limits=limits) as peer:
                await peer.call(NS, "echo", value=b"x" * 30_000_000)
        assert scope.cancelled_caught
        nursery.cancel_scope.cancel()


async def test_a_fault_of_our_own_costs_its_connection_alone(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def faulty(_serving: Serving, _cid: str, _violation: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(Serving, "violated", faulty)
    async with listening() as port:
        raw = await connect(port)
        await raw.send(cmd("c", "hang"), {"cmd": 5, "cid": "d"})
        await raw.rest()
        await fine(port)
        await raw.stream.aclose()
    assert "a fault at this end" in caplog.text


async def test_both_ends_call_each_other() -> None:
    back: list[object] = []

    async def on_peer(peer: Peer) -> None:
        back.append(await peer.call("client", "whoami"))

    exports = Exports()

    @exports.function("client")
    async def whoami() -> str:
        return "the client"

    async with trio.open_nursery() as nursery:

        async def run(task_status: trio.TaskStatus[list[trio.SocketListener]]) -> None:
            await serve(Fixture().exports(), "tcp://127.0.0.1:0", on_peer=on_peer, task_status=task_status)

        listeners: list[trio.SocketListener] = await nursery.start(run)
        port = listeners[0].socket.getsockname()[1]
        async with open_peer(f"tcp://127.0.0.1:{port}", exports=exports) as peer:
            assert await peer.call(NS, "echo", value=1) == 1
            while not back:
                await trio.lowlevel.checkpoint()
        assert back == ["the client"]
        nursery.cancel_scope.cancel()


async def test_stopping_to_serve_says_goodbye() -> None:
    async with trio.open_nursery() as nursery, listening() as port:
        raw = await connect(port)
        await raw.send(cmd("c", "hang"))
        await raw.receive()
        nursery.start_soon(goodbye_after, raw, error("c", "ContextCancelled"))
    await raw.stream.aclose()


async def goodbye_after(raw: Raw, last: object) -> None:
    """See the other end leave, and answer."""
    assert await raw.receive_many(2) == [last, None]
    await raw.send(None)
    assert await raw.rest() == []


@pytest.mark.parametrize("address", ["", "127.0.0.1:1", "tcp://", "tcp://host", "http://h:1", "tcp://h:1/x"])
async def test_addresses(address: str) -> None:
    with pytest.raises(ValueError, match="tcp://host:port"):
        async with open_peer(address):
            pass


async def test_nobody_listens() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        with pytest.raises(OSError, match="connect"):
            async with open_peer(f"tcp://127.0.0.1:{taken.getsockname()[1]}"):
                pass


async def test_a_server_that_is_no_peer() -> None:
    listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
    async with trio.open_nursery() as nursery, listeners[0]:

        async def web() -> None:
            async with await listeners[0].accept() as stream:
                await stream.send_all(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        nursery.start_soon(web)
        with pytest.raises(Disconnected):
            async with open_peer(f"tcp://127.0.0.1:{listeners[0].socket.getsockname()[1]}"):
                pass


# The testee as the suite starts it.


def free_port() -> int:
    """A port that nobody listens on at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


async def until_it_accepts(port: int) -> Raw:
    """A raw end, as soon as somebody listens."""
    while True:
        try:
            return await connect(port)
        except OSError:
            await trio.sleep(0.01)  # the process is starting; the test's bound ends this


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_the_testee_ends_cleanly(number: signal.Signals) -> None:
    port = free_port()
    command = [sys.executable, "-W", "error", "-m", "iptc_codec.peer.testee"]
    environment = {**os.environ, "IPTC_PORT": str(port)}
    async with trio.open_nursery() as nursery:

        async def run(task_status: trio.TaskStatus[trio.Process]) -> None:
            await trio.run_process(
                command, env=environment, check=False, capture_stderr=True, task_status=task_status
            )

        process: trio.Process = await nursery.start(run)
        raw = await until_it_accepts(port)
        await raw.send(cmd("c", "hang", tag="t"), cmd("d", "ctx_hang", first=1, tag="u"))
        await raw.receive_many(3)
        process.send_signal(number)
        got = []
        while (value := await raw.receive()) is not None:
            got.append(value)
        assert error("c", "ContextCancelled") in got
        assert error("d", "ContextCancelled") in got
        await raw.send(None)
        assert await process.wait() == 0
        await raw.stream.aclose()


async def test_the_testee_remembers_tags_over_connections() -> None:
    async with listening() as port:
        raw = await connect(port)
        await raw.send(cmd("c", "hang", tag="one"))
        await raw.receive()
        await raw.send(cancel("k", "c"))
        await raw.answers("k")
        await raw.stream.aclose()
        async with open_peer(f"tcp://127.0.0.1:{port}") as peer:
            assert await peer.call(NS, "cancelled_tags") == ["one"]


def test_the_codec_alone_does_not_bring_trio() -> None:
    done = subprocess.run(
        [sys.executable, "-c", "import iptc_codec, sys; sys.exit('trio' in sys.modules)"], timeout=60
    )
    assert done.returncode == 0
