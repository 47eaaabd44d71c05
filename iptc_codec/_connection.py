"""One end of one connection: glue between the frames, the wire and the conversation."""

from __future__ import annotations

import itertools
import secrets
from struct import Struct
from typing import TYPE_CHECKING, Any, Final

import msgspec

from . import _wire
from ._call_table import CallEvent, Reaction, State
from ._calls import OVER
from ._connection_table import HALF_TABLE, HalfEvent, HalfState
from ._conversation import Conversation, Step
from ._errors import DecodeError, LocalProtocolError, UnencodableValueError, Violation
from ._events import ConnectionLost, Event, GoodbyeReceived, HelloReceived, Items
from ._framing import HEADER_BYTES, Deframer
from ._limits import Limits
from ._messages import Goodbye, Hello, Item, Message, Open
from ._places import Role
from ._readers import (
    AT_ONCE,
    COMMAND,
    ERROR,
    ITEM,
    NOT_TAKEN,
    OF_ERROR,
    OF_STOP,
    ONE_ENTRY,
    STOP,
    TRUE,
    TWO_ENTRIES,
    read_end,
    read_fail,
    read_open,
)
from ._runs import LEAST, MOST, SMALL, items_that_follow, peek
from ._writers import WRITERS

if TYPE_CHECKING:
    from collections.abc import Iterator

_TALKING, _LEFT, _GONE = HalfState.TALKING, HalfState.LEFT, HalfState.GONE  # to look one up costs 0.1 us
_LENGTH: Final = Struct("<I").pack

_DEFAULT_LIMITS: Final = Limits()


