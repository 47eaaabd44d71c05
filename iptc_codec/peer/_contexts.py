"""Contexts: a first value, a stream in both directions, a result; the caller's view and the callee's."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from iptc_codec import Started, State

from ._streams import CallerStream, ContextStream

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from ._calls import Call
    from ._serving import Served


class Context:
    """The caller's end of a context, between its STARTED and the end of its block."""

    def __init__(self, call: Call) -> None:
        self._call = call
        self._stream: CallerStream | None = None

    @asynccontextmanager
    async def stream(self) -> AsyncIterator[CallerStream]:
        """Open the stream, once. Leaving ends our half; the call goes on, to its result."""
        if self._stream is not None:
            raise RuntimeError("a context has one stream")
        self._stream = CallerStream(self._call)
        try:
            yield self._stream
        finally:
            self._stream.close()

    @property
    def ended(self) -> bool:
        """Whether the call is over; then `result` does not wait."""
        return self._call.outcome is not None

    async def result(self) -> object:
        """What the remote function returns. Raises `RemoteError`, `Disconnected`, `RemoteProtocolError`."""
        return await self._call.result()


class ServedContext:
    """The callee's end of a context: the first argument of its function."""

    def __init__(self, served: Served) -> None:
        self._served = served
        self._stream: ContextStream | None = None

    async def started(self, value: object = None) -> None:
        """Send the first value, once.

        Raises `RuntimeError` the second time and after the end of the call, `UnencodableValueError`.
        """
        await self._served.link.room()
        if self._served.outcome is not None:
            raise RuntimeError("the call is over")
        if self._served.state is not State.STARTING:
            raise RuntimeError("a context starts once")
        self._served.link.post(Started(value, self._served.cid), answer=False)

    @asynccontextmanager
    async def stream(self) -> AsyncIterator[ContextStream]:
        """Open the stream, once, after `started`. Leaving ends our half."""
        if self._stream is not None:
            raise RuntimeError("a context has one stream")
        if self._served.outcome is not None:
            raise RuntimeError("the call is over")
        if self._served.state is State.STARTING:
            raise RuntimeError("a context has a stream only after it has started")
        self._stream = ContextStream(self._served)
        try:
            yield self._stream
        except BaseException:
            self._served.close()
            raise
        self._stream.close()

    def end_stream(self) -> None:
        """Before a result: END, if the stream was used (STR-07s)."""
        if self._stream is not None:
            self._stream.end()
