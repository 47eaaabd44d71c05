"""Faults in holding items."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import trio

from faults.honest import Call, Callee, Conn
from iptc_conformance.wire import Classified, Event

if TYPE_CHECKING:
    from faults.honest.inbox import Inbox
    from iptc_conformance.wire import Message


class DropsInSilence(Callee):
    """It holds 64 items, and drops those of an overrun consumer without a notice."""

    held_items = 64

    async def overrun(self, call: Any) -> None:
        call.inbox.lost = False
        call.inbox.unwanted = True


class RingOfThousand(Callee):
    """It keeps the last thousand items and forgets the older ones."""

    async def hold(self, call: Any, value: Any, size: int) -> None:
        if len(call.inbox.items) >= 1000:
            call.inbox.items.popleft()
        await super().hold(call, value, size)


class NoticeInGenerator(Callee):
    """It answers a notice with a notice, in generators too."""

    async def deliver(self, call: Call, event: str, message: Message) -> None:
        await super().deliver(call, event, message)
        if event == "OVERRUN":
            await self.overrun(call)


class NoticeBeforeStarted(Callee):
    """It announces the bound of a context by a notice before STARTED."""

    async def acknowledge(self, call: Call) -> None:
        await super().acknowledge(call)
        if call.func == "ctx_collect":
            await self.overrun(call)


class NoticeIsFail(Callee):
    """It takes an OVERRUN of a caller for its FAIL."""

    async def deliver(self, call: Call, event: str, message: Message) -> None:
        if event == "OVERRUN":
            self.on_caller_fail(call)
        await super().deliver(call, event, message)


class NoticeEndsGenerator(Callee):
    """An OVERRUN ends a generator."""

    async def deliver(self, call: Call, event: str, message: Message) -> None:
        if event == "OVERRUN" and call.kind == "asyncgen":
            self.give_up(call, "StreamClosed")
        await super().deliver(call, event, message)


class EndCounts(Callee):
    """An END is dropped if sixteen items wait before it."""

    async def deliver(self, call: Call, event: str, message: Message) -> None:
        if event != "END" or len(call.inbox.items) < 16:
            await super().deliver(call, event, message)


class WaitsForEver(Callee):
    """It waits for a consumer that takes nothing, for ever."""

    stall_seconds = math.inf


class EveryItemWaits(Callee):
    """It waits a second for each item of a consumer that takes nothing."""

    async def hold(self, call: Any, value: Any, size: int) -> None:
        lost, call.inbox.lost = call.inbox.lost, False
        await super().hold(call, value, size)
        call.inbox.lost = call.inbox.lost or lost


class OneReader(Callee):
    """One task reads for all connections, and waits with an item until its consumer takes it."""

    async def on_frame(self, conn: Conn, got: Classified) -> None:
        self.stall_seconds = math.inf
        if got.event is Event.HELLO:
            await super().on_frame(conn, got)
            return
        async with self.notes.setdefault("reader", trio.Lock()):
            await super().on_frame(conn, got)


class HoldsSixteen(Callee):
    """It holds sixteen items."""

    async def hold(self, call: Any, value: Any, size: int) -> None:
        if len(call.inbox.items) >= 16 and not call.inbox.lost:
            call.inbox.lost = True
            await self.overrun(call)
        await super().hold(call, value, size)


class HoldsSixtyThree(Callee):
    """It holds 63 items."""

    def full(self, inbox: Inbox) -> bool:
        return len(inbox.items) >= 63


class HoldsLittle(Callee):
    """It holds 100 kilobytes of items."""

    def full(self, inbox: Inbox) -> bool:
        return super().full(inbox) or inbox.size >= 100_000


class DropsAtOnce(Callee):
    """It does not wait for a consumer before it drops items."""

    stall_seconds = 0.0
