"""What a callee must not send, or may send in another form, as steps of a case."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from iptc_conformance import _specdata, wire
from iptc_conformance.cases.values import Bindings
from iptc_conformance.msgpack_writer import encode

if TYPE_CHECKING:
    from iptc_fuzz.live_caller.calls import Call

Step = dict[str, Any]

_CID: Any = {"$cid": "it"}
_MALFORMED: tuple[dict[str, Any], ...] = (
    {"functype": "function", "cid": _CID},
    {"functype": None, "cid": _CID},
    {"functype": {"$bin": "6173796e6366756e63"}, "cid": _CID},
    {"stop": False, "cid": _CID},
    {"stop": None, "cid": _CID},
    {"stop": 1, "cid": _CID},
    {"error": "boom", "cid": _CID},
    {"error": None, "cid": _CID},
    {"error": {}, "cid": _CID},
    {"error": {"tb_str": "x"}, "cid": _CID},
    {"error": {"tb_str": "", "type_str": 5}, "cid": _CID},
    {"error": {"tb_str": "", "type_str": "ValueError", "message": "m"}, "cid": _CID},
    {"return": {"$raw": "a2fffe"}, "cid": _CID},
    {"yield": {"$raw": "a2c328"}, "cid": _CID},
    {"return": {"$map": [[{"a": 1}, 2]]}, "cid": _CID},
    {"return": {"$ext": [-1, "00"]}, "cid": _CID},
    {"return": 1, "more": 2, "cid": _CID},
    {"return": 1, "yield": 1, "cid": _CID},
    {"$map": [["return", 1], ["return", 2], ["cid", _CID]]},
    {"$map": [["return", 1], ["cid", _CID], ["cid", _CID]]},
    {"$map": [[{"$bin": "72657475726e"}, 1], ["cid", _CID]]},
    {"$map": [[7, 1], ["return", 1], ["cid", _CID]]},
    {"bogus": 1, "cid": _CID},
    {"cid": _CID},
    {"msg_type": "Return", "pld": 1, "cid": _CID},
)
"""Messages that are none, though one can read whose they would be."""


class Said(NamedTuple):
    """What a callee says of a call: the event of the table, its step, the clause that it breaks itself."""

    event: str
    step: Step
    clause: str | None = None


def of_callee(call: Call, choice: int) -> Said:
    """Anything that a callee may say of a call, at the right time or not."""
    at = choice % (len(EVENTS) + len(_MALFORMED))
    if at < len(EVENTS):
        return Said(EVENTS[at], _plain(call, EVENTS[at]))
    message = _MALFORMED[at - len(EVENTS)]
    return Said("MALFORMED", {"send": _of(message, call.name)}, _clauses()[at - len(EVENTS)])


EVENTS = (
    *("ACK_ASYNCFUNC", "ACK_ASYNCGEN", "ACK_CONTEXT", "STARTED", "ITEM", "END", "RESULT", "FAIL"),
    "OVERRUN",
)
SAYINGS = len(EVENTS) + len(_MALFORMED)
"""How many choices `of_callee` knows."""


def _plain(call: Call, event: str) -> Step:
    name = call.name
    if event.startswith("ACK_"):
        return {"ack": name, "functype": event.removeprefix("ACK_").lower()}
    if event in {"STARTED", "ITEM", "RESULT"}:
        return {event.lower(): name, "value": "another"}
    return {event.lower(): name}


def _of(message: Any, name: str) -> Any:
    """A message with the cid of a call."""
    if message == _CID:
        return {"$cid": name}
    if isinstance(message, dict):
        return {key: _of(value, name) for key, value in message.items()}
    if isinstance(message, list):
        return [_of(value, name) for value in message]
    return message


@cache
def _clauses() -> tuple[str | None, ...]:
    """What each of the malformed messages breaks."""
    bindings = Bindings("any")
    return tuple(wire.classify(encode(bindings.value(message))).clause for message in _MALFORMED)


_STRAY: tuple[dict[str, Any], ...] = (
    *({"functype": "asyncfunc"}, {"started": 1}, {"yield": 1}, {"return": "another's"}, {"stop": True}),
    {"error": {"tb_str": "", "type_str": "ValueError"}},
    {"error": {"tb_str": "", "type_str": "StreamOverrun"}},
    *({"return": 1, "more": 1}, {"stop": 1}, {"bogus": None}),
)


def stray(cid: Any, choice: int) -> Any:
    """A message of a call that nobody has opened."""
    return {**_STRAY[choice % len(_STRAY)], "cid": cid}


class Closing(NamedTuple):
    """Bytes that cost the connection, and the clause by which they do."""

    step: Step
    clause: str


CLOSING: tuple[Closing, ...] = (
    Closing({"send": 5}, "ROB-02r"),
    Closing({"send": {"$uid": "a"}}, "HSK-03r"),
    Closing({"send": "hello"}, "ROB-02r"),
    Closing({"send": [1, 2]}, "ROB-02r"),
    Closing({"send": {}}, "ENC-05r"),
    Closing({"send": {"return": 1}}, "ENC-05r"),
    Closing({"send": {"return": 1, "cid": 7}}, "CID-01r"),
    Closing({"send": {"return": 1, "cid": None}}, "CID-01r"),
    Closing({"send": {"return": 1, "cid": ""}}, "CID-01r"),
    Closing({"send": {"return": 1, "cid": ["a"]}}, "CID-01r"),
    Closing({"send": {"return": 1, "cid": {"$bin": "61"}}}, "CID-01r"),
    Closing({"send": {"return": 1, "cid": {"$repeat": ["x", 257]}}}, "CID-01r"),
    Closing({"send": {"$map": [["return", 1], ["cid", "one"], ["cid", "another"]]}}, "ENC-03r"),
    Closing({"send": {"$map": [[{"$raw": "a2fffe"}, 1]]}}, "ENC-02r"),
    Closing({"send": {"$map": [[7, 1]]}}, "ENC-04r"),
    Closing({"frame": [{"value": {"return": 1, "cid": "x"}}, "c0"]}, "FRM-02r"),
    Closing({"frame": [{"text": '{"return": 1, "cid": "x"}'}]}, "FRM-02r"),
    Closing({"bytes": ["00000000"]}, "FRM-04r"),
    Closing({"bytes": ["01000004"]}, "FRM-03r"),
    Closing({"bytes": ["ffffffff"]}, "FRM-03r"),
    Closing({"bytes": ["00000010", {"value": {"return": 1, "cid": "x"}}]}, "FRM-03r"),
    Closing({"frame": ["c1"]}, "ENC-01r"),
    Closing({"frame": ["82", "a6", {"text": "return"}]}, "ENC-01r"),
    Closing({"send": True}, "ROB-02r"),
)

CUT = (["4000"], ["40000000 82"], ["40000000 82 a6"], ["0c000000 82a672657475726e01"])
"""A frame that is cut short."""


def long_ack(call: Call, kind: str) -> Step:
    """An ACK in longer forms than need be."""
    key = ["df00000002", "db00000008", {"text": "functype"}]
    size = len(kind).to_bytes(4, "big").hex()
    return {"frame": [*key, f"db{size}", {"text": kind}, "d903", {"text": "cid"}, _cid(call)]}


def long_result(call: Call) -> Step:
    """A RESULT in longer forms than need be."""
    return {"frame": ["de0002", "da0006", {"text": "return"}, {"value": call.value}, "a3636964", _cid(call)]}


def _cid(call: Call) -> Any:
    return {"value": {"$cid": call.name}}


def receivers(clause: str | None) -> tuple[str | None, bool]:
    """The clause of whoever receives what breaks this one, and whether it is a MUST."""
    if clause is None:
        return None, False
    answer = f"{clause[:-1]}r"
    if answer not in _specdata.clauses():
        return None, False
    return answer, _specdata.clause_level(answer) == "MUST"
