"""Target `frames`: one body, read by the codec, by the judge, by `msgpack`, and by the JSON Schema."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from iptc_codec import Hello, LocalProtocolError, Message, Open, decode, encode
from iptc_conformance import _specdata, tagged
from iptc_fuzz.normal import normal, repeats, third_opinion
from iptc_fuzz.strategies.malformed import broken_bodies
from iptc_fuzz.strategies.messages import bodies
from iptc_fuzz.targets import schema
from iptc_fuzz.views import Reading, codec_reading, judge_reading, plain

if TYPE_CHECKING:
    from hypothesis import strategies as st

    from iptc_conformance.wire import Classified

INVARIANTS = """Codec and judge say the same of any body: event, kind, clause, cid, whether it opens.
A legal one has the same value for codec, judge and msgpack, fits the JSON Schema, and survives encoding.
Nothing but a protocol error is raised. Deeper than 100 levels the codec may refuse (ENC-06r)."""

DEEP = "ENC-06r"


def inputs() -> st.SearchStrategy[bytes]:
    """Bodies, legal and not."""
    return bodies() | broken_bodies() | broken_bodies()


def check(data: bytes) -> None:
    """Raise AssertionError where readers differ."""
    if not data:
        return  # no body is empty: a frame of length zero is refused before (FRM-04s)
    codec, message = codec_reading(data)
    judge, seen = judge_reading(data)
    if codec.clause == DEEP:
        assert _may_refuse(codec, judge, seen), (codec, judge)
        return
    assert codec == judge, f"codec {codec}, judge {judge}"
    if message is not None and seen.message is not None:
        _check_value(data, message, seen)


def _may_refuse(codec: Reading, judge: Reading, seen: Classified) -> bool:
    """Tell whether this is deeper than has to be read, and costs no more than its call."""
    if judge.clause is not None:  # broken besides: then the codec only stopped sooner
        return judge.cid == codec.cid and judge.event == codec.event
    if judge.event in {"HELLO", "FATAL"}:  # only a hello has values; without a cid it costs the connection
        return judge.event == "HELLO" and codec.event == "MALFORMED_OBJECT"
    return seen.depth > _specdata.limit("nesting") and seen.cid == codec.cid


def _check_value(data: bytes, message: Message, seen: Classified) -> None:
    assert seen.message is not None
    if repeats(seen.message.whole):
        return  # what becomes of the value is not defined
    try:
        heard = normal(plain(message))
        assert heard == normal(seen.message.whole)
        assert heard == third_opinion(data)
        assert schema.accepts(tagged.tag(seen.message.whole))
    except RecursionError:
        return  # of the comparisons, not of the codec
    check_sent(message)


def check_sent(message: Message) -> None:
    """A message that was received goes out as it came in, but for the one that may only be received."""
    try:
        body = encode(message)
    except LocalProtocolError as error:
        # Legal to receive and not to send.
        assert error.clause == "CXL-01s", error
        assert isinstance(message, Open)
        return
    again = decode(body)
    assert type(again) is type(message)
    if not isinstance(message, Hello):
        assert isinstance(again, Struct)
    assert normal(plain(again)) == normal(plain(message))
    assert judge_reading(body)[0] == codec_reading(body)[0]
