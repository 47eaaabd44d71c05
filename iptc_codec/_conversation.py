"""Both halves of a connection and its calls, measured with one rod.

`judge` says what a message of either side amounts to and changes nothing; `take` lets it happen. A side that
receives judges, takes and reports. A side that sends judges, and takes only what is not at fault. So neither
can be held to rules that the other is spared.

The tables decide. Beside them stand the rules that look at more than one half or one call, each named by its
clause: the uid of an OPEN (OPN-08s), the number of open calls (OPN-12s), a CANCEL that is answered before its
target (CXL-02s) and a GOODBYE before the answers (DSC-02s).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple, cast

from ._call_table import CALL_TABLE, Breach, CallEvent, Cell, Reaction, Sender, State
from ._calls import Call, Calls
from ._connection_table import (
    CANCEL_FUNCTION,
    CANCEL_KWARGS,
    HALF_INITIAL,
    HALF_TABLE,
    CallsEffect,
    HalfCell,
    HalfEvent,
    HalfState,
)
from ._errors import DecodeError, Violation
from ._messages import CallMessage, Command, Fatal, Goodbye, Hello, Message, Open
from ._places import Role

if TYPE_CHECKING:
    from ._limits import Limits

HALF_EVENTS: Final = {Hello: HalfEvent.HELLO, Fatal: HalfEvent.FATAL, Goodbye: HalfEvent.GOODBYE}
"""What the table of a half sees of a message; of all others, CALL."""

_RUNTIME: Final = CANCEL_FUNCTION[0]
_TALKING: Final = HalfState.TALKING  # to look it up costs 0.1 us

_FRAME: Final = "frame"
"""Stands in the tables for the clause that the frame itself violates."""


class Step(NamedTuple):
    """What a message amounts to: the cells that it meets, and the clause that it breaks.

    Legal by its own cell, it can yet break a rule. `then` is the call that moves beside what the cell says,
    and where it moves to.
    """

    half: HalfCell
    event: CallEvent | None = None
    cid: str = ""
    cell: Cell | None = None
    violation: Violation | None = None
    then: tuple[str, State] | None = None

    @property
    def takes_effect(self) -> bool:
        """Whether the message happens; the answer of a CANCEL does, though its target be late (CXL-02r)."""
        if self.cell is None:
            return self.violation is None
        return self.cell.legal and (self.violation is None or self.violation.cid != self.cid)


class Conversation:
    """What two sides have said to each other. `seat` is the side that we are, None for an observer."""

    def __init__(self, limits: Limits, seat: Role | None = None) -> None:
        self._open_calls = limits.open_calls
        self.calls = Calls(limits.finished_calls, seat)
        self.halves: dict[Role, HalfState] = dict.fromkeys(Role, HALF_INITIAL)
        self.uids: dict[Role, tuple[str, str]] = {}

    def open_plainly(self, side: Role, cmd: Command) -> bool:
        """Take an OPEN that breaks no rule at first sight: false, and nothing has happened, if it might."""
        return (
            cmd.ns != _RUNTIME
            and cmd.uid == self.uids.get(side)
            and self.calls.count(side) < self._open_calls
            and self.halves[side] is _TALKING
            and self.calls.open_plainly(side, cmd.cid)
        )

    def judge(self, side: Role, message: Message) -> Step:
        """What a message of `side` amounts to."""
        event = HALF_EVENTS.get(type(message), HalfEvent.CALL)
        half = HALF_TABLE[self.halves[side], event]
        if half.breach:
            return self._half_violated(side, half, half.breach, type(message).__name__)
        if event is HalfEvent.CALL:
            return self._judge_call(side, half, cast("CallMessage", message))
        if half.calls is CallsEffect.SERVED_OVER and (cid := self.calls.owes(side)):
            return Step(half, violation=_violation(_UNANSWERED, None, f"call {cid!r} has no terminal"))
        return Step(half)

    def judge_malformed(self, side: Role, error: DecodeError) -> Step:
        """What a frame that is no legal message amounts to."""
        half = HALF_TABLE[self.halves[side], error.event]
        if half.breach:
            return self._half_violated(side, half, _named(half.breach, error), error.violation.detail)
        cid = cast("str", error.cid)  # a frame without one meets no cell that is legal
        if not error.opens:
            cell = self.calls.look(side, CallEvent.MALFORMED, cid)
            return self._judge_event(side, half, CallEvent.MALFORMED, cid, cell, error)
        opening = self.calls.look(side, CallEvent.OPEN, cid)
        if not opening.legal:
            return self._judge_event(side, half, CallEvent.OPEN, cid, opening)
        after = CALL_TABLE[opening.next, Sender.CALLER, CallEvent.MALFORMED]
        violation = after.breach and _violation(
            _named(after.breach, error), cid, "malformed OPEN", Sender.CALLER
        )
        return Step(half, CallEvent.OPEN, cid, opening, violation, (cid, after.next))

    def take(self, side: Role, step: Step, message: Message | None = None) -> None:
        """Let happen what `judge` has just said."""
        if step.cell and step.event:
            self.calls.take(side, step.event, step.cid, step.cell)
            if step.event is CallEvent.OPEN and step.cell.legal and isinstance(message, Open):
                self._note_cancel(message)
            if step.then:
                self.calls.move(*step.then)
        elif step.violation is None:
            self.move_half(side, step.half)
            if isinstance(message, Hello):
                self.uids[side] = (message.name, message.uuid)

    def move_half(self, side: Role, half: HalfCell) -> None:
        """Let a half move, and its calls end, as its cell says."""
        self.halves[side] = half.next
        if half.calls is CallsEffect.SERVED_OVER:
            self.calls.leave(side)
        elif half.calls is CallsEffect.ALL_OVER:
            self.calls.end()

    def _note_cancel(self, opening: Open) -> None:
        target = _target(opening)
        if target is not None:
            self.calls.cancels(opening.cid, target)

    def _half_violated(self, side: Role, half: HalfCell, breach: Breach, what: str) -> Step:
        return Step(
            half, violation=_violation(breach, None, f"{what}: the side is {self.halves[side].value}")
        )

    def _judge_call(self, side: Role, half: HalfCell, message: CallMessage) -> Step:
        event, cid = message.event, message.cid
        cell = self.calls.look(side, event, cid)
        if cell.legal:
            if event is CallEvent.OPEN:
                return self._judge_open(side, half, cell, cast("Open", message))
            if event is CallEvent.RESULT and (target := self.calls.live_target(cid)):
                return self._judge_early(half, cid, cell, target)
            return Step(half, event, cid, cell)
        return self._judge_event(side, half, event, cid, cell)

    def _judge_early(self, half: HalfCell, cid: str, cell: Cell, target: Call) -> Step:
        # A target that had failed is let go by this answer; any other should have had its terminal before.
        if target.state is State.FAILED:
            return Step(half, CallEvent.RESULT, cid, cell, then=(target.cid, State.DRAINING))
        violation = _violation(_EARLY, target.cid, "its CANCEL is answered, it is not", Sender.CALLEE)
        return Step(half, CallEvent.RESULT, cid, cell, violation, (target.cid, State.FAILED))

    def _judge_open(self, side: Role, half: HalfCell, cell: Cell, opening: Open) -> Step:
        breach = None
        if opening.cmd.uid != self.uids[side]:
            breach = _STRANGER
        elif self.calls.count(side) >= self._room(opening):
            breach = _TOO_MANY
        if breach is None:
            return Step(half, CallEvent.OPEN, opening.cid, cell)
        violation = _violation(breach, opening.cid, "OPEN", Sender.CALLER)
        return Step(half, CallEvent.OPEN, opening.cid, cell, violation, (opening.cid, State.FAILED))

    def _room(self, opening: Open) -> int:
        # As many CANCELs again as calls: whoever has opened all it may can still give each of them up.
        return self._open_calls if _target(opening) is None else 2 * self._open_calls

    def _judge_event(
        self,
        side: Role,
        half: HalfCell,
        event: CallEvent,
        cid: str,
        cell: Cell,
        error: DecodeError | None = None,
    ) -> Step:
        if cell.breach is None:
            return Step(half, event, cid, cell)
        breach = _named(cell.breach, error) if error else cell.breach
        detail = f"{event.value}: the call is {self.calls.state(cid).value}"
        return Step(half, event, cid, cell, _violation(breach, cid, detail, self.calls.sender(side, cid)))


_STRANGER: Final = Breach("OPN-08s", Reaction.FAIL_CALL)
_TOO_MANY: Final = Breach("OPN-12s", Reaction.FAIL_CALL)
_EARLY: Final = Breach("CXL-02s", Reaction.FAIL_CALL)
_UNANSWERED: Final = Breach("DSC-02s", Reaction.CLOSE)


def _target(opening: Open) -> str | None:
    """The cid that an OPEN asks to cancel, None if it is no CANCEL (CXL-01s)."""
    cmd = opening.cmd
    if (cmd.ns, cmd.func) != CANCEL_FUNCTION or cmd.kwargs.keys() != CANCEL_KWARGS:
        return None
    (target,) = cmd.kwargs.values()
    return target if isinstance(target, str) else None


def _named(breach: Breach, error: DecodeError) -> Breach:
    """Put the clause that the frame itself breaks in the place of its placeholder."""
    return breach._replace(clause=error.clause) if breach.clause == _FRAME else breach


def _violation(breach: Breach, cid: str | None, detail: str, sender: Sender | None = None) -> Violation:
    return Violation(breach.clause, breach.reaction, cid, detail, sender)
