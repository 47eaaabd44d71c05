"""The one task that reads from a connection, and hands each event to the half of the peer that it concerns.

It waits for two things beside the stream: a consumer that is behind (`Gate`), and
another end that does not read our answers (`Writer.listened_to`).
"""

from __future__ import annotations

import logging
import math
from typing import TYPE_CHECKING, Any

import trio

from iptc_codec import (
    Ack,
    ConnectionLost,
    End,
    Event,
    Fail,
    Fatal,
    GoodbyeReceived,
    HelloReceived,
    Item,
    Items,
    Open,
    Reaction,
    Result,
    Sender,
    Started,
    Violation,
)

from ._calls import Call
from ._errors import Disconnected
from ._exports import Kind

if TYPE_CHECKING:
    from collections.abc import Callable

    from ._calls import Calls
    from ._endpoint import Endpoint
    from ._link import Link
    from ._serving import Serving

_log = logging.getLogger("iptc_codec.peer")


class Reader:
    """Reads until the connection ends, for whatever reason."""

    def __init__(
        self,
        link: Link,
        calls: Calls,
        serving: Serving,
        on_goodbye: Callable[[], None],
    ) -> None:
        self._link = link
        self._calls = calls
        self._called, self._served = calls.live.get, serving.live.get
        self._serving = serving
        self._on_goodbye = on_goodbye
        self.hello = trio.Event()
        self.scope = link.reading
        self._handlers: dict[type, Callable[[Any], None]] = {
            HelloReceived: self._hello,
            GoodbyeReceived: self._goodbye,
            Fatal: self._fatal,
            Violation: self._violation,
            Open: self._serving.opened,
            Ack: self._ack,
            Started: self._started,
            End: self._end,
            Result: self._result,
            Fail: self._fail,
        }

    async def run(self) -> str:
        """Read and dispatch. Returns why the connection is over."""
        self.scope.deadline = trio.current_time() + self._link.limits.hello_seconds
        try:
            with self.scope:
                await self._read()
        except Disconnected as end:
            return str(end)
        if self._link.fault is not None:
            return self._link.fault
        if not self.hello.is_set():
            return "the other end sent no hello in time (HSK-05r)"
        return "this end has closed the connection"

    async def _read(self) -> None:
        link, conn = self._link, self._link.conn
        writer, handlers = link.writer, self._handlers
        called, served, above = self._called, self._served, link.gate.above
        event: Event | Items | None = None
        end: Endpoint | None = None
        while data := await link.transport.read():
            for event in conn.batches(data):
                if type(event) is Items:  # most of what comes in large pieces
                    if end := served(event.cid) or called(event.cid):
                        taken = end.deliver_all(event.values, event.sizes)
                        if taken < len(event.values):
                            await self._deliver_rest(end, event.values[taken:], event.sizes[taken:])
                elif type(event) is Item:
                    if end := served(event.cid) or called(event.cid):
                        end.deliver(event.value, conn.body_bytes)
                        if above:
                            await link.gate.passage()
                else:
                    handlers[type(event)](event)
            if writer.behind and not await writer.listened_to():
                raise Disconnected("the other end asks and does not read the answers")
            writer.next_turn()
            data, event, end = b"", None, None  # an idle connection holds nothing
        inside = any(isinstance(event, ConnectionLost) and event.truncated for event in conn.receive_eof())
        raise Disconnected("the connection was lost" + (" inside a frame" if inside else ""))

    async def _deliver_rest(self, end: Endpoint, values: list[object], sizes: list[int]) -> None:
        """Deliver items of which the first is the one that reaches a mark, unless all are for nobody."""
        while values:
            end.deliver(values[0], sizes[0])
            if self._link.gate.shut:
                await self._link.gate.passage()
            taken = 1 + end.deliver_all(values[1:], sizes[1:])
            values, sizes = values[taken:], sizes[taken:]

    # The connection.

    def _hello(self, _event: HelloReceived) -> None:
        self.scope.deadline = math.inf
        self.hello.set()

    def _goodbye(self, _event: GoodbyeReceived) -> None:
        self._on_goodbye()

    def _fatal(self, event: Fatal) -> None:
        raise Disconnected(f"the other end failed: {event.error.type_str}")

    def _violation(self, violation: Violation) -> None:
        _log.debug("violation by the other end: %s", violation)
        if self._link.settings.on_violation is not None:
            try:
                self._link.settings.on_violation(violation)
            except Exception:  # noqa: BLE001 - the application's bug, at no cost to its connection
                _log.exception("on_violation has raised")
        if violation.reaction is Reaction.CLOSE:
            if self._link.settings.send_fatal:
                self._link.fatal(violation)
            raise Disconnected(f"the other end broke the protocol: {violation}")
        if violation.reaction is Reaction.FAIL_CALL and violation.cid is not None:
            call = self._calls.get(violation.cid)
            if call is not None:
                self._calls.violated(call, violation)
            elif violation.sender_role is Sender.CALLER:
                self._serving.violated(violation.cid, violation)

    # Messages of calls. Those of a call that was given up here are for nobody.

    def _ack(self, message: Ack) -> None:
        if call := self._called(message.cid):
            self._calls.acknowledged(call, message)

    def _started(self, message: Started) -> None:
        if call := self._called(message.cid):
            self._calls.started(call, message)

    def _end(self, message: End) -> None:
        if served := self._served(message.cid):
            served.wake()
        elif call := self._called(message.cid):
            if call.kind is Kind.ASYNCGEN:
                self._calls.ended(call, message)
            call.wake()

    def _result(self, message: Result) -> None:
        if call := self._called(message.cid):
            self._calls.ended(call, (message.value,))

    def _fail(self, message: Fail) -> None:
        served = self._served(message.cid)
        end = served or self._called(message.cid)
        if end is not None and message.is_overrun:
            end.overrun_notices += 1
        elif served is not None:
            served.cancel()
        elif isinstance(end, Call):
            self._calls.ended(end, message)
