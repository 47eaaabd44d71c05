"""The calling half of a peer: calls that this end has opened."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import trio

from iptc_codec import (
    CANCEL_FUNCTION,
    Command,
    Fail,
    HalfState,
    LocalProtocolError,
    Open,
    RemoteProtocolError,
    Started,
    State,
    Violation,
)

from ._endpoint import Endpoint, Outcome
from ._errors import CallKindError, Disconnected, TooManyCallsError
from ._exports import Kind
from ._link import Link, Phase

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

_TOO_MANY = "OPN-12s"
_TALKING, _ASYNCFUNC = Phase.TALKING, Kind.ASYNCFUNC  # to look one up costs 0.1 us


class Call(Endpoint):
    """The caller's end of one call."""

    own_half_open = frozenset({State.OPEN, State.CALLEE_STOPPED})
    other_half_shut = frozenset({State.CALLEE_STOPPED, State.BOTH_STOPPED})

    def __init__(self, link: Link, cid: str, kind: Kind, target: Call | None = None) -> None:
        super().__init__(link, cid, kind)
        self.kind = kind
        self.target = target
        self.cancel: Call | None = None
        self.first: tuple[object] | None = None
        """The value of its STARTED."""

    async def started(self) -> object:
        """Wait for the first value of a context. Raises how the call ended, if it ended before."""
        await trio.lowlevel.checkpoint_if_cancelled()
        while self.first is None:
            self.check()
            await self.wait()
        return self.first[0]

    async def result(self) -> object:
        """Wait for the terminal: the value of a RESULT; anything else raises."""
        if self.outcome is not None:
            await trio.lowlevel.checkpoint_if_cancelled()
        while self.outcome is None:
            await self.wait()
        if type(self.outcome) is tuple:
            return self.outcome[0]
        self.check()
        return None


class Calls:
    """The live calls that this end has opened on one connection."""

    def __init__(self, link: Link, uid: tuple[str, str]) -> None:
        self._link = link
        self._uid = uid
        self.live: dict[str, Call] = {}
        """By cid."""

    async def call(self, ns: str, func: str, kwargs: dict[str, object]) -> object:
        """Call an async function, as in an `opened` block; its value."""
        call = await self._begin(ns, func, kwargs, _ASYNCFUNC)
        try:
            return await call.result()
        finally:
            if call.outcome is None:
                await self._give_up(call)

    @asynccontextmanager
    async def opened(self, ns: str, func: str, kwargs: dict[str, object], kind: Kind) -> AsyncIterator[Call]:
        """Open a call, and see to it that it has ended, at both ends, when the block is left.

        Raises `Disconnected`, `TooManyCallsError`, and `LocalProtocolError` if the OPEN can't be encoded.
        """
        call = await self._begin(ns, func, kwargs, kind)
        try:
            yield call
        finally:
            call.inbox.leave()
            if call.outcome is None:
                await self._give_up(call)

    async def _begin(self, ns: str, func: str, kwargs: dict[str, object], kind: Kind) -> Call:
        if self._link.writer.full:
            await self._link.room()
        else:  # as `room` does then, with one coroutine less
            await trio.lowlevel.checkpoint_if_cancelled()
        if self._link.phase is not _TALKING:
            raise self._link.disconnected()
        try:
            return self._open(ns, func, kwargs, kind)
        except LocalProtocolError as error:
            if error.clause == _TOO_MANY:
                raise TooManyCallsError(f"{self._link.limits.open_calls} calls are open") from None
            raise

    def cancel(self, call: Call) -> None:
        """Send a CANCEL, if none was sent, without waiting for anything."""
        if call.cancel is not None or self._link.conn.local is not HalfState.TALKING:
            return
        try:
            call.cancel = self._open(*CANCEL_FUNCTION, {"cid": call.cid}, Kind.ASYNCFUNC, target=call)
        except LocalProtocolError as error:
            self._link.contain(error)

    async def cancel_all(self) -> None:
        """Cancel every live call and wait, for `cancel_seconds` at most, until all have ended."""
        for call in [call for call in self.live.values() if call.target is None]:
            call.inbox.leave()
            self.cancel(call)
        with trio.move_on_after(self._link.limits.cancel_seconds):
            while self.live:
                await next(iter(self.live.values())).wait()

    def fail_all(self, why: str) -> None:
        """The connection has ended: nothing that waits for a call waits any longer (DSC-04r)."""
        for call in list(self.live.values()):
            self.settle(call, Disconnected(why))

    # What the reader brings.

    def mistaken(self, call: Call, functype: str) -> None:
        """The kind is the callee's to say; as it is not the one that was called for, the call is given up."""
        self.settle(call, CallKindError(f"called as {call.kind.value}, but it is {functype}"))
        self.cancel(call)

    def started(self, call: Call, message: Started) -> None:
        """The first value of a context."""
        call.first = (message.value,)
        call.wake()

    def violated(self, call: Call, violation: Violation) -> None:
        """The callee broke the protocol in this call: it fails here, and the other end is told to let go."""
        self.settle(call, RemoteProtocolError(violation))
        if call.state is State.FAILED:
            self.cancel(call)

    def _open(
        self, ns: str, func: str, kwargs: dict[str, object], kind: Kind, target: Call | None = None
    ) -> Call:
        cid = self._link.conn.fresh_cid()
        self._link.post(Open(Command(ns, func, kwargs, self._uid, cid)), answer=target is not None)
        call = Call(self._link, cid, kind, target)
        self.live[cid] = call
        return call

    def settle(self, call: Call, outcome: Outcome) -> None:
        """End a call: by the callee's terminal, or by what became of it here. Only the first one counts."""
        if call.outcome is not None:
            return
        call.outcome = outcome
        self.live.pop(call.cid, None)
        call.wake()
        if call.target is not None and isinstance(outcome, tuple):
            # Real callees end a cancelled call by this answer alone (CXL-02r).
            self.settle(call.target, Fail.of("ContextCancelled", "", call.target.cid))

    async def _give_up(self, call: Call) -> None:
        with trio.move_on_after(self._link.limits.cancel_seconds, shield=True):
            if self._link.phase is not Phase.ENDED:
                self.cancel(call)
            while call.outcome is None:
                await call.wait()
        why = "the call was given up: its cancel was not answered in time"
        self.settle(call, Disconnected(why))
        if call.cancel is not None:  # nor is it waited for again when this end leaves
            self.settle(call.cancel, Disconnected(why))
