"""Frames of protocol version 1: cut from a byte stream, and each read by the ladder of rules.

`classify` names what a body is, or the first rule that it breaks:
the bytes, then the envelope's keys, its cid, its body, and last the values inside it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from iptc_conformance import _specdata, msgpack_reader, msgpack_writer
from iptc_conformance._envelope import Broken, hello_body, read_envelope, readable_cid
from iptc_conformance._values import ValueFacts, check_value
from iptc_conformance.msgpack_reader import Kind, Malformed

if TYPE_CHECKING:
    from collections.abc import Mapping

HEADER_BYTES = 4


class Event(StrEnum):
    """What a frame is to the connection: the events of `connection.json`, but EOF."""

    HELLO = "HELLO"
    CALL = "CALL"
    FATAL = "FATAL"
    GOODBYE = "GOODBYE"
    MALFORMED_CALL = "MALFORMED_CALL"
    MALFORMED_OBJECT = "MALFORMED_OBJECT"
    MALFORMED_BYTES = "MALFORMED_BYTES"


@dataclass(frozen=True, slots=True)
class Message:
    """A legal message.

    `kind` is HELLO, OPEN, ACK, STARTED, ITEM, END, RESULT, FAIL, OVERRUN, FATAL or GOODBYE.
    `fields` holds, by kind: HELLO name, uuid; OPEN ns, func, uid (a pair); ACK functype;
    FAIL, OVERRUN, FATAL type_str, tb_str. Values of the application are read on demand: `value`.
    """

    kind: str
    cid: str | None
    fields: Mapping[str, Any]
    body: bytes
    value_at: int | None = None

    @property
    def value(self) -> Any:
        """The value of a STARTED, ITEM or RESULT, the kwargs of an OPEN; None for the other kinds."""
        return None if self.value_at is None else msgpack_reader.read(self.body, self.value_at)

    @property
    def whole(self) -> Any:
        """The whole body as a value."""
        return msgpack_reader.read(self.body)


@dataclass(frozen=True, slots=True)
class Classified:
    """What a frame is.

    `clause` and `detail` tell which rule it breaks first; both are empty for a legal one.
    `cid` is that of a legal call message, or of a malformed one if it can be read.
    `opens`: a malformed map whose cid can be read has the key `cmd`.
    `depth`: how many arrays and maps are nested in its values.
    """

    event: Event
    clause: str | None = None
    cid: str | None = None
    opens: bool = False
    message: Message | None = None
    detail: str = ""
    depth: int = 0
    has_map: bool = False
    has_timestamp: bool = False

    @property
    def kind(self) -> str | None:
        """The kind of the message, None if it is malformed."""
        return None if self.message is None else self.message.kind


@dataclass(frozen=True, slots=True)
class Frame:
    """A frame as cut from the stream. `body` is None where the header alone is refused for its length."""

    length: int
    body: bytes | None


class Deframer:
    """Cuts one direction of a connection into frames, whatever the chunks.

    A header above `frame_bytes` yields a Frame without a body at once; nothing after it is looked at.
    """

    def __init__(self, frame_bytes: int | None = None) -> None:
        self._frame_bytes = _specdata.limit("frame_bytes") if frame_bytes is None else frame_bytes
        self._held = bytearray()
        self._refused = False

    @property
    def pending(self) -> int:
        """How many bytes of an unfinished frame are held."""
        return len(self._held)

    @property
    def rest(self) -> bytes:
        """What is held of an unfinished frame."""
        return bytes(self._held)

    def feed(self, data: bytes) -> list[Frame]:
        """Return the frames that these bytes complete."""
        frames: list[Frame] = []
        if self._refused:
            return frames
        self._held += data
        at = 0
        while len(self._held) - at >= HEADER_BYTES:
            length = int.from_bytes(self._held[at : at + HEADER_BYTES], "little")
            if length > self._frame_bytes:
                self._refused = True
                frames.append(Frame(length, None))
                at = len(self._held)
                break
            end = at + HEADER_BYTES + length
            if len(self._held) < end:
                break
            with memoryview(self._held) as held:
                frames.append(Frame(length, bytes(held[at + HEADER_BYTES : end])))
            at = end
        del self._held[:at]
        return frames

    def drop(self) -> None:
        """Let go of what is held, and take nothing any more."""
        self._refused = True
        self._held.clear()


def encode(value: Any) -> bytes:
    """Return the msgpack of a value in its shortest form. Raises ValueError."""
    return msgpack_writer.encode(value)


def frame(body: bytes) -> bytes:
    """Return a body with its header; any length, legal or not."""
    return len(body).to_bytes(HEADER_BYTES, "little") + body


def classify_frame(cut: Frame) -> Classified:
    """Return what a frame is, its header included."""
    if cut.body is None:
        detail = f"a frame of {cut.length} bytes is longer than frame_bytes"
        return Classified(Event.MALFORMED_BYTES, "FRM-03s", detail=detail)
    return classify(cut.body)


def classify(body: bytes) -> Classified:
    """Return what a body is, or the first rule of the ladder that it breaks."""
    if not body:
        return Classified(Event.MALFORMED_BYTES, "FRM-04s", detail="a frame of length zero")
    try:
        end = msgpack_reader.end_of(body)
    except Malformed as error:
        return Classified(Event.MALFORMED_BYTES, "ENC-01s", detail=str(error))
    if end != len(body):
        detail = f"{len(body) - end} bytes follow the object"
        return Classified(Event.MALFORMED_BYTES, "FRM-02s", detail=detail)
    kind = msgpack_reader.token_at(body).kind
    if kind is Kind.NIL:
        return Classified(Event.GOODBYE, message=Message("GOODBYE", None, {}, body))
    if kind is Kind.ARRAY:
        return _classify_array(body)
    if kind is Kind.MAP:
        return _classify_map(body)
    detail = f"the body is of type {kind}: neither nil nor a map"
    return Classified(Event.MALFORMED_OBJECT, "ROB-02s", detail=detail)


def _classify_array(body: bytes) -> Classified:
    """Return HELLO or, for any other array, a malformed object."""
    hello = hello_body(body)
    if hello is None:
        detail = "an array that is no hello of two non-empty str"
        return Classified(Event.MALFORMED_OBJECT, "ROB-02s", detail=detail)
    name, uuid, extra = hello
    fields = {"name": name, "uuid": uuid, "extra": extra}
    return Classified(Event.HELLO, message=Message("HELLO", None, fields, body))


def _refuse_faults(values: list[ValueFacts]) -> None:
    """Raise Broken for the first rule that a value breaks."""
    for value in values:
        if value.clause is not None:
            raise Broken(value.clause, value.detail)


def _classify_map(body: bytes) -> Classified:
    """Return the message of a map, or what is wrong with it."""
    envelope = read_envelope(body)
    try:
        content = envelope.content()
        values = [check_value(body, at) for at in content.values]
        _refuse_faults(values)
    except Broken as broken:
        cid = readable_cid(envelope)
        if cid is None:
            return Classified(Event.MALFORMED_OBJECT, broken.clause, detail=broken.detail)
        opens = envelope.has_cmd
        return Classified(Event.MALFORMED_CALL, broken.clause, cid, opens, detail=broken.detail)
    return Classified(
        Event.FATAL if content.kind == "FATAL" else Event.CALL,
        cid=content.cid,
        message=Message(content.kind, content.cid, content.fields, body, content.value_at),
        depth=max((value.depth for value in values), default=0),
        has_map=any(value.has_map for value in values),
        has_timestamp=any(value.has_timestamp for value in values),
    )
