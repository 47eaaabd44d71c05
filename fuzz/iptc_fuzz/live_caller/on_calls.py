"""Verbs that are about calls: each takes one that is there, or asks for one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from iptc_conformance.judge.calls import cell_at
from iptc_fuzz.live.calls import small
from iptc_fuzz.live_caller import frames
from iptc_fuzz.live_caller.calls import (
    CALL,
    COLLECT,
    CONTEXT_UP,
    COUNTS,
    ECHO,
    ECHO_UP,
    FORMS,
    HANG,
    IDLE,
    KINDS,
    LEFT,
    PUSH,
    STREAM,
    STREAM_UP,
    TAKING,
    Call,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from iptc_fuzz.live_caller.script import Script, Step

_ANY = (CALL, STREAM, IDLE, PUSH)
_UP = (HANG, STREAM_UP, CONTEXT_UP, ECHO_UP, LEFT, TAKING)
_TYPES = (
    *("ValueError", "SomethingNobodyKnows", "SystemExit", "KeyboardInterrupt", "GeneratorExit", "os.system"),
    *("ContextCancelled", "StreamOverrunn", "no name\nat all", "Cancelled", "ProtocolError", "é"),
)
_SAYING = ("ack", "started", "item", "end", "result", "fail", "overrun")
_SPLITS = (None, 1, 3, 7)
_MOST_ITEMS = 59
"""With those of one action no more than anybody has to hold unread."""
_LEVELS = 4
"""How far a call may have come: opened, acknowledged, started, in the middle of its items."""


def begun(script: Script, forms: Sequence[int], pick: int) -> Call:
    """A call that goes on, as far as the dice say: one that is there, or a new one of these forms."""
    call = script.some(pick, forms, pick)
    for _ in range(pick // len(forms) % _LEVELS):
        if not _ends_next(call):
            script.advance(call)
    return call


def _ends_next(call: Call) -> bool:
    """Whether the next thing that an honest callee says ends the call."""
    if call.over or call.loose:
        return True
    if call.state in {"requested", "starting"}:
        return False
    return call.state == "unary" or len(call.sent) >= call.count or call.stopped


def do_ask(script: Script, pick: int, choice: int, value: Any) -> None:
    """Ask for a call, and perhaps answer it."""
    if script.full:
        return
    call = script.ask(FORMS[choice % len(FORMS)], value, COUNTS[choice // len(FORMS) % len(COUNTS)])
    if pick & 1:
        script.finish_call(call)


def do_answer(script: Script, pick: int, choice: int, _value: Any) -> None:
    """Say the next things for a call."""
    call = script.some(pick, _ANY, choice)
    for _ in range(1 + choice % 3):
        script.advance(call)


def do_item(script: Script, pick: int, choice: int, value: Any) -> None:
    """Send an item to a stream."""
    call = script.some(pick, (STREAM, PUSH, ECHO, COLLECT, TAKING, IDLE), choice)
    while call.state in {"requested", "starting"} and not call.over:
        script.advance(call)
    taking = call.state in {"generator", "open", "caller-stopped"} and not (call.stopped or call.loud)
    if taking and len(call.sent) < _MOST_ITEMS:
        call.value = value if call.state == "generator" else call.value
        script.items(call, (1, 1, 2, 5)[choice // 8 % 4])


def do_fail(script: Script, pick: int, choice: int, _value: Any) -> None:
    """Let a call fail, wherever it is."""
    call = begun(script, (*_ANY, TAKING, COLLECT), pick)
    if call.over or call.loose or call.form.given_up or call.leaving:
        return
    type_str = _TYPES[choice % len(_TYPES)]
    waiting = call.form.take is not None and call.state == "open"
    if waiting:
        script.barrier()
    script.say({"fail": call.name, "type": type_str})
    call.mute = waiting or call.state == "caller-stopped" or call.form.op != "context"
    error: Step = {"outcome": "error", "type": type_str}
    more = [{"outcome": "cancelled"}] if type_str in {"ContextCancelled", "Cancelled"} else []
    script.outcome(call, error, *more, clause="ROB-01r")


def do_early(script: Script, _pick: int, choice: int, _value: Any) -> None:
    """End a context before its caller has had enough."""
    if script.full:
        return
    call = script.ask(FORMS[TAKING], count=1)
    for _ in range(3 - choice % 2):
        script.advance(call)
    if choice & 2:
        script.barrier()
        call.mute = script.broken = True  # STR-07s: no END before the result
    else:
        script.say({"end": call.name})
        call.stopped = True
    script.say({"result": call.name, "value": call.value})
    script.outcome(call, call.success, clause="TRM-03s")


def do_again(script: Script, pick: int, choice: int, _value: Any) -> None:
    """Say something that was said before, or that comes too late: it is dropped."""
    call = begun(script, (STREAM, PUSH, IDLE, CALL, COLLECT), pick)
    if call.over or call.loose:
        return
    if choice & 1 and call.form.op == "context" and call.talks and call.state == "caller-stopped":
        script.say({"end": call.name})
        call.state, call.stopped = "both-stopped", True
    dropped = [
        event for event in frames.EVENTS if cell_at(call.state, "callee", event).get("reaction") == "drop"
    ]
    at = choice // 2 % len(dropped) if dropped else 0
    for event in dropped if choice & 64 else dropped[at : at + 1]:
        script.broken = True
        _at_once(script, call, frames.of_callee(call, frames.EVENTS.index(event)).step)
        call.clause = call.clause or _answer_to(call.state, event)


def _at_once(script: Script, call: Call, step: Step) -> None:
    """Say something in one write with what was just said of the call, if that was the last."""
    last = script.steps[-1]
    parts = last.get("together", [last])
    said = all(part.get(verb) == call.name for part in parts for verb in part if verb in _SAYING)
    if said and "split" not in last and any(verb in part for part in parts for verb in _SAYING):
        script.steps[-1] = {"together": [*parts, step]}
    else:
        script.say(step)


def _answer_to(state: str, event: str) -> str | None:
    return frames.receivers(cell_at(state, "callee", event).get("violates"))[0]


def do_wrong(script: Script, pick: int, choice: int, _value: Any) -> None:
    """Say what can't be said of a call now: it costs the call, and no other."""
    call = begun(script, _ANY, pick)
    if call.over or call.loose or call.loud or call.leaving:
        return
    said = frames.of_callee(call, choice)
    cell = cell_at(call.state, "callee", said.event)
    if cell.get("reaction") != "fail-call":
        return
    script.broken = True
    script.say(said.step)
    clause, must = frames.receivers(said.clause or cell["violates"])
    if must and said.event == "MALFORMED":
        script.contained(call, clause=clause)
    else:
        script.contained(call, ignored_warns="ROB-04r" if must or clause is None else clause)


