"""One end of one connection: glue between the frames, the wire and the conversation."""

from __future__ import annotations

import itertools
import secrets
from typing import Final

from msgspec import Struct

from . import _wire
from ._call_table import CallEvent, Reaction, State
from ._calls import OVER, Role
from ._connection_table import HALF_TABLE, HalfEvent, HalfState
from ._conversation import Conversation, Step
from ._errors import DecodeError, LocalProtocolError, UnencodableValueError, Violation
from ._events import ConnectionLost, Event, GoodbyeReceived, HelloReceived
from ._framing import Deframer, frame
from ._limits import Limits
from ._messages import Goodbye, Hello, Message, Open

_DEFAULT_LIMITS: Final = Limits()


class CallRecord(Struct, frozen=True):
    """A call as seen from here."""

    opened_by_us: bool
    state: State


class Connection:
    """A strict end of a connection, without socket, clock or task.

    `uid` is the name and uuid of this side. What `send` returns goes onto the stream, in that order; what
    comes from it goes into `receive`. The first message of a side is its `Hello` (HSK-01s).
    """

    def __init__(
        self, uid: tuple[str, str], role: Role = Role.INITIATOR, limits: Limits = _DEFAULT_LIMITS
    ) -> None:
        self.uid = uid
        self.role = role
        self.limits = limits
        self._said = Conversation(limits, seat=role)
        self._deframer = Deframer(limits)
        self._fault: Violation | None = None
        self._cid_prefix = secrets.token_hex(8)
        self._cid_numbers = itertools.count(1)

    @property
    def local(self) -> HalfState:
        """What we have sent so far."""
        return self._said.halves[self.role]

    @property
    def remote(self) -> HalfState:
        """What the other side has sent so far."""
        return self._said.halves[self.role.other]

    @property
    def remote_uid(self) -> tuple[str, str] | None:
        """Who the other side is, once its hello has come."""
        return self._said.uids.get(self.role.other)

    def fresh_cid(self) -> str:
        """A cid that no call of this connection has, and no stranger can guess (CID-07s)."""
        return f"{self._cid_prefix}-{next(self._cid_numbers)}"

    def call_state(self, cid: str) -> State:
        """Where a call stands; IDLE if there is none, or if it ended and has been forgotten."""
        return self._said.calls.state(cid)

    def live_calls(self) -> dict[str, CallRecord]:
        """The calls that have not ended, by cid. One that we opened has if it failed: nothing more is due."""
        return {
            call.cid: CallRecord(call.opener is self.role, call.state) for call in self._said.calls.live()
        }

    def send(self, message: Message) -> bytes:
        """Take a message onto the stream; returns its frame, which must then be sent, whole and in order.

        Raises `LocalProtocolError` if we may not send it, `UnencodableValueError` if it does not go into a
        frame. Nothing has changed then.
        """
        _wire.check(message)
        step = self._said.judge(self.role, message)
        if violation := step.violation or self._own_violation(message, step):
            raise LocalProtocolError(violation)
        body = _wire.write(message)
        if len(body) > self.limits.frame_bytes:
            detail = f"a body of {len(body)} bytes"
            raise UnencodableValueError(Violation("FRM-03s", Reaction.CLOSE, step.cid or None, detail))
        self._said.take(self.role, step, message)
        return frame(body)

    def _own_violation(self, message: Message, step: Step) -> Violation | None:
        """What an observer lets pass, as it may have been in flight, and we may not send: we know better."""
        clause = None
        if isinstance(message, Hello) and (message.name, message.uuid) != self.uid:
            clause = "HSK-01s"
        elif isinstance(message, Open) and self.remote is HalfState.LEFT:
            clause = "DSC-06s"
        elif step.cell and step.cell.crossed:
            clause = self._crossed_clause(step)
        return Violation(clause, Reaction.DROP, step.cid or None, type(message).__name__) if clause else None

    def _crossed_clause(self, step: Step) -> str:
        if step.cell is OVER:
            return "ERR-04r" if self.remote is HalfState.FAILING else "DSC-04r"
        return "ROB-01r" if self.call_state(step.cid) is State.FAILED else "TRM-03s"

    def receive(self, data: bytes | bytearray | memoryview) -> list[Event]:
        """Take the next bytes of the stream; returns what they amount to, in order, however they were split.

        Never raises for what the other side sends. After a violation with the reaction CLOSE, and after the
        end of the stream, nothing more is looked at.
        """
        events: list[Event] = []
        if self._fault or self.remote is HalfState.GONE:
            return events
        for body in self._deframer.feed(data):
            try:
                self._receive_message(_wire.decode(body), events)
            except DecodeError as error:
                self._receive_malformed(error, events)
            if self._fault:
                return events
        if self._deframer.refused:
            self._receive_malformed(self._deframer.refused, events)
        return events

    def receive_eof(self) -> list[Event]:
        """Take the end of the other side's stream, orderly or not."""
        if self.remote is HalfState.GONE:
            return []
        self._said.move_half(self.role.other, HALF_TABLE[self.remote, HalfEvent.EOF])
        return [ConnectionLost(truncated=self._deframer.inside_frame and not self._fault)]

    def _receive_message(self, message: Message, events: list[Event]) -> None:
        them = self.role.other
        step = self._said.judge(them, message)
        self._said.take(them, step, message)
        if step.takes_effect and not self._too_late(step):
            events.append(_event(message))
        self._report(step, events)

    def _receive_malformed(self, error: DecodeError, events: list[Event]) -> None:
        them = self.role.other
        step = self._said.judge_malformed(them, error)
        self._said.take(them, step)
        self._report(step, events)

    def _report(self, step: Step, events: list[Event]) -> None:
        if step.violation and not self._too_late(step):
            events.append(step.violation)
            if step.violation.reaction is Reaction.CLOSE:
                self._fault = step.violation

    def _too_late(self, step: Step) -> bool:
        # An OPEN, broken or not, that our GOODBYE has crossed: nobody answers it, and its sender knows
        # (DSC-02s). One that the table itself refuses, as it closes the connection, is still told.
        opens = step.event is CallEvent.OPEN and step.cell is not None and step.cell.legal
        return opens and self.local is HalfState.LEFT


def _event(message: Message) -> Event:
    if isinstance(message, Hello):
        return HelloReceived((message.name, message.uuid), message.extra)
    if isinstance(message, Goodbye):
        return GoodbyeReceived()
    return message
