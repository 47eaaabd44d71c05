"""Codec and judge behind one face: what each makes of a frame, as plain tuples."""

from __future__ import annotations

from typing import Any, NamedTuple

from iptc_codec import (
    Ack,
    DecodeError,
    End,
    Fail,
    Fatal,
    Goodbye,
    Hello,
    Item,
    Message,
    Open,
    Result,
    Started,
    decode,
)
from iptc_conformance import wire
from iptc_conformance.judge.calls import event_of


class Reading(NamedTuple):
    """What a body is by itself: an event of the connection's table, and what message or which breach."""

    event: str
    kind: str | None = None
    clause: str | None = None
    cid: str | None = None
    opens: bool = False


def plain(message: Message) -> Any:
    """Return a message of the codec as the value that its body is."""
    match message:
        case Hello():
            return [message.name, message.uuid, *message.extra]
        case Open():
            cmd = message.cmd
            return {"cmd": [cmd.ns, cmd.func, cmd.kwargs, list(cmd.uid), cmd.cid]}
        case Ack():
            return {"functype": message.functype, "cid": message.cid}
        case End():
            return {"stop": True, "cid": message.cid}
        case Fail() | Fatal():
            error = {"tb_str": message.error.tb_str, "type_str": message.error.type_str}
            return {"error": error, "cid": message.cid} if isinstance(message, Fail) else {"error": error}
        case Goodbye():
            return None
        case Started() | Item() | Result():
            return {_VALUE_KEYS[type(message)]: message.value, "cid": message.cid}


_VALUE_KEYS: dict[type, str] = {Started: "started", Item: "yield", Result: "return"}


def kind_of(message: Message) -> str:
    """Return the kind of a message: HELLO, FATAL, GOODBYE, or the call table's event."""
    match message:
        case Hello():
            return "HELLO"
        case Goodbye():
            return "GOODBYE"
        case Fatal():
            return "FATAL"
        case _:
            return message.event.value


def codec_reading(body: bytes) -> tuple[Reading, Message | None]:
    """Return what the codec makes of a body."""
    try:
        message = decode(body)
    except DecodeError as error:
        return Reading(error.event.value, None, error.clause, error.cid, error.opens), None
    kind = kind_of(message)
    return Reading(kind if kind in {"HELLO", "FATAL", "GOODBYE"} else "CALL", kind), message


def judge_reading(body: bytes) -> tuple[Reading, wire.Classified]:
    """Return what the judge makes of a body."""
    seen = wire.classify(body)
    if seen.message is None:
        return Reading(seen.event.value, None, seen.clause, seen.cid, seen.opens), seen
    kind = event_of(seen.message) if seen.message.kind == "ACK" else seen.message.kind
    return Reading(seen.event.value, kind), seen