def do_wrong_kind(script: Script, _pick: int, choice: int, _value: Any) -> None:
    """Acknowledge a call as one of another kind than its op is for: its application hears of it."""
    if script.full:
        return
    call = script.ask(FORMS[(CALL, STREAM, IDLE, PUSH)[choice % 4]])
    others = [kind for kind in KINDS.values() if kind != KINDS[call.form.op]]
    script.say({"ack": call.name, "functype": others[choice // 4 % 2]})
    script.contained(call)


def do_late(script: Script, pick: int, choice: int, _value: Any) -> None:
    """Say something for a call that is over: it is dropped."""
    over = [call for call in script.calls if call.over and not call.loose]
    if over:
        call = over[pick % len(over)]
    else:
        call = script.ask(FORMS[(CALL, STREAM, PUSH, IDLE)[choice % 4]])
        script.finish_call(call)
    script.broken = True
    events = frames.EVENTS[choice // 4 % len(frames.EVENTS) :][: 1 + pick % 3]
    for event in events:
        script.say(frames.of_callee(call, frames.EVENTS.index(event)).step)
    if choice & 1:
        script.barrier()


def do_cancel(script: Script, pick: int, choice: int, _value: Any) -> None:
    """Let the driver give a call up, and answer its CANCEL in one way or another."""
    waiting = [call for call in script.live if call.form.given_up or call.left]
    if waiting:
        call = waiting[pick % len(waiting)]
    elif not script.full:
        call = script.ask(FORMS[_UP[choice % 5]])
    else:
        return
    for _ in range(4 if call.left else pick % 4):
        if not _ends_next(call):
            script.advance(call)
    if not call.left or call.leaving:
        script.reap(call, choice // 5)


def do_together(script: Script, pick: int, choice: int, value: Any) -> None:
    """Answer several calls in one write, or in one that is cut."""
    if script.full:
        return
    value = small(value)
    forms = [FORMS[(CALL, STREAM, IDLE, CALL)[(choice + number) % 4]] for number in range((2, 12)[pick & 1])]
    made = [script.asked(form, [number, value]) for number, form in enumerate(forms)]
    script.say(*(call.step for call in made))
    script.say(*(script.opened(call) for call in made))
    first = len(script.steps)
    for call in made[:: -1 if pick & 2 else 1]:
        script.finish_call(call)
    said = script.steps[first:]
    sending = [step for step in said if "outcome" not in step]
    split = _SPLITS[choice // 4 % len(_SPLITS)]
    whole: Step = {"together": sending}
    script.steps[first:] = [{**whole, "split": split} if split else whole]
    script.say(*(step for step in said if "outcome" in step))


def do_odd(script: Script, _pick: int, choice: int, value: Any) -> None:
    """Answer a call in other forms of the same messages, or by values that are large, deep or strange."""
    if script.full:
        return
    at = choice % ODDITIES
    if at >= len(_STRANGE):
        _deeper(script)
        return
    call = script.ask(FORMS[CALL], value if at < 2 else 1)
    form, clause, result, same = _STRANGE[at]
    cid: Any = {"$cid": call.name}
    if form == "long":
        script.say(frames.long_ack(call, "asyncfunc"), frames.long_result(call))
    elif form == "reversed":
        script.say({"send": {"cid": cid, "functype": "asyncfunc"}}, {"send": {"cid": cid, "return": value}})
    else:
        script.advance(call)
        script.say({"result": call.name, "value": result})
        script.heavy = script.heavy or form == "large"
        call.value = same
    fails = [{"outcome": "error"}, {"outcome": "protocol-error"}] if clause == "ENC-13r" else []
    script.outcome(call, call.success, *fails, clause=clause)


def _deeper(script: Script) -> None:
    """Deeper than anybody has to take: it costs no more than the call."""
    script.broken = True
    call = script.ask(FORMS[IDLE])
    script.advance(call)
    script.advance(call)
    script.say({"item": call.name, "value": {"$nest": 20000}})
    call.loud = True
    script.contained_or_well(call)


_EXT: Any = [{"$ext": [5, "0102"]}]
_TIME: Any = [{"$timestamp": [1700000000, 0]}]
_STRANGE: tuple[tuple[str, str, Any, Any], ...] = (
    ("reversed", "ENC-09r", None, None),
    ("long", "ENC-10r", None, None),
    ("value", "ENC-06r", {"$nest": 100}, {"$nest": 100}),
    ("large", "FRM-06r", {"$zeros": 2 << 20}, {"$zeros": 2 << 20}),
    ("value", "ENC-13r", _EXT, _EXT),
    ("value", "ENC-13r", _TIME, _TIME),
    ("value", "ENC-10r", [{"$raw": "ca3fc00000"}, {"$raw": "cabf000000"}], [1.5, -0.5]),
)
"""The form, the clause, the value on the wire, and as the application has it."""
ODDITIES = len(_STRANGE) + 1


def do_notice(script: Script, pick: int, choice: int, _value: Any) -> None:
    """Give notice of an overrun to a context: it ends nothing."""
    fit = [call for call in script.live if call.form.op == "context" and not call.form.given_up]
    call = fit[pick % len(fit)] if fit else script.ask(FORMS[(IDLE, COLLECT, ECHO)[choice % 3]])
    while call.state in {"requested", "starting"}:
        script.advance(call)
    if call.talks and call.state not in {"caller-stopped", "both-stopped"}:
        return
    script.say({"overrun": call.name})
    call.noticed = True
    call.clause = "FLW-04r"
