"""Codec and judge behind one face: what each makes of a frame or a conversation, as plain tuples."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import msgpack  # type: ignore[import-untyped]

from iptc_codec import (
    Ack,
    Connection,
    ConnectionLost,
    DecodeError,
    Deframer,
    End,
    Event,
    Fail,
    Fatal,
    Goodbye,
    GoodbyeReceived,
    Hello,
    HelloReceived,
    Item,
    Limits,
    Message,
    Open,
    Result,
    Role,
    Started,
    Violation,
    decode,
)
from iptc_conformance import wire
from iptc_conformance.judge import Finding, Judge
from iptc_conformance.judge.calls import event_of
from iptc_conformance.trace import TraceEvent

if TYPE_CHECKING:
    from tests.agreement.agreement_support import Side, Vector

UIDS: dict[Side, tuple[str, str]] = {"initiator": ("alice", "a1"), "acceptor": ("bob", "b1")}
ROLES: dict[Side, Role] = {"initiator": Role.INITIATOR, "acceptor": Role.ACCEPTOR}


class Verdict(NamedTuple):
    """What a frame is, or what it violates."""

    kind: str | None = None
    clause: str | None = None
    reaction: str | None = None
    cid: str | None = None


class Reading(NamedTuple):
    """What a frame is by itself, before any state."""

    event: str
    kind: str | None = None
    clause: str | None = None
    cid: str | None = None
    opens: bool = False


def framed(value: Any) -> bytes:
    """Return a value as a frame."""
    body: bytes = msgpack.packb(value)
    return len(body).to_bytes(4, "little") + body


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
        case Started():
            return {"started": message.value, "cid": message.cid}
        case Item():
            return {"yield": message.value, "cid": message.cid}
        case End():
            return {"stop": True, "cid": message.cid}
        case Result():
            return {"return": message.value, "cid": message.cid}
        case Fail() | Fatal():
            error = {"tb_str": message.error.tb_str, "type_str": message.error.type_str}
            return {"error": error, "cid": message.cid} if isinstance(message, Fail) else {"error": error}
        case Goodbye():
            return None


def kind_of(event: Event | Message) -> str:
    """Return the kind of an event of the codec."""
    match event:
        case Hello() | HelloReceived():
            return "HELLO"
        case Goodbye() | GoodbyeReceived():
            return "GOODBYE"
        case Fatal():
            return "FATAL"
        case ConnectionLost():
            return "EOF"
        case Violation():
            return event.clause
        case _:
            return event.event.value


# ---- one frame


def before(vector: Vector) -> list[tuple[Side, Any]]:
    """Return what was said before the frame of a vector, which the initiator sends."""
    if vector.phase == "hello":
        return [("acceptor", list(UIDS["acceptor"]))]
    said: list[tuple[Side, Any]] = [(side, list(uid)) for side, uid in UIDS.items()]
    kind, cid = "MALFORMED", "c1"
    if vector.accept:
        kind = vector.accept["kind"]
        cid = (vector.accept.get("message") or {}).get("cid", "c1")
    elif vector.optional and vector.refuse and not vector.refuse["opens"]:
        kind = "ITEM"  # where an item is legal, a result is too
    elif vector.refuse and (vector.refuse["opens"] or vector.refuse["event"] != "MALFORMED_CALL"):
        return said
    if kind in {"OPEN", "HELLO", "FATAL", "GOODBYE"}:
        return said
    said.append(("acceptor", {"cmd": ["ns", "f", {}, list(UIDS["acceptor"]), cid]}))
    if kind in {"STARTED", "ITEM", "END", "RESULT", "OVERRUN"}:
        said.append(("initiator", {"functype": "context", "cid": cid}))
    if kind in {"ITEM", "END", "RESULT", "OVERRUN"}:
        said.append(("initiator", {"started": None, "cid": cid}))
    return said


def codec_reading(frame: bytes) -> tuple[Reading, Message | None]:
    """Return what the codec's lower layer makes of a frame."""
    deframer = Deframer(Limits())
    bodies = deframer.feed(frame)
    try:
        if deframer.refused:
            raise deframer.refused
        message = decode(bodies[0])
    except DecodeError as error:
        return Reading(error.event.value, None, error.clause, error.cid, error.opens), None
    kind = kind_of(message)
    return Reading(kind if kind in {"HELLO", "FATAL", "GOODBYE"} else "CALL", kind), message


def judge_reading(frame: bytes) -> tuple[Reading, wire.Message | None]:
    """Return what the judge's lower layer makes of a frame."""
    (cut,) = wire.Deframer().feed(frame)
    seen = wire.classify_frame(cut)
    if seen.message is None:
        return Reading(seen.event.value, None, seen.clause, seen.cid, seen.opens), None
    kind = event_of(seen.message) if seen.message.kind == "ACK" else seen.message.kind
    return Reading(seen.event.value, kind), seen.message


def codec_verdict(said: list[tuple[Side, Any]], chunks: list[bytes]) -> Verdict:
    """Return what a Connection at the acceptor's seat makes of a frame of the initiator."""
    connection = Connection(UIDS["acceptor"], Role.ACCEPTOR)
    for side, value in said:
        if side == "acceptor":
            assert connection.send(decode(framed(value)[4:])) == framed(value)
        else:
            assert not any(isinstance(event, Violation) for event in connection.receive(framed(value)))
    events = [event for chunk in chunks for event in connection.receive(chunk)]
    (event,) = events
    if isinstance(event, Violation):
        return Verdict(None, event.clause, event.reaction.value, event.cid)
    return Verdict(kind_of(event))


def judge_verdict(said: list[tuple[Side, Any]], chunks: list[bytes]) -> Verdict:
    """Return what the judge makes of the same."""
    judge = Judge()
    for seq, (side, value) in enumerate(said):
        assert judge.feed(TraceEvent(seq, "1", side, framed(value))) == []
    findings = [
        finding
        for seq, chunk in enumerate(chunks, len(said))
        for finding in judge.feed(TraceEvent(seq, "1", "initiator", chunk))
        if is_must(finding)
    ]
    if findings:
        (finding,) = findings
        return Verdict(None, finding.clause, finding.reaction, finding.cid)
    reading, _ = judge_reading(b"".join(chunks))
    return Verdict(reading.kind)


def is_must(finding: Finding) -> bool:
    """Tell whether a finding is of a MUST: what the judge says of a SHOULD is beside the tables."""
    return finding.level == "MUST"
