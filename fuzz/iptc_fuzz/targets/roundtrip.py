"""Target `roundtrip`: a value in a message, written by the codec, read by three."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from iptc_codec import Item, LocalProtocolError, Message, Open, Result, decode, encode
from iptc_conformance.msgpack_reader import Malformed, read
from iptc_conformance.wire import classify
from iptc_fuzz.normal import normal, repeats, third_opinion
from iptc_fuzz.strategies import encodings
from iptc_fuzz.strategies.messages import bodies
from iptc_fuzz.strategies.values import nested, values
from iptc_fuzz.views import codec_reading, plain

if TYPE_CHECKING:
    from hypothesis import strategies as st

INVARIANTS = """decode(encode(m)) is m, by type of msgpack: 1, 1.0 and true differ, 0.0 and -0.0 too.
Judge and msgpack read from the codec's bytes what was written.
What the codec writes, it reads, and the judge finds legal."""


def inputs() -> st.SearchStrategy[bytes]:
    """Legal values and messages, in any legal form."""
    return encodings.bodies(values(16) | nested()) | bodies()


def check(data: bytes) -> None:
    """Raise AssertionError where something is lost."""
    try:
        if repeats(read(data)):
            return  # what becomes of the value is not defined
    except Malformed:
        return
    _, message = codec_reading(data)
    if message is not None:
        _check(message)
        return
    _, carrier = codec_reading(b"\x82\xa5yield" + data + b"\xa3cid\xa1c")
    if isinstance(carrier, Item):
        assert normal(carrier.value) == normal(read(data))
        _check(Result(carrier.value, "c"))
        _check(Open.of("ns", "f", {"x": carrier.value}, ("a", "b"), "c"))


def _check(message: Message) -> None:
    try:
        body = encode(message)
    except LocalProtocolError as error:
        assert error.clause == "CXL-01s", error
        return
    try:
        told: Any = normal(plain(message))
        assert normal(plain(decode(body))) == told
        assert third_opinion(body) == told
        assert normal(read(body)) == told
    except RecursionError:
        return
    except Malformed as error:
        raise AssertionError(f"the judge cannot read it: {error}") from error
    assert classify(body).clause is None
