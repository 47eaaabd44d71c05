"""Whether a testee takes connections is asked without harm: its connection ends, and is never reset."""

from __future__ import annotations

from typing import TYPE_CHECKING

import trio

from iptc_conformance.driving.callee.testee import accepts
from iptc_conformance.driving.streams import Address

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

BOUND = 30


def asked(serve: Callable[[trio.SocketStream], Awaitable[None]]) -> bool | None:
    """What `accepts` says of a server, which has to come to its end by itself."""

    async def run() -> bool | None:
        listener = (await trio.open_tcp_listeners(0, host="127.0.0.1"))[0]
        with trio.fail_after(BOUND):
            async with listener, trio.open_nursery() as nursery:

                async def server() -> None:
                    async with await listener.accept() as stream:
                        await serve(stream)

                nursery.start_soon(server)
                return await accepts(Address("127.0.0.1", listener.socket.getsockname()[1]))

    return trio.run(run)


def test_one_that_greets_at_once_sees_an_end() -> None:
    seen: list[bytes | bytearray] = []

    async def serve(stream: trio.SocketStream) -> None:
        await stream.send_all(b"hello")
        seen.append(await stream.receive_some())
        for _ in range(3):  # after a reset the second of these would fail
            await stream.send_all(b"more")

    assert asked(serve) is True
    assert seen == [b""]


def test_one_that_does_not_end_its_side_is_left() -> None:
    async def serve(stream: trio.SocketStream) -> None:
        assert await stream.receive_some() == b""
        try:
            while True:
                await stream.send_all(b"more")
                await trio.sleep(0.01)
        except trio.BrokenResourceError:
            return

    assert asked(serve) is True


def test_where_nothing_listens() -> None:
    async def run() -> bool | None:
        async with (await trio.open_tcp_listeners(0, host="127.0.0.1"))[0] as listener:
            port: int = listener.socket.getsockname()[1]
        return await accepts(Address("127.0.0.1", port))

    assert trio.run(run) is False
