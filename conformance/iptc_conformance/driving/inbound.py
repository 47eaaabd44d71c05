"""What a frame of the testee is, read leniently: whether it may be so is the judge's business."""

from __future__ import annotations

from typing import Any, NamedTuple

from iptc_conformance.msgpack_reader import Malformed, read

_WORDS = {
    "functype": "ack",
    "started": "started",
    "yield": "item",
    "stop": "end",
    "return": "result",
    "error": "fail",
    "cmd": "open",
}
OVERRUN_TYPE = "StreamOverrun"


class Frame(NamedTuple):
    """A frame by its kind: a call's message, or hello, goodbye, fatal, bad. `cid`: None if it has none."""

    kind: str
    cid: Any
    value: Any


def interpret(body: bytes) -> Frame:
    """Name a frame's body.  Never raises: whatever is none of the messages is `bad`."""
    try:
        value = read(body)
    except Malformed:
        return Frame("bad", None, None)
    if value is None:
        return Frame("goodbye", None, None)
    if isinstance(value, list):
        return Frame("hello", None, value)
    if not isinstance(value, dict):
        return Frame("bad", None, value)
    for key, kind in _WORDS.items():
        if key in value:
            return _message(kind, value[key], value)
    return Frame("bad", value.get("cid"), value)


def _message(kind: str, value: Any, whole: dict[str, Any]) -> Frame:
    cid = whole.get("cid")
    if kind != "fail":
        return Frame(kind, cid, value)
    type_str = value.get("type_str") if isinstance(value, dict) else None
    if "cid" not in whole:
        return Frame("fatal", None, type_str)
    return Frame("overrun" if type_str == OVERRUN_TYPE else "fail", cid, type_str)
