"""Where connections come from: TCP, or any stream of trio's."""

from __future__ import annotations

import logging
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from urllib.parse import urlsplit

import trio

from iptc_codec import Connection, Hello, Limits, LocalProtocolError, Role

from ._errors import Disconnected
from ._exports import Exports
from ._peer import Peer, fresh_uid
from ._settings import Settings

_log = logging.getLogger("iptc_codec.peer")
OnPeer = Callable[[Peer], Awaitable[object]]


def parse_address(address: str) -> tuple[str, int]:
    """Host and port of `tcp://host:port`. Raises `ValueError`."""
    parts = urlsplit(address)
    if parts.scheme != "tcp" or not parts.hostname or parts.port is None or parts.path not in {"", "/"}:
        raise ValueError(f"{address!r} is not of the form tcp://host:port")
    return parts.hostname, parts.port


def check_uid(uid: tuple[str, str] | None) -> None:
    """Raise `ValueError` if no hello can say this uid (HSK-01s)."""
    if uid is not None:
        try:
            Connection(uid).send(Hello(*uid))
        except (LocalProtocolError, TypeError) as error:
            raise ValueError(f"{uid!r} is no uid: {error}") from None


@contextmanager
def _one_error() -> Iterator[None]:
    """Around a nursery that is ours, not the application's: it shall see what its own block has raised."""
    alone: BaseException | None = None
    try:
        yield
    except BaseExceptionGroup as group:
        if len(group.exceptions) > 1:
            raise
        alone = group.exceptions[0]
    if alone is not None:
        raise alone


@asynccontextmanager
async def open_peer(
    address: str,
    *,
    uid: tuple[str, str] | None = None,
    exports: Exports | None = None,
    limits: Limits | None = None,
    settings: Settings | None = None,
) -> AsyncIterator[Peer]:
    """Connect to `tcp://host:port`. The block gets the peer once both hellos are exchanged.

    On leaving, calls in both directions are cancelled and GOODBYE is exchanged. However the other end
    behaves, that takes `cancel_seconds` and `goodbye_seconds` at most, and a second to close. Functions that
    are served here are waited for without a bound: their clean-up is this end's own.
    `uid` is fresh by default: two connections under one uid confuse real callees.
    Raises `OSError` if nobody listens, `Disconnected` if the other end is no peer, `ValueError` for an
    address or a uid that is none.
    """
    host, port = parse_address(address)
    check_uid(uid)
    stream = await trio.open_tcp_stream(host, port)
    async with open_stream_peer(stream, uid=uid, exports=exports, limits=limits, settings=settings) as peer:
        yield peer


@asynccontextmanager
async def open_stream_peer(
    stream: trio.abc.Stream,
    *,
    role: Role = Role.INITIATOR,
    uid: tuple[str, str] | None = None,
    exports: Exports | None = None,
    limits: Limits | None = None,
    settings: Settings | None = None,
) -> AsyncIterator[Peer]:
    """Be a peer over a stream that is already connected; it is closed at the end.

    Raises as `open_peer` does. For a `ValueError` the stream is untouched.
    """
    check_uid(uid)
    peer = Peer(
        stream, role, uid or fresh_uid(), exports or Exports(), limits or Limits(), settings or Settings()
    )
    with _one_error():
        async with trio.open_nursery() as nursery:
            nursery.start_soon(peer.run, name=f"<peer {role.value}>")
            try:
                await peer.greeted()
                yield peer
            finally:
                with trio.CancelScope(shield=True):
                    await peer.leave()


async def serve_stream(
    stream: trio.abc.Stream,
    exports: Exports,
    *,
    uid: tuple[str, str] | None = None,
    limits: Limits | None = None,
    settings: Settings | None = None,
    on_peer: OnPeer | None = None,
) -> str:
    """Serve one connection until it ends; why it did.

    `on_peer` may call the other end meanwhile. It runs beside the connection: it may return early, and it is
    cancelled when the connection has ended.

    Raises `Disconnected` if there was no hello, and what `on_peer` raises; the connection is left then.
    """
    async with open_stream_peer(
        stream, role=Role.ACCEPTOR, uid=uid, exports=exports, limits=limits, settings=settings
    ) as peer:
        if on_peer is None:
            return await peer.closed()
        with _one_error():
            async with trio.open_nursery() as nursery:
                nursery.start_soon(on_peer, peer)
                why = await peer.closed()
                nursery.cancel_scope.cancel()
        return why


async def serve(
    exports: Exports,
    address: str,
    *,
    uid: tuple[str, str] | None = None,
    limits: Limits | None = None,
    settings: Settings | None = None,
    on_peer: OnPeer | None = None,
    task_status: trio.TaskStatus[list[trio.SocketListener]] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Listen on `tcp://host:port` and serve every connection, for ever.

    Started with `nursery.start` it returns the listeners once they listen; port 0 takes a free one. Whatever
    a connection does, or a bug in this peer, costs that connection alone (ROB-01r). `on_peer` as in
    `serve_stream`. Raises `OSError`, and `ValueError` for an address or a uid that is none.
    """
    host, port = parse_address(address)
    check_uid(uid)
    own = uid or fresh_uid(f"iptc-{os.getpid()}")

    async def connection(stream: trio.SocketStream) -> None:
        try:
            await serve_stream(stream, exports, uid=own, limits=limits, settings=settings, on_peer=on_peer)
        except Disconnected as end:
            _log.debug("connection closed: %s", end)
        except Exception:  # noqa: BLE001 - logged, and contained: other connections live on
            _log.exception("a connection was closed for a fault at this end")

    await trio.serve_listeners(
        connection, await trio.open_tcp_listeners(port, host=host), task_status=task_status
    )
