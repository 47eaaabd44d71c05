"""What a frame of the testee is, read leniently: whether it may be so is the judge's business."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any, NamedTuple

from iptc_conformance import _specdata
from iptc_conformance.msgpack_reader import Malformed, read

if TYPE_CHECKING:
    from collections.abc import Iterator

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


class Deframer:
    """Cuts a byte stream into frames. After a length that is refused, everything is one remainder."""

    def __init__(self) -> None:
        self.pending = bytearray()
        self.refused = False
        self._limit = _specdata.limit("frame_bytes")

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        """Yield each whole frame, its header included."""
        self.pending += chunk
        while not self.refused and len(self.pending) >= 4:
            (length,) = struct.unpack_from("<I", self.pending)
            if length > self._limit or length == 0:
                self.refused = True
                return
            if len(self.pending) < 4 + length:
                return
            frame = bytes(self.pending[: 4 + length])
            del self.pending[: 4 + length]
            yield frame
