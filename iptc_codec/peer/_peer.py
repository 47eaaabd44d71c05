"""One end of one connection."""

from __future__ import annotations

import contextvars
import math
import uuid
from contextlib import asynccontextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

import trio

from iptc_codec import Connection, Goodbye, Hello, Limits, Role

from ._calls import Calls
from ._contexts import Context
from ._dispatch import Dispatch
from ._duplex import Duplex
from ._exports import Exports, Kind
from ._link import Link, Phase
from ._reader import Reader
from ._serving import Serving
from ._streams import ItemStream

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from ._settings import Settings

_FLUSH_SECONDS = 1.0
"""How long a broken connection is kept open for what is still unwritten, or still unread."""

_current: ContextVar[Peer] = ContextVar("iptc_peer")


def current_peer() -> Peer:
    """The peer for which this task serves a call. Raises `LookupError` anywhere else."""
    return _current.get()


def fresh_uid(name: str = "iptc") -> tuple[str, str]:
    """A uid that no other connection has (HSK-06s)."""
    return name, uuid.uuid4().hex


class Peer:
    """Both halves of one end: it calls what the other end exports, and serves what it exports itself.

    Made by `open_peer`, `open_stream_peer` and `serve`, never by hand.
    """

    def __init__(
        self,
        stream: trio.abc.Stream,
        role: Role,
        uid: tuple[str, str],
        exports: Exports,
        limits: Limits,
        settings: Settings,
    ) -> None:
        self.uid = uid
        self._stream = stream
        self._link = Link(stream, Connection(uid, role=role, limits=limits), limits, settings)
        self._calls = Calls(self._link, uid)
        self._serving = Serving(self._link, exports)
        dispatch = Dispatch(self._link, self._calls, self._serving, self._on_goodbye)
        self._greeted = dispatch.greeted
        self._reader = Reader(self._link, self._calls, self._serving, dispatch, self._end)
        self._left = trio.Event()
        self._left_by = -math.inf
        self._ended = trio.Event()
        self._link.post(Hello(*uid), answer=False)

    @property
    def remote_uid(self) -> tuple[str, str] | None:
        """Name and uuid as the other end's hello says; nobody vouches for them."""
        return self._link.conn.remote_uid

    async def call(self, ns: str, func: str, /, **kwargs: object) -> object:
        """Call an async function; its value.

        Raises `RemoteError` if it failed or was refused, `CallKindError` if it is no such function,
        `Disconnected`, `TooManyCallsError`, `RemoteProtocolError`, and `LocalProtocolError` if the kwargs
        can't be encoded. Cancelled, it cancels the remote task and waits, for `cancel_seconds` at most, until
        that has ended. So do all others.
        """
        return await self._calls.call(ns, func, kwargs)

    @asynccontextmanager
    async def stream(self, ns: str, func: str, /, **kwargs: object) -> AsyncIterator[ItemStream]:
        """Call an async generator function and iterate over it. Leaving the block closes the generator.

        An error that arrives while the block runs is raised by the next use of the stream that reaches it, or
        else where the block is left without one. One that arrives later is nobody's.
        """
        async with self._calls.opened(ns, func, kwargs, Kind.ASYNCGEN) as call:
            try:
                yield ItemStream(call)
            finally:
                call.close()
            call.check_unseen()

    @asynccontextmanager
    async def context(self, ns: str, func: str, /, **kwargs: object) -> AsyncIterator[tuple[Context, object]]:
        """Call a context function; the block gets the context and the first value.

        Leaving the block cancels the function if it still runs. An error that arrives while the block runs
        interrupts nothing: it is raised by the next use of the context or of its stream, or else where the
        block is left without one.
        """
        async with self._calls.opened(ns, func, kwargs, Kind.CONTEXT) as call:
            first = await call.started()
            yield Context(call), first
            call.check_unseen()

    @asynccontextmanager
    async def duplex(self, ns: str, func: str, /, **kwargs: object) -> AsyncIterator[Duplex]:
        """Call an async generator function exported as duplex; the block gets an object with `asend`."""
        async with self.context(ns, func, **kwargs) as (ctx, _first), ctx.stream() as stream:
            duplex = Duplex(ctx, stream)
            yield duplex
            await duplex.aclose()

    async def closed(self) -> str:
        """Wait until the connection has ended; why it did."""
        await self._ended.wait()
        return self._link.why

    # How it runs.

    async def run(self) -> None:
        """Run until the connection has ended and every task that was served is done.

        Shielded: calls are cancelled one by one, so that each still gets its terminal.
        """
        with trio.CancelScope(shield=True):
            async with trio.open_nursery() as nursery:
                try:
                    _current.set(self)
                    self._link.context = contextvars.copy_context()
                    self._serving.workers.open(nursery, self._link.context)
                    nursery.start_soon(self._write)
                    self._end(await self._reader.run())
                    with trio.move_on_at(max(self._left_by, trio.current_time() + _FLUSH_SECONDS)):
                        await self._link.writer.flushed()
                finally:
                    # In here: what is served may wait for this, shielded.
                    self._end("the peer itself has failed")
                    self._link.writer.stop()
                    await trio.aclose_forcefully(self._stream)

    async def _write(self) -> None:
        await self._link.writer.run()
        # It is over as by EOF. What has arrived before may still be taken, for a moment.
        with trio.move_on_after(_FLUSH_SECONDS):
            await self._ended.wait()
        self._link.break_off("the other end takes nothing any more")

    def _end(self, why: str) -> None:
        if self._link.phase is not Phase.ENDED:
            leaving = self._link.phase is Phase.LEAVING
            self._link.move(Phase.ENDED, self._link.why if leaving else why)
            self._calls.fail_all(self._link.why)
            self._serving.cancel_all()
            self._serving.workers.close()
            self._ended.set()

    async def greeted(self) -> None:
        """Wait for the other end's hello. Raises `Disconnected` if the connection ends before."""
        await _first_of(self._greeted, self._ended)
        if not self._greeted.is_set():
            raise self._link.disconnected()

    async def leave(self) -> None:
        """Cancel what runs in either direction, exchange GOODBYE, close.

        Waits `cancel_seconds` for our calls and `goodbye_seconds` for all the rest, written bytes included;
        but for the tasks that are served here, which are ours, until they have ended.
        """
        if self._link.phase is Phase.TALKING:
            self._link.move(Phase.LEAVING, "this end has left")
            self._serving.cancel_all()
            await self._calls.cancel_all()
            self._calls.fail_all(self._link.why)
            self._left_by = trio.current_time() + self._link.limits.goodbye_seconds
            with trio.move_on_at(self._left_by) as waiting:
                await self._serving.idle()
            # While a served task is still busy no GOODBYE may be sent: the connection just closes (DSC-02s).
            if not waiting.cancelled_caught:
                self._link.say(Goodbye(), answer=False)
                if self._greeted.is_set():
                    with trio.move_on_at(self._left_by):
                        await _first_of(self._left, self._ended)
            self._link.reading.scope.cancel()
        await self._ended.wait()

    def _on_goodbye(self) -> None:
        """The other end leaves: its calls get their terminals, ours get nothing any more (DSC-02r)."""
        why = "the other end has left"
        self._left.set()
        self._calls.fail_all(why)
        self._serving.cancel_all()
        if self._link.phase is Phase.TALKING:
            self._link.move(Phase.LEAVING, why)
            self._serving.workers.nursery.start_soon(self._answer_goodbye)

    async def _answer_goodbye(self) -> None:
        await self._serving.idle()
        self._link.say(Goodbye(), answer=False)
        # The other end waits that long, however slow the way to it is.
        self._left_by = trio.current_time() + self._link.limits.goodbye_seconds
        self._link.reading.scope.cancel()


async def _first_of(*events: trio.Event) -> None:
    async with trio.open_nursery() as nursery:
        for event in events:
            nursery.start_soon(_then_cancel, event, nursery.cancel_scope)


async def _then_cancel(event: trio.Event, scope: trio.CancelScope) -> None:
    await event.wait()
    scope.cancel()