class CallRecord(msgspec.Struct, frozen=True):
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
        self._other = role.other
        self.limits = limits
        self._frame_bytes = limits.frame_bytes
        self._said = Conversation(limits, seat=role)
        self._halves = self._said.halves
        self._call, self._move_to = self._said.calls.get, self._said.calls.move_to
        self._deframer = Deframer(limits)
        self._fault: Violation | None = None
        self._cid_prefix = secrets.token_hex(8)
        self._cid_numbers = itertools.count(1)
        self.body_bytes = 0

    @property
    def local(self) -> HalfState:
        """What we have sent so far."""
        return self._halves[self.role]

    @property
    def remote(self) -> HalfState:
        """What the other side has sent so far."""
        return self._halves[self._other]

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
            cid: CallRecord(place.opener is self.role, place.state) for cid, place in self._said.calls.live()
        }

    def send(self, message: Message) -> bytes:
        """Take a message onto the stream; returns its frame, which must then be sent, whole and in order.

        Raises `LocalProtocolError` if we may not send it, `UnencodableValueError` if it does not go into a
        frame. Nothing has changed then.
        """
        return b"".join(self.parts(message))

    def parts(self, message: Message) -> tuple[bytes, bytes]:
        """Take a message onto the stream as `send` does; its frame in two parts, the length and the body."""
        # The common message, inline: one legal in itself, of a call that may simply go on with it.
        one: Any = message
        try:
            if type(message) is Open:
                if (
                    self._halves[self._other] is not _LEFT
                    and (body := WRITERS[Open](message))
                    and len(body) <= self._frame_bytes
                    and self._said.open_plainly(self.role, message.cmd)
                ):
                    return _LENGTH(len(body)), body
            elif (
                (write := WRITERS.get(type(message)))
                and (body := write(one))  # first, as it may run code of the value's
                and len(body) <= self._frame_bytes
                and (call := self._call(one.cid))
                and (place := call.place.ours.get(one.event))
                and self._halves[self.role] is _TALKING
            ):
                if place is not call.place:
                    self._move_to(one.cid, call, place)
                return _LENGTH(len(body)), body
        except Exception:  # noqa: BLE001, S110 - what a value raises, or an odd cid, is said below
            pass
        return self._parts_by_all_rules(message)

    def takes_items(self, cid: str) -> bool:
        """Whether any number of ITEMs may be said in a call, until anything else is said or received."""
        call = self._call(cid)
        return bool(
            call and call.place.ours.get(CallEvent.ITEM) is call.place and self._halves[self.role] is _TALKING
        )

    def item_parts(self, value: object, cid: str) -> tuple[bytes, bytes]:
        """An ITEM as `parts` gives it, where `takes_items`: only the value is looked at.

        Raises `UnencodableValueError`.
        """
        try:
            body = WRITERS[Item](Item(value, cid))
            if body and len(body) <= self._frame_bytes:
                return _LENGTH(len(body)), body
        except Exception:  # noqa: BLE001, S110 - as above
            pass
        return self._parts_by_all_rules(Item(value, cid))

    def _parts_by_all_rules(self, message: Message) -> tuple[bytes, bytes]:
        _wire.check(message)
        step = self._said.judge(self.role, message)
        if violation := step.violation or self._own_violation(message, step):
            raise LocalProtocolError(violation)
        body = _wire.write(message)
        if len(body) > self.limits.frame_bytes:
            detail = f"a body of {len(body)} bytes"
            raise UnencodableValueError(Violation("FRM-03s", Reaction.CLOSE, step.cid or None, detail))
        self._said.take(self.role, step, message)
        return _LENGTH(len(body)), body

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
        return list(self.events(data))

    def events(self, data: bytes | bytearray | memoryview) -> Iterator[Event]:
        """Take the next bytes as `receive` does, one message at a time.

        Each is read when it is asked for, so whoever answers it answers before the next has taken effect; up
        to 64 items of a call that come together are read together. Take all before the next bytes, and leave
        `data` as it is meanwhile. `body_bytes` is the length of the body from which the last event came.
        """
        for event in self.batches(data):
            if isinstance(event, Items):
                for value, self.body_bytes in zip(event.values, event.sizes, strict=True):
                    yield Item(value, event.cid)
            else:
                yield event

    def batches(self, data: bytes | bytearray | memoryview) -> Iterator[Event | Items]:
        """Take the next bytes as `events` does; items of a call that come together stay together.

        Whether the stream is over is looked at here, when this is called: iterate at once.
        """
        if self._fault or self._halves[self._other] is _GONE:
            return iter(())
        if type(data) is bytes and not self._deframer.inside_frame:
            return self._messages_of(data, 0)
        return self._messages_in_pieces(data)

    def _messages_in_pieces(self, data: bytes | bytearray | memoryview) -> Iterator[Event | Items]:
        for piece, at in self._deframer.pieces(data):
            yield from self._messages_of(piece, at)

    def _messages_of(self, data: bytes | memoryview, at: int) -> Iterator[Event | Items]:  # noqa: C901  (inline, for speed)
        halves, them, get, move_to = self._halves, self._other, self._call, self._move_to
        # As names of this function they cost less.
        peek_at, at_once, two, small, item = peek, AT_ONCE, TWO_ENTRIES, SMALL, ITEM
        view, end = memoryview(data), len(data)
        short = end <= self._frame_bytes  # then no frame in it is too long (FRM-03r)
        last = end - LEAST if short and halves[them] is _TALKING else -1  # where a common message may begin
        first: Any = None  # an item of the call `run`, which those that come together with it follow
        values: list[object] = []
        sizes: list[int] = []
        run = ""
        while self._fault is None:
            # The common message, inline: one legal in its bytes, of a call that may simply go on with it.
            while at <= last:
                length, header, letter = peek_at(data, at)
                after = (start := at + HEADER_BYTES) + length
                if after > end:
                    break
                try:
                    if header == two:
                        if (read := at_once[letter]) is None:
                            if letter == STOP and data[start + OF_STOP] == TRUE:
                                read = read_end
                            elif letter == ERROR and data[start + OF_ERROR] == two:
                                read = read_fail
                            else:
                                break
                    elif header == ONE_ENTRY and letter == COMMAND:
                        read = read_open
                    else:
                        break
                    message = read((data if length < small else view)[start:after])
                except NOT_TAKEN:
                    break
                if letter == item and message.cid == run and len(values) < MOST:
                    if not values:
                        values.append(first.value)
                        sizes.append(self.body_bytes)
                    values.append(message.value)
                    sizes.append(length)
                    at = items_that_follow(data, after, run, values, sizes)
                    continue
                if run:
                    yield Items(run, values, sizes) if values else first
                    run = ""
                    if values:
                        values, sizes = [], []
                if header == two:
                    call = get(message.cid)
                    if call is None or (place := call.place.theirs.get(message.event)) is None:
                        break
                    if place is not call.place:
                        move_to(message.cid, call, place)
                    elif letter == item:
                        run, first = message.cid, message
                elif not (isinstance(message, Open) and self._said.open_plainly(them, message.cmd)):
                    break
                at = after
                self.body_bytes = length
                if not run:
                    yield message
            if run:
                yield Items(run, values, sizes) if values else first
                run = ""
                if values:
                    values, sizes = [], []
            if at == end:
                return
            # Any other, by all the rules.
            frame = self._deframer.body(view, at)
            if frame is None:
                break
            at += HEADER_BYTES + len(frame)
            self.body_bytes = len(frame)
            yield from self._receive_body(frame)
            last = end - LEAST if short and halves[them] is _TALKING else -1
        if self._deframer.refused and not self._fault:
            yield from self._receive_malformed(self._deframer.refused)
        if self._fault is None:  # what follows a violation that closes is looked at by nobody
            self._deframer.keep(view, at)

    def receive_eof(self) -> list[Event]:
        """Take the end of the other side's stream, orderly or not."""
        if self.remote is HalfState.GONE:
            return []
        self._said.move_half(self.role.other, HALF_TABLE[self.remote, HalfEvent.EOF])
        return [ConnectionLost(truncated=self._deframer.inside_frame and not self._fault)]

    def _receive_body(self, body: memoryview) -> list[Event]:
        try:
            message = _wire.decode(body)
        except DecodeError as error:
            return self._receive_malformed(error)
        them = self._other
        step = self._said.judge(them, message)
        self._said.take(them, step, message)
        told: list[Event] = [_event(message)] if step.takes_effect and not self._too_late(step) else []
        return told + self._report(step)

    def _receive_malformed(self, error: DecodeError) -> list[Event]:
        them = self.role.other
        step = self._said.judge_malformed(them, error)
        self._said.take(them, step)
        return self._report(step)

    def _report(self, step: Step) -> list[Event]:
        if step.violation is None or self._too_late(step):
            return []
        if step.violation.reaction is Reaction.CLOSE:
            self._fault = step.violation
        return [step.violation]

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
