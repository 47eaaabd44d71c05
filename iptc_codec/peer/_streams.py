"""Streams as an application sees them. They live only inside `async with` (PEP 533)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import trio

from iptc_codec import End

from ._flow import NOTHING
from ._report import failure

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from ._endpoint import Endpoint


class ItemStream:
    """The items of a call, one after the other.

    Iterating raises `RemoteError` if the function failed, `StreamOverrunError` if items were lost,
    `Disconnected`, and `RemoteProtocolError` if the callee broke the protocol; always after the items that
    came before.
    """

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._inbox = endpoint.inbox
        self._above = endpoint.link.gate.above

    def __aiter__(self) -> ItemStream:
        return self

    async def __anext__(self) -> object:
        if hand := self._inbox.hand:  # inline, for speed
            item = hand.pop()
            if self._above:
                self._inbox.taken()
            return item
        try:
            return await self.receive()
        except trio.EndOfChannel:
            raise StopAsyncIteration from None

    async def receive(self) -> object:
        """The next item. Raises `trio.EndOfChannel` after the last one.

        Raises `trio.ClosedResourceError` once the block was left.
        """
        if (item := self._inbox.take_now()) is not NOTHING:
            return item
        return await self._endpoint.receive()

    def batches(self) -> AsyncIterator[list[object]]:
        """Iterate over the items in lists of those that have come together; faster where many do.

        Ends and raises as iterating over single items does.
        """
        return _Batches(self._endpoint)


class _Batches:
    """The items of a call, in lists of those that have come together."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint

    def __aiter__(self) -> _Batches:
        return self

    async def __anext__(self) -> list[object]:
        try:
            return await self._endpoint.receive_batch()
        except trio.EndOfChannel:
            raise StopAsyncIteration from None


class ContextStream(ItemStream):
    """Both directions of a context. On leaving its block our half is ended and what still comes is let go."""

    @property
    def overrun_notices(self) -> int:
        """How many notices have come that the other end dropped items of ours (FLW-04r)."""
        return self._endpoint.overrun_notices

    async def send(self, value: object) -> None:
        """Send an item.

        Waits while too much is unwritten. Raises `trio.ClosedResourceError` after `end` and after the end of
        the call, `UnencodableValueError`, `Disconnected`; at the caller also `RemoteError` if the call has
        failed.
        """
        if not self._endpoint.send_now(value):
            await self._endpoint.send(value)

    def end(self) -> None:
        """Say that no item follows; reading goes on (STR-08r). Does nothing the second time."""
        if self._endpoint.can_send:
            self._endpoint.link.post(End.of(self._endpoint.cid), answer=False)

    def close(self) -> None:
        """End our half, and read no more."""
        self.end()
        self._endpoint.close()


class CallerStream(ContextStream):
    """The caller's stream of a context. A callee fails its call by raising; a caller has to say it."""

    def fail(self, error: BaseException) -> None:
        """End our half for an error; the other end is asked to give the call up (ERR-07r)."""
        end = self._endpoint
        if end.can_send:
            end.link.post(failure(error, end.cid, end.link.settings), answer=False)
            end.seen = True
