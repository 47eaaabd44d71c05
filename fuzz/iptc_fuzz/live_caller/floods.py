"""Items in great number, and large ones: to consumers that read, and to some that do not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from iptc_fuzz.live_caller.calls import CALL, FORMS, IDLE, STREAM, Form

if TYPE_CHECKING:
    from collections.abc import Callable

    from iptc_fuzz.live_caller.calls import Call
    from iptc_fuzz.live_caller.script import Script, Step

_LARGE: Any = {"$repeat": ["x", 1 << 20]}
_LONG = 12
_COUNTED: Any = {"$i": True}
_PUSHED = 3000


def do_flood(script: Script, pick: int, choice: int, _value: Any) -> None:
    """Flood the driver in one of many ways."""
    if not script.full:
        FLOODS[choice % len(FLOODS)](script, pick)


def _items(call: Call, times: int) -> Step:
    call.sent += range(times)
    return {"item": call.name, "value": _COUNTED, "times": times}


def _one_write(script: Script, pick: int) -> None:
    """As many items as a receiver has to hold, in one write."""
    call = script.ask(FORMS[STREAM], count=64)
    ack: Step = {"ack": call.name, "functype": "asyncgen"}
    script.say({"together": [ack, _items(call, 64), {"end": call.name}]})
    script.outcome(call, call.success, clause="FLW-08r")
    call.mute = bool(pick & 1)


def _taken(script: Script, _pick: int) -> None:
    """As many to a context that reads them."""
    call = script.ask(Form("context", "ctx_echo", send=1, take=64))
    script.advance(call)
    script.advance(call)
    script.items(call, 64)
    call.clause = "FLW-08r"
    call.count = 64
    script.finish_call(call)


def _unread(script: Script, pick: int) -> None:
    """As many to a context that reads none, and its result behind them."""
    call = script.ask(FORMS[IDLE])
    script.advance(call)
    script.advance(call)
    script.say(_items(call, 40))
    if pick & 1:
        script.say({"pass": 0.05})
    script.say(_items(call, 24), {"end": call.name}, {"result": call.name, "value": call.value})
    script.outcome(call, call.success, clause="FLW-05r")


def _read(script: Script, _pick: int) -> None:
    """Many more, to a stream that is read."""
    script.heavy = True
    call = script.ask(FORMS[STREAM], count=2000)
    script.advance(call)
    script.say(_items(call, 2000), {"end": call.name})
    script.outcome(call, call.success, clause="FLW-09r")


def _pushed(script: Script) -> Call:
    """A context that reads nothing, and gets more than anybody keeps."""
    script.heavy = True
    call = script.ask(Form("context", "ctx_push"), count=_PUSHED)
    script.advance(call)
    script.advance(call)
    script.say(_items(call, _PUSHED))
    call.loud = True
    return call


def _overrun(script: Script, call: Call) -> None:
    """Lost items are an error, and their sender is told of it."""
    lost: Step = {"outcome": "error", "type": "StreamOverrun"}
    script.outcome(call, call.success, lost, clause="FLW-05r")
    script.barrier()
    script.say({"noticed": call.name, "of": call.op, "clause": "FLW-02s"})


def _idle(script: Script, _pick: int) -> None:
    call = _pushed(script)
    script.say({"end": call.name}, {"result": call.name, "value": call.value})
    _overrun(script, call)


def _beside(script: Script, _pick: int) -> None:
    """Another call is served meanwhile."""
    call = _pushed(script)
    other = script.ask(FORMS[CALL])
    other.clause = "FLW-06r"
    script.finish_call(other)
    script.say({"end": call.name}, {"result": call.name, "value": call.value})
    _overrun(script, call)


def _busy(script: Script, take: int, times: int) -> Call:
    """Items for a context whose driver is still busy writing."""
    script.heavy = True
    script.broken = script.broken or False
    call = script.asked(Form("context", "ctx_echo", send=6, take=take), _LARGE)
    script.say(call.step, {**script.opened(call), "within": _LONG})
    script.advance(call)
    script.say({"deaf": "a"})
    script.say({"together": [{"started": call.name, "value": 0}, _items(call, times)]})
    script.say({"pass": 1.5}, {"hear": "a"})
    call.state, call.stopped, call.loud = "open", True, True
    return call


def _while_writing(script: Script, _pick: int) -> None:
    call = _busy(script, 64, 64)
    script.say(script.expected(call, [{"items": call.said}, {"end": True}], "FLW-08r"))
    script.say({"end": call.name}, {"result": call.name, "value": 64})
    done = {"outcome": "return", "items": {"$range": 64}, "value": 64}
    script.outcome(call, done, clause="FLW-08r")


def _lost_while_writing(script: Script, _pick: int) -> None:
    call = _busy(script, _PUSHED, _PUSHED)
    script.say({"end": call.name}, {"result": call.name, "value": 1})
    done = {"outcome": "return", "items": {"$range": _PUSHED}, "value": 1}
    script.outcome(call, done, {"outcome": "error", "type": "StreamOverrun"}, clause="FLW-02s")
    script.barrier()
    script.say({"noticed": call.name, "of": call.op, "clause": "FLW-02s"})


def _given_up_while_writing(script: Script, _pick: int) -> None:
    """A driver that gives up in the middle of a frame finishes it, or closes."""
    script.heavy = True
    call = script.asked(Form("context", "ctx_collect", send=6, given_up=True), _LARGE)
    script.say(
        {**call.step, "cancel_after": 0.3},
        {**script.opened(call), "within": _LONG},
    )
    script.advance(call)
    script.say({"deaf": "a"}, {"started": call.name, "value": 0}, {"pass": 0.6}, {"hear": "a"})
    call.loud = True
    script.outcome(call, {"outcome": "cancelled"}, {"outcome": "error"}, clause="FRM-05s")
    script.barrier()


def _two_writers(script: Script, _pick: int) -> None:
    """Large frames and small ones, each of a context of its own."""
    script.heavy = True
    large = script.asked(Form("context", "ctx_collect", send=2), {"$zeros": 300000})
    small = script.asked(Form("context", "ctx_echo", send=6), 1)
    script.say(large.step, small.step, script.opened(large), script.opened(small))
    script.advance(large)
    script.advance(small)
    script.say({"together": [{"started": call.name, "value": 0} for call in (large, small)]})
    for call in (large, small):
        call.state = "caller-stopped"
        script.say(script.expected(call, [{"items": call.said}, {"end": True}], "FRM-05s"))
        script.say({"end": call.name}, {"result": call.name, "value": 2})
        script.outcome(call, {"outcome": "return", "value": 2}, clause="STR-06s")


FLOODS: tuple[Callable[[Script, int], None], ...] = (
    _one_write,
    _taken,
    _unread,
    _two_writers,
    _read,
    _beside,
    _given_up_while_writing,
    _while_writing,
    _idle,
    _lost_while_writing,
)
"""The ways, the quick ones first."""
QUICK = 5
