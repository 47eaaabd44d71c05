"""What the wire shows of clauses that the tables do not speak of.

Each function looks at one legal message of a call, after the table has taken it, and says which clauses its
sender was seen to keep or to break. A clause counts as kept only where the message could have broken it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from iptc_conformance import _specdata
from iptc_conformance.judge.calls import Call, Calls, Step, Target

if TYPE_CHECKING:
    from collections.abc import Callable

    from iptc_conformance.judge.report import Reaction
    from iptc_conformance.wire import Classified, Message

_CONTEXT_STATES = {"open", "callee-stopped", "caller-stopped", "both-stopped"}


class Breach(NamedTuple):
    """A clause that the sender broke beside the tables."""

    clause: str
    cid: str | None
    reaction: Reaction
    detail: str


@dataclass(slots=True)
class Observed:
    """What one message shows.

    `kept` by its sender, `kept_by_other` by the other side, `kept_if_more` by its sender if it is seen
    to go on after it, and what the sender broke.
    """

    kept: set[str] = field(default_factory=set)
    kept_by_other: set[str] = field(default_factory=set)
    kept_if_more: set[str] = field(default_factory=set)
    broken: list[Breach] = field(default_factory=list)

    def judge(self, clause: str, cid: str | None, breach: str | None, reaction: Reaction = "none") -> None:
        """Note a clause as kept, or as broken where `breach` says how."""
        if breach is None:
            self.kept.add(clause)
        else:
            self.broken.append(Breach(clause, cid, reaction, breach))


def observe_frame(seen: Classified) -> Observed:
    """Say what a frame shows by itself, in whatever state it comes."""
    shown = Observed()
    if seen.event == "MALFORMED_BYTES":
        return shown
    shown.kept |= {"FRM-01s", "FRM-02s", "FRM-03s", "FRM-04s", "ENC-01s"}
    message = seen.message
    if message is None:
        return shown
    if message.kind == "HELLO":
        extra = message.fields["extra"]
        breach = f"the hello has {2 + extra} elements" if extra else None
        shown.judge("EXT-01s", None, breach)
    else:
        shown.kept.add("ROB-02s")
    if message.kind in {"HELLO", "GOODBYE"}:
        return shown
    shown.kept |= {"ENC-02s", "ENC-03s", "ENC-04s", "ENC-05s"}
    if message.cid is not None:
        shown.kept.add("CID-01s")
    if seen.has_map:
        shown.kept.add("ENC-07s")
    if seen.has_timestamp:
        shown.kept.add("ENC-08s")
    nesting = _specdata.limit("nesting")
    if seen.depth:
        breach = f"a value is nested {seen.depth} levels deep" if seen.depth > nesting else None
        shown.judge("ENC-06s", message.cid, breach)
    return shown


def cancel_target(message: Message) -> str | None:
    """Return the cid that a CANCEL aims at; None for any other OPEN."""
    cancel = _specdata.connection_table()["cancel"]
    if message.fields["ns"] != cancel["ns"] or message.fields["func"] != cancel["func"]:
        return None
    kwargs = message.value
    if not isinstance(kwargs, dict) or list(kwargs) != cancel["kwargs"]:
        return None
    target = kwargs[cancel["kwargs"][0]]
    return target if isinstance(target, str) else None


def _open(shown: Observed, call: Call, _step: Step, message: Message, calls: Calls) -> None:
    shown.kept.add("OPN-01s")
    cid = cancel_target(message)
    if cid is None:
        return
    shown.kept.add("CXL-01s")
    target = calls.get(cid)
    if target is call or (target is not None and target.opener != call.opener):
        target = None
    call.cancels = Target(cid, target, target is not None and target.live)
    if target is not None and target.live:
        target.cancelled = True


def _ack(_shown: Observed, call: Call, _step: Step, _message: Message, _calls: Calls) -> None:
    call.acks += 1


def _item(_shown: Observed, call: Call, step: Step, _message: Message, _calls: Calls) -> None:
    if step.role == "callee":
        call.items += 1


def _end(shown: Observed, call: Call, step: Step, _message: Message, _calls: Calls) -> None:
    if step.role == "callee":
        call.stopped = True
        if step.before == "generator":
            _terminal(shown, call)


def _terminal(shown: Observed, call: Call) -> None:
    """Note a call's end: whether something follows it shows only later."""
    shown.kept_if_more |= {"TRM-02s", "TRM-03s"}
    if call.acks:
        shown.kept_if_more.add("OPN-04s")
    shown.kept_by_other.add("OPN-09s")


def _fail(shown: Observed, call: Call, step: Step, message: Message, _calls: Calls) -> None:
    if step.role == "caller":
        return
    _terminal(shown, call)
    type_str = message.fields["type_str"]
    shown.kept.add("ERR-05s")
    shown.judge("ERR-02s", call.cid, None if type_str else "type_str is empty")
    if call.cancelled and type_str == "ContextCancelled":
        shown.kept.add("CXL-04s")
    if call.blames_caller and type_str == "ProtocolError":
        shown.kept.add("ERR-06s")


def _result(shown: Observed, call: Call, step: Step, message: Message, calls: Calls) -> None:
    _terminal(shown, call)
    if step.before in _CONTEXT_STATES and call.items:
        breach = None if call.stopped else f"RESULT after {call.items} ITEM and no END"
        shown.judge("STR-07s", call.cid, breach)
    if call.cancels is not None:
        _cancel_result(shown, call, call.cancels, message, calls)


def _cancel_result(shown: Observed, call: Call, target: Target, message: Message, calls: Calls) -> None:
    """Judge the answer of a CANCEL: its moment (CXL-02s) and its value (CXL-03s).

    Of a target that has failed nobody can say whether its terminal came: the END of a generator goes by
    unseen. The answer of its CANCEL ends it.
    """
    if target.call is not None and target.was_live:
        _judge_moment(shown, call, target.call, calls)
    value = message.value
    if not isinstance(value, bool):
        shown.judge("CXL-03s", call.cid, "the RESULT of a CANCEL is neither true nor false")
    elif value and not target.was_live:
        how = "never opened" if target.call is None else "ended before"
        shown.judge("CXL-03s", call.cid, f"true for a CANCEL whose target {target.cid!r} was {how}")
    else:
        shown.kept.add("CXL-03s")


def _judge_moment(shown: Observed, cancel: Call, target: Call, calls: Calls) -> None:
    """Judge that a CANCEL is answered after its target's terminal; a target that has failed ends with it."""
    if target.live and target.state == "failed":
        calls.free(target)
        return
    breach = None
    if target.live:
        breach = f"the CANCEL {cancel.cid!r} is answered before the terminal of its target"
        calls.fail(target)
    shown.judge("CXL-02s", target.cid, breach, "fail-call")


_OBSERVE: dict[str, Callable[[Observed, Call, Step, Message, Calls], None]] = {
    "OPEN": _open,
    "ACK": _ack,
    "ITEM": _item,
    "END": _end,
    "FAIL": _fail,
    "RESULT": _result,
}


def observe_call(step: Step, message: Message, calls: Calls) -> Observed:
    """Say what a legal message of a call shows. Keeps the call's own record; fails the target of CXL-02s."""
    shown = Observed({"CID-04s"} if step.event != "OPEN" else set())
    if step.call is not None and message.kind in _OBSERVE:
        _OBSERVE[message.kind](shown, step.call, step, message, calls)
    return shown
