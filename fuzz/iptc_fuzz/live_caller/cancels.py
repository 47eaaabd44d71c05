"""How a callee may answer a CANCEL: as it should, late, in part, or not at all as it should."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from iptc_fuzz.live_caller.calls import KINDS

if TYPE_CHECKING:
    from collections.abc import Callable

    from iptc_fuzz.live_caller.calls import Call
    from iptc_fuzz.live_caller.script import Script, Step

_UNARY = "asyncfunc"


def _end(call: Call) -> Step:
    return {"fail": call.name, "type": "ContextCancelled"}


def _result(kill: str, value: Any = True) -> Step:  # noqa: FBT002  (it is a value of the wire)
    return {"result": kill, "value": value}


def _ack(kill: str) -> Step:
    return {"ack": kill, "functype": _UNARY}


def _honest(script: Script, call: Call, kill: str) -> None:
    script.say(_ack(kill), _end(call), _result(kill))
    call.mute = call.form.op != "context"
    script.outcome(call, call.given_up, clause="CXL-03r")


def _target_first(script: Script, call: Call, kill: str) -> None:
    """The target ends before its CANCEL is acknowledged; the CANCEL returns something else than true."""
    script.broken = True
    script.say(_end(call), _ack(kill), _result(kill, {"some": ["thing"]}))
    script.outcome(call, call.given_up, clause="CXL-03r")


def _nil(script: Script, call: Call, kill: str) -> None:
    script.broken = True
    script.say(_ack(kill), _end(call), _result(kill, None))
    script.outcome(call, call.given_up, clause="CXL-03r")


def _alone(script: Script, call: Call, kill: str) -> None:
    """Only the CANCEL is answered."""
    script.broken = True
    script.say(_ack(kill), _result(kill))
    script.outcome(call, call.given_up, clause="CXL-02r")
    call.loose = True


def _then_late(script: Script, call: Call, kill: str) -> None:
    """The CANCEL is answered first, and its target ends late."""
    script.broken = True
    script.say(_ack(kill), _result(kill, None))
    script.outcome(call, call.given_up, clause="CXL-02r")
    script.say(_end(call))


def _by_itself(script: Script, call: Call, kill: str) -> None:
    """The target ends well before its CANCEL is read."""
    if call.state == "unary":
        script.say({"result": call.name, "value": call.value})
    elif call.state == "generator":
        script.say({"end": call.name})
    else:
        _honest(script, call, kill)
        return
    script.say(_ack(kill), _result(kill, False))  # noqa: FBT003
    script.outcome(call, call.given_up, call.success, clause="CXL-03r")


def _items_between(script: Script, call: Call, kill: str) -> None:
    """Items, and an END, cross the CANCEL."""
    if call.state not in {"generator", "open"}:
        _honest(script, call, kill)
        return
    item: Step = {"item": call.name, "value": {"$i": True}, "times": 3}
    script.say(item, _ack(kill), item)
    if call.state == "open":
        script.say({"end": call.name})
    script.say(_end(call), _result(kill))
    script.outcome(call, call.given_up, clause="CXL-03r")


def _refused(script: Script, call: Call, kill: str) -> None:
    """The CANCEL fails, and its target ends all the same."""
    script.say(_ack(kill), {"fail": kill, "type": "LookupError"}, _end(call))
    script.outcome(call, call.given_up, {"outcome": "error"}, {"outcome": "cancelled"}, clause="ROB-01r")


def _twice(script: Script, call: Call, kill: str) -> None:
    script.broken = True
    script.say(_ack(kill), _end(call), _end(call), _result(kill), _result(kill))
    script.outcome(call, call.given_up, clause="TRM-02r")


def _patient(script: Script, call: Call, kill: str) -> None:
    """The target takes its time, while others are served; what it says first comes late."""
    script.say(_ack(kill))
    if call.state == "requested":
        script.say({"ack": call.name, "functype": KINDS[call.form.op]})
    script.barrier()
    script.say(_end(call), _result(kill))
    script.outcome(call, call.given_up, clause="CXL-01s")


ANSWERS: tuple[Callable[[Script, Call, str], None], ...] = (
    _honest,
    _nil,
    _alone,
    _then_late,
    _by_itself,
    _items_between,
    _refused,
    _twice,
    _patient,
    _target_first,
)
"""What each answer says, and what the op comes to."""
