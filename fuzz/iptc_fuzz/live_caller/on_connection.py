"""Verbs that are about the connection, and about what is no message of a call of the driver's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from iptc_fuzz.live import frames as shared
from iptc_fuzz.live.calls import Call as Opened
from iptc_fuzz.live_caller import frames
from iptc_fuzz.live_caller.calls import CALL, ECHO, FORMS, HANG, IDLE, PUSH, STREAM, TAKING
from iptc_fuzz.live_caller.on_calls import begun

if TYPE_CHECKING:
    from iptc_fuzz.live_caller.script import Script, Step

_HOWS = ("close", "reset", "half")
_FORMS = (CALL, STREAM, IDLE, PUSH, ECHO, TAKING)
_ANSWERS: Any = [
    [{"fail": "*"}],
    [{"ack": "asyncfunc"}, {"one_of": [{"result": {"$any": True}}, {"fail": "*"}]}],
]


def do_barrier(script: Script, _pick: int, _choice: int, _value: Any) -> None:
    """See that the connection still serves."""
    script.barrier()


def do_stray(script: Script, pick: int, choice: int, _value: Any) -> None:
    """Something of a call that nobody has opened, or of nearly the cid of one that is live."""
    live = script.live
    cid: Any = {"$near": live[pick % len(live)].name} if live and pick & 1 else {"$cid": "ghost"}
    script.broken = True
    script.say({"send": frames.stray(cid, choice)})
    script.barrier()


def do_open(script: Script, pick: int, choice: int, _value: Any) -> None:
    """Call the caller: it serves nothing of that name, and says so."""
    name = script.name("x")
    if choice % 5 == 0:
        live = script.live
        target = live[pick % len(live)].name if live and pick & 1 else "ghost"
        script.say({"cancel": name, "target": target})
        script.say({"expect": name, "any": _ANSWERS, "clause": "CXL-05r"})
        return
    step, events, broken, clause = shared.refused(Opened(name, "a", "echo"), choice // 5 + 7 * pick)
    script.broken = script.broken or broken
    script.say(_here(step))
    many: Step = {"any": _ANSWERS} if clause == "CXL-09r" else {"events": _any_type(events)}
    script.say({"expect": name, **many, "clause": clause})


def _any_type(events: list[Step]) -> list[Step]:
    """A refusal, of whatever type: how errors are named is left to the other side."""
    return [{"fail": "*"}] if len(events) == 1 else events


def _here(step: Step) -> Step:
    return {key: value for key, value in step.items() if key != "on"}


def do_shut(script: Script, pick: int, choice: int, _value: Any) -> None:
    """Break a rule at the cost of the connection."""
    call = begun(script, _FORMS, pick)
    at = choice % (len(frames.CLOSING) + 1)
    script.broken = True
    if at == len(frames.CLOSING):
        if call.over or call.loose or call.state == "requested":
            call = script.ask(FORMS[CALL])
            script.advance(call)
        opening = [{"$ns": True}, "echo", {"value": 1}, {"$uid": "a"}, {"$cid": call.name}]
        script.say({"send": {"cmd": opening}})
        script.lost("CID-02r", closed="CID-02r")
        return
    step, clause = frames.CLOSING[at]
    script.say(dict(step))
    script.lost("DSC-04r", closed=clause)


def do_leave(script: Script, pick: int, choice: int, _value: Any) -> None:
    """Leave, in order or not."""
    way, more = choice % len(_LEAVING), choice // len(_LEAVING)
    if more % 4 != 3:
        begun(script, _FORMS, pick)
    _LEAVING[way](script, more)
    if more & 1:
        _ask_after(script)


def _ask_after(script: Script) -> None:
    """An op on a connection that is gone comes to that."""
    op = script.name("r")
    script.say({"do": op, "op": "call", "func": "echo", "kwargs": {"value": 1}})
    script.say({"contained": op, "closes": True, "clause": "DSC-06s"}, {"alive": True})


def _close(script: Script, choice: int) -> None:
    script.say({"close": "a", "how": _HOWS[choice % 3]})
    script.lost("DSC-04r")


def _reset(script: Script, _choice: int) -> None:
    script.say({"close": "a", "how": "reset"})
    script.lost("DSC-04r")


def _cut(script: Script, choice: int) -> None:
    script.say({"bytes": frames.CUT[choice % len(frames.CUT)]})
    script.say({"close": "a", "how": _HOWS[choice // 2 % 2]})
    script.lost("FRM-05r")


def _fatal(script: Script, choice: int) -> None:
    script.say({"fatal": "ProtocolError"})
    if choice & 1:
        script.say({"close": "a", "how": "close"})
    script.lost("ERR-04r")


def _goodbye(script: Script, _choice: int) -> None:
    live = script.live
    served = [call for call in live if call.state != "requested"]
    script.broken = script.broken or bool(live)
    script.say({"goodbye": "a"})
    for call in live:
        script.cut_off(call, "DSC-04r")
    script.say({"closed": "a", "clause": "DSC-02r"} if served else {"left": "a", "clause": "DSC-02r"})
    script.lost("DSC-04r")


def _goodbye_and_more(script: Script, _choice: int) -> None:
    """What follows a GOODBYE is not read any more."""
    call = script.ask(FORMS[HANG]._replace(given_up=False))
    script.broken = True
    behind = [{"ack": call.name, "functype": "asyncfunc"}, {"result": call.name, "value": 1}]
    script.say({"together": [{"goodbye": "a"}, *behind]})
    script.contained(call, closes=True, clause="DSC-01r")
    script.lost("DSC-04r")


def _answered(script: Script, _choice: int) -> None:
    """What has come before the end counts."""
    call = script.ask(FORMS[CALL])
    script.say(
        {
            "together": [
                {"ack": call.name, "functype": "asyncfunc"},
                {"result": call.name, "value": call.value},
            ]
        }
    )
    script.say({"close": "a", "how": "close"})
    script.outcome(call, call.success, clause="DSC-04r")
    script.lost("DSC-04r")


_LEAVING = (_close, _cut, _fatal, _goodbye, _goodbye_and_more, _answered, _reset)
LEAVINGS = len(_LEAVING)


def do_quit(script: Script, pick: int, choice: int, _value: Any) -> None:
    """Have the driver leave, perhaps while calls are pending."""
    if choice & 1:
        begun(script, (CALL, STREAM, IDLE), pick)
    live = script.live
    if any(call.form.given_up or call.left for call in live):
        return
    op = script.name("r")
    script.say({"do": op, "op": "close"}, {"goodbye_of": "a", "clause": "DSC-01s"})
    script.say(*({"release": call.name} for call in live))
    script.say({"goodbye": "a"}, {"closed": "a", "clause": "DSC-01s"})
    script.say({"outcome": op, "be": {"outcome": "closed"}, "clause": "DSC-01s"})
    for call in live:
        script.contained(call, closes=True, clause="DSC-04r")
    script.ended = True


_FALSE_HELLOS: tuple[Any, ...] = (
    *({"$raw": "c0"}, 5, "ab", True, [], ["x"], ["", "b"], ["x", ""], [1, 2], [None, None]),
    *([{"$bin": "78"}, {"$bin": "79"}], {"name": "x"}, {"functype": "asyncfunc", "cid": "x"}),
    {"return": 1, "cid": "x"},
)
_LONG_HELLOS: tuple[list[Any], ...] = ([3], ["more", {"map": [1]}, None], [1, 2, 3], [{"$bin": "00"}])
HELLOS = len(_FALSE_HELLOS) + len(_LONG_HELLOS) + 6


def do_hello(script: Script, pick: int, choice: int, _value: Any) -> None:
    """Say hello in another way, or something else first."""
    if script.steps:
        return
    at = choice % HELLOS
    if at < len(_FALSE_HELLOS):
        script.hello, script.broken = _FALSE_HELLOS[at], True
        script.lost("HSK-01r", closed="HSK-01r")
        _ask_after(script)
    elif at < len(_FALSE_HELLOS) + len(_LONG_HELLOS):
        more = _LONG_HELLOS[at - len(_FALSE_HELLOS)]
        script.hello, script.broken = [{"$name": "a"}, {"$uuid": "a"}, *more], True
        script.barrier()
    else:
        script.hello = False
        _HELLOS[at - len(_FALSE_HELLOS) - len(_LONG_HELLOS)](script, pick)


def _late_hello(script: Script, _pick: int) -> None:
    script.say({"hello_of": "a", "clause": "HSK-02s"}, {"send": {"$uid": "a"}})
    script.barrier()


def _hello_in_pieces(script: Script, _pick: int) -> None:
    script.say({"together": [{"send": {"$uid": "a"}}], "split": 1})
    script.barrier()


def _hello_and_open(script: Script, _pick: int) -> None:
    opening: Step = {"open": "x0", "func": "iptc_no_such_function", "kwargs": {}}
    script.say({"together": [{"send": {"$uid": "a"}}, opening]}, {"hello_of": "a"})
    script.say({"expect": "x0", "events": [{"fail": "*"}], "clause": "HSK-04r"})
    script.barrier()


def _no_hello(script: Script, pick: int) -> None:
    script.say({"close": "a", "how": _HOWS[pick % 2]})
    script.lost("DSC-04r")
    _ask_after(script)


def _half_a_hello(script: Script, _pick: int) -> None:
    script.say({"bytes": ["0c000000 92a1"]}, {"close": "a", "how": "close"})
    script.lost("FRM-05r")
    _ask_after(script)


def _web(script: Script, _pick: int) -> None:
    script.broken = True
    script.say({"bytes": [{"text": "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n"}]})
    script.lost("HSK-01r", closed="FRM-03r")
    _ask_after(script)


_HELLOS = (_late_hello, _hello_in_pieces, _hello_and_open, _no_hello, _half_a_hello, _web)


def do_garbage(script: Script, _pick: int, _choice: int, value: Any) -> None:
    """Any body, and what the rules say of it."""
    meant = shared.meaning(bytes.fromhex(value))
    if meant is None:
        return
    frame: Step = {"frame": [value]}
    if meant.effect == "close":
        script.broken = True
        script.say(frame)
        script.lost("DSC-04r", closed="ROB-02r")
    elif meant.effect == "refuse":
        if meant.cid is None or meant.cid in script.seen:
            return
        script.seen.add(meant.cid)
        script.broken = True
        name = script.name("g")
        script.say({"bind": name, "cid": meant.cid}, frame)
        script.say({"expect": name, "any": _ANSWERS, "clause": "OPN-02s"})
    else:
        script.broken = True
        script.say(frame)
        script.barrier()
