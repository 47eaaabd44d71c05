"""The codec as the conformance suite wants one: a frame a line on stdin, a verdict a line on stdout.

`python -m iptc_codec.verdicts`; `iptc conform codec` runs it. conformance/README.md has the format:
`hello HEX` is the first frame of a side, `talking HEX` one after its hello.
"""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any, Final

import msgspec

from ._connection_table import HALF_TABLE, HalfEvent, HalfState
from ._conversation import HALF_EVENTS
from ._errors import DecodeError
from ._framing import Deframer
from ._limits import Limits
from ._messages import Ack, Fatal, Goodbye, Hello, Message
from ._tagged import TagError, tag
from ._wire import decode, write

if TYPE_CHECKING:
    from ._call_table import Reaction

_WHOLE_BYTES: Final = 65536
"""Of a longer frame the message is left out."""

_PHASES: Final = {"hello": HalfState.SILENT, "talking": HalfState.TALKING}
_FRAME: Final = "frame"

Answer = dict[str, Any]


def verdict(state: HalfState, frame: bytes) -> Answer:
    """What a receiver makes of a frame of a side that has sent what `state` says."""
    try:
        message = _message(frame)
    except DecodeError as error:
        breach = HALF_TABLE[state, error.event].breach
        if breach is None:
            return _refused(error.clause, error.reaction, error.cid)
        return _refused(error.clause if breach.clause == _FRAME else breach.clause, breach.reaction)
    event = HALF_EVENTS.get(type(message), HalfEvent.CALL)
    breach = HALF_TABLE[state, event].breach
    if breach is not None:
        return _refused(breach.clause, breach.reaction)
    return {"ok": True, "kind": _kind(message), **_shown(message, len(frame))}


def _message(frame: bytes) -> Message:
    deframer = Deframer(Limits())
    bodies = deframer.feed(frame)
    if deframer.refused:
        raise deframer.refused
    (body,) = bodies
    return decode(body)


def _refused(clause: str, reaction: Reaction, cid: str | None = None) -> Answer:
    return {"ok": False, "clause": clause, "reaction": reaction.value, "cid": cid}


def _kind(message: Message) -> str:
    match message:
        case Hello() | Fatal() | Goodbye():
            return HALF_EVENTS[type(message)].value
        case Ack():
            return "ACK"
        case _:
            return message.event.value


def _shown(message: Message, size: int) -> Answer:
    """The message as JSON, by way of the codec's own bytes; nothing if it is too large or too deep."""
    if size > _WHOLE_BYTES:
        return {}
    try:
        return {"message": tag(msgspec.msgpack.decode(write(message)))}
    except (RecursionError, TagError):
        return {}


def answer(line: str) -> str:
    """The verdict for one line, as JSON."""
    phase, _, hexed = line.strip().partition(" ")
    try:
        said = verdict(_PHASES[phase], bytes.fromhex(hexed))
    except (KeyError, ValueError) as error:
        said = {"unsupported": f"not PHASE HEX: {error}"[:200]}
    return json.dumps(said)


def main() -> None:
    """Answer every line of stdin."""
    for line in sys.stdin:
        print(answer(line), flush=True)


if __name__ == "__main__":
    main()
