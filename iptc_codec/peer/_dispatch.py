"""What comes from the other end, handed to the half of the peer that it concerns, by its kind."""

from __future__ import annotations

import logging
import math
from typing import TYPE_CHECKING, Any

import trio

from iptc_codec import (
    Ack,
    End,
    Fail,
    Fatal,
    GoodbyeReceived,
    HelloReceived,
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
    from ._link import Link
    from ._serving import Serving

_log = logging.getLogger("iptc_codec.peer")


class Dispatch:
    """The handlers of all events but items. None of them waits."""

    def __init__(self, link: Link, calls: Calls, serving: Serving, on_goodbye: Callable[[], None]) -> None:
        self._link = link
        self._calls = calls
        self._called, self._served = calls.live.get, serving.live.get
        self._serving = serving
        self._on_goodbye = on_goodbye
        self.greeted = trio.Event()
        self.handlers: dict[type, Callable[[Any], None]] = {
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
        """By the type of the event. They raise `Disconnected` where the connection ends."""

    # The connection.

    def _hello(self, _event: HelloReceived) -> None:
        self._link.reading.scope.deadline = math.inf
        self.greeted.set()

    def _goodbye(self, _event: GoodbyeReceived) -> None:
        self._on_goodbye()

    def _fatal(self, event: Fatal) -> None:
        raise Disconnected(f"the other end failed: {event.error.type_str}")

    def _violation(self, violation: Violation) -> None:
        _log.debug("violation by the other end: %s", violation)
        if self._link.settings.on_violation is not None:
            try:
                self._link.context.copy().run(self._link.settings.on_violation, violation)
            except Exception:  # noqa: BLE001 - the application's bug, at no cost to its connection
                _log.exception("on_violation has raised")
        if violation.reaction is Reaction.CLOSE:
            if self._link.settings.send_fatal:
                self._link.fatal(violation)
            raise Disconnected(f"the other end broke the protocol: {violation}")
        if violation.reaction is Reaction.FAIL_CALL and violation.cid is not None:
            call = self._called(violation.cid)
            if call is not None:
                self._calls.violated(call, violation)
            elif violation.sender_role is Sender.CALLER:
                self._serving.violated(violation.cid, violation)

    # Messages of calls. Those of a call that was given up here are for nobody.

    def _ack(self, message: Ack) -> None:
        call = self._called(message.cid)
        if call and call.kind != message.functype:
            self._calls.mistaken(call, message.functype)

    def _started(self, message: Started) -> None:
        if call := self._called(message.cid):
            self._calls.started(call, message)

    def _end(self, message: End) -> None:
        if served := self._served(message.cid):
            served.wake()
        elif call := self._called(message.cid):
            if call.kind is Kind.ASYNCGEN:
                self._calls.settle(call, message)
            call.wake()

    def _result(self, message: Result) -> None:
        if call := self._called(message.cid):
            self._calls.settle(call, (message.value,))

    def _fail(self, message: Fail) -> None:
        served = self._served(message.cid)
        end = served or self._called(message.cid)
        if end is not None and message.is_overrun:
            end.overrun_notices += 1
        elif served is not None:
            served.cancel()
        elif isinstance(end, Call):
            self._calls.settle(end, message)
