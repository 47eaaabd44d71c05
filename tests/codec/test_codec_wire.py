"""Messages to bytes and back, by the fast way and the slow one, and what is refused before it is sent."""

from __future__ import annotations

import dataclasses
import datetime as dt
from typing import Any

import msgpack  # type: ignore[import-untyped]
import msgspec
import pytest

from iptc_codec import (
    Ack,
    Command,
    Connection,
    DecodeError,
    End,
    Fail,
    Fatal,
    Goodbye,
    HalfEvent,
    HalfState,
    Hello,
    Item,
    LocalProtocolError,
    Message,
    Open,
    ProtocolError,
    Result,
    Started,
    UnencodableValueError,
    Violation,
    decode,
    encode,
)
from iptc_codec import _wire as wire
from iptc_codec._messages import ErrorBody

UID = ("n", "u")
OPEN = Open.of("ns", "f", {"x": 1}, UID, "c")

PLAIN: list[tuple[Message, Any]] = [
    (Hello("n", "u"), ["n", "u"]),
    (Hello("n", "u", (1, {"a": None})), ["n", "u", 1, {"a": None}]),
    (OPEN, {"cmd": ["ns", "f", {"x": 1}, ["n", "u"], "c"]}),
    (Ack("asyncfunc", "c"), {"functype": "asyncfunc", "cid": "c"}),
    (Ack("asyncgen", "c"), {"functype": "asyncgen", "cid": "c"}),
    (Ack("context", "c"), {"functype": "context", "cid": "c"}),
    (Started([1], "c"), {"started": [1], "cid": "c"}),
    (Item(b"\x00", "c"), {"yield": b"\x00", "cid": "c"}),
    (End.of("c"), {"stop": True, "cid": "c"}),
    (Result(None, "c"), {"return": None, "cid": "c"}),
    (Fail.of("E", "tb", "c"), {"error": {"tb_str": "tb", "type_str": "E"}, "cid": "c"}),
    (Fail.of("StreamOverrun", "", "c"), {"error": {"tb_str": "", "type_str": "StreamOverrun"}, "cid": "c"}),
    (Fatal.of("E", "tb"), {"error": {"tb_str": "tb", "type_str": "E"}}),
    (Goodbye(), None),
]


def names(message: Any) -> str:
    """A test id."""
    return type(message).__name__


@pytest.mark.parametrize(("message", "plain"), PLAIN, ids=names)
def test_a_message_is_the_map_that_the_specification_shows(message: Message, plain: Any) -> None:
    """Keys in the order shown; another library reads and writes the same bytes."""
    body = encode(message)
    assert msgpack.unpackb(body) == plain
    assert body == msgpack.packb(plain)
    assert decode(body) == message
    assert decode(memoryview(body)) == message


@pytest.mark.parametrize(("message", "plain"), [row for row in PLAIN if isinstance(row[1], dict)], ids=names)
@pytest.mark.parametrize("cid", ["c", "c" * 31, "c" * 32, "c" * 64, "c" * 65, "é" * 65, "c" * 256, "é" * 128])
def test_the_keys_may_stand_in_any_order(message: Message, plain: dict[str, Any], cid: str) -> None:
    """ENC-09r, for cids of every header and on both sides of what the fast way takes."""
    message = with_cid(message, cid)
    entries = list(msgpack.unpackb(encode(message)).items())
    assert decode(msgpack.packb(dict(entries[::-1]))) == message
    assert decode(encode(message)) == message


def with_cid(message: Message, cid: str) -> Message:
    """The same message about another call, if it is about one."""
    if isinstance(message, Open):
        return Open(msgspec.structs.replace(message.cmd, cid=cid))
    return msgspec.structs.replace(message, cid=cid) if hasattr(message, "cid") else message


@pytest.mark.parametrize(("message", "plain"), [row for row in PLAIN if isinstance(row[1], dict)], ids=names)
def test_a_longer_header_is_as_good(message: Message, plain: dict[str, Any]) -> None:
    """ENC-10r: of the map, and of its first key."""
    body = encode(message)
    size, key = body[0] & 0x0F, body[1] & 0x1F
    for header in (bytes([0xDE, 0, size]), bytes([0xDF, 0, 0, 0, size])):
        assert decode(header + body[1:]) == message
    for header in (bytes([0xD9, key]), bytes([0xDA, 0, key]), bytes([0xDB, 0, 0, 0, key])):
        assert decode(body[:1] + header + body[2:]) == message


@pytest.mark.parametrize(
    ("body", "clause"),
    [
        ("82a56572726f7283a674625f737472a0a674625f737472a0a8747970655f737472a0a3636964a163", "ERR-01s"),
        ("82a3636964a163a56572726f7283a674625f737472a0a674625f737472a0a8747970655f737472a0", "ERR-01s"),
        ("81a56572726f7283a674625f737472a0a674625f737472a0a8747970655f737472a0", "ERR-01s"),
        ("82a473746f70c2a3636964a163", "STR-05s"),
        ("82a3636964a163a473746f70c2", "STR-05s"),
        ("82a473746f7001a3636964a163", "STR-05s"),
        ("82a57969656c6401a57969656c6402", "ENC-03s"),
        ("82a3636964a163a3636964a163", "ENC-03s"),
        ("82a36369640aa57969656c6401", "CID-01s"),
        ("82a3636964da0001", "ENC-01s"),
        ("82a3636964", "ENC-01s"),
        ("82", "ENC-01s"),
        ("", "ENC-01s"),
    ],
)
def test_the_fast_way_lets_nothing_pass(body: str, clause: str) -> None:
    """Each of these is one step from a message that msgspec alone would have taken."""
    with pytest.raises(DecodeError) as caught:
        decode(bytes.fromhex(body))
    assert caught.value.clause == clause


def test_a_longer_cid_does_not_lead_the_fast_way_astray() -> None:
    """Its bytes stand where those of a key are looked for: here they say that the error has two entries."""
    cid = ("x" * 59 + "r_\x82").encode() + b"_"
    error = bytes.fromhex("83a674625f737472a0a674625f737472a0a8747970655f737472a0")
    body = b"\x82\xa3cid\xd9" + bytes([len(cid)]) + cid + b"\xa5error" + error
    assert (body[66:67], body[69]) == (b"r", 0x82)
    with pytest.raises(DecodeError) as caught:
        decode(body)
    assert (caught.value.clause, caught.value.cid) == ("ERR-01s", cid.decode())


LARGE = b"\xdd\x00\x01\x00\x00" + b"\xa1a" * 0x10000
LONG_WAYS = {
    "cid": b"\x82\xa5yield" + LARGE + b"\xa3cid\xd9\x41" + b"c" * 65,
    "cid first": b"\x82\xa3cid\xd9\x20" + b"c" * 32 + b"\xa6return" + LARGE,
    "key": b"\x82\xd9\x05yield" + LARGE + b"\xa3cid\xa1c",
    "map": b"\xde\x00\x02\xa7started" + LARGE + b"\xa3cid\xa1c",
    "open": b"\x81\xda\x00\x03cmd\x95\xa1n\xa1f\x81\xa1k" + LARGE + b"\x92\xa1n\xa1u\xa1c",
    "hello": b"\x93\xa1n\xa1u" + LARGE,
}


@pytest.mark.parametrize("way", LONG_WAYS)
def test_what_is_legal_is_never_looked_through(way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """ENC-09r, ENC-10r: whatever its headers and order, a large value costs what msgspec takes for it."""

    def ladder(_: object) -> Any:
        pytest.fail("the ladder was asked")

    monkeypatch.setattr(wire, "refusal", ladder)
    assert not isinstance(decode(LONG_WAYS[way]), Fail)


@pytest.mark.parametrize(
    ("body", "clause", "cid"),
    [
        ("82a3636d6495a16ea16680 92a16ea175a163 a3636964c0", "ENC-05s", None),
        ("83a57969656c6401a57969656c6402d9036369 64a163", "ENC-03s", "c"),
        ("81d903636d64a56e66786b63", "OPN-01s", None),
        ("81d903636d6495a16ea16680a26e75a163", "OPN-01s", "c"),
        ("81d903636d6495a16ea166810101 92a16ea175a163", "OPN-01s", "c"),
        ("82d90473746f7001a3636964a163", "STR-05s", "c"),
        ("82d90866756e6374797065 90a3636964a163", "OPN-05s", "c"),
        ("82d9057969656c6401a3636964c0", "CID-01s", None),
        ("810000", "ENC-04s", None),
    ],
)
def test_the_loose_way_lets_nothing_pass_either(body: str, clause: str, cid: str | None) -> None:
    """What msgspec reads, whatever it is, is held to the same rules."""
    with pytest.raises(DecodeError) as caught:
        decode(bytes.fromhex(body))
    assert (caught.value.clause, caught.value.cid) == (clause, cid)


def nested(depth: int) -> bytes:
    """An item whose value is nested so deep."""
    return b"\x82\xa5yield" + b"\x91" * depth + b"\xc0\xa3cid\xa1c"


def test_a_value_may_be_nested_as_deep_as_everyone_takes() -> None:
    """ENC-06r."""
    assert isinstance(decode(nested(100)), Item)


def test_a_value_that_is_nested_too_deep_costs_its_call() -> None:
    """ENC-06r: whether msgspec gives up or the scanner does, and never with a RecursionError."""
    for depth in (2_000, 20_000, 2_000_000):
        with pytest.raises(DecodeError) as caught:
            decode(nested(depth))
        assert (caught.value.clause, caught.value.cid) == ("ENC-06r", "c")
        assert caught.value.event is HalfEvent.MALFORMED_CALL


def test_a_hello_that_is_nested_too_deep_costs_the_connection() -> None:
    """There is no call that could pay."""
    with pytest.raises(DecodeError) as caught:
        decode(b"\x93\xa1n\xa1u" + b"\x91" * 2_000 + b"\xc0")
    assert (caught.value.clause, caught.value.event) == ("ENC-06r", HalfEvent.MALFORMED_OBJECT)


def test_a_body_for_which_there_is_no_memory_costs_its_call(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is legal, and yet more than this receiver can take."""

    def exhausted(_: object) -> Any:
        raise MemoryError

    monkeypatch.setattr(wire, "read_value", exhausted)
    with pytest.raises(DecodeError) as caught:
        decode(b"\xde\x00\x02" + encode(Item(1, "c"))[1:])
    assert (caught.value.clause, caught.value.cid) == ("ENC-06r", "c")


def test_the_last_timestamps_are_taken() -> None:
    """ENC-08s: they are legal, though msgspec would round them up into a year that there is not."""
    second = (253_402_300_799).to_bytes(8, "big")
    last = b"\xc7\x0c\xff" + (999_999_999).to_bytes(4, "big") + second
    alike = b"\xc4\x0d\xff" + (999_999_999).to_bytes(4, "big") + second
    body = b"\x82\xa5yield\x93" + last + alike + b"\xc7\x0c\xff" + bytes(4) + second + b"\xa3cid\xa1c"
    end = dt.datetime(9999, 12, 31, 23, 59, 59, tzinfo=dt.UTC)
    assert decode(body) == Item([end.replace(microsecond=999_999), alike[2:], end], "c")


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        2**64 - 1,
        -(2**63),
        0.1,
        float("inf"),
        "é",
        b"\xff",
        [],
        {},
        {1: {None: [b"k"]}},
        {(1, 2): 3},
    ],
)
def test_a_value_comes_back_as_it_was(value: object) -> None:
    """ENC-11r."""
    assert decode(encode(Result(value, "c"))) == Result(value, "c")


def test_an_instant_and_an_unknown_ext_come_back() -> None:
    """ENC-12r, to the microsecond."""
    now = dt.datetime(2020, 1, 2, 3, 4, 5, 678901, tzinfo=dt.UTC)
    assert decode(encode(Result(now, "c"))) == Result(now, "c")
    ext = msgspec.msgpack.Ext(5, b"x")
    assert decode(encode(Result(ext, "c"))) == Result(ext, "c")


class Vicious:
    """A value that fails in its own way while it is encoded."""

    __slots__ = ("__dict__",)

    def __getattr__(self, name: str) -> Any:
        raise ZeroDivisionError(name)


def endless() -> list[Any]:
    """A value that holds itself."""
    value: list[Any] = []
    value.append(value)
    return value


@dataclasses.dataclass
class Point:
    """A value that msgspec can encode."""

    x: int


@pytest.mark.parametrize(
    "value",
    [
        object(),
        2**64,
        -(2**63) - 1,
        "\ud800",
        {"\ud800": 1},
        endless(),
        memoryview(b"abcd")[::2],
        dt.datetime.min.replace(tzinfo=dt.timezone(dt.timedelta(hours=5))),
        Vicious(),
        {1, object()},
        msgspec.Raw(b"\xc1"),
        [1, {"x": msgspec.Raw(b"")}],
        msgspec.Raw(b"\xc0\xc0"),
        msgspec.Raw(b"\x92\xc0"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_value_that_cannot_be_encoded_is_told(value: object) -> None:
    """TRM-05s: whatever it raises becomes the one error that a callee has to expect."""
    for message in (
        Result(value, "c"),
        Open.of("ns", "f", {"x": value}, UID, "c"),
        Hello("n", "u", (value,)),
    ):
        with pytest.raises(UnencodableValueError) as caught:
            encode(message)
        assert caught.value.clause == "TRM-05s"
        assert caught.value.__cause__ is not None


def test_what_msgspec_encodes_may_be_sent() -> None:
    """A dataclass becomes a map, and what is encoded already goes as it is."""
    assert decode(encode(Result([msgspec.Raw(b"\x01")], "c"))) == Result([1], "c")
    assert decode(encode(Result(Point(3), "c"))) == Result({"x": 3}, "c")


ILLEGAL: list[tuple[Any, str]] = [
    (Hello("", "u"), "HSK-01s"),
    (Hello("n", ""), "HSK-01s"),
    (Hello("n", 1), "HSK-01s"),  # type: ignore[arg-type]
    (Ack("other", "c"), "OPN-05s"),  # type: ignore[arg-type]
    (Ack("context", ""), "CID-01s"),
    (Started(1, "c" * 257), "CID-01s"),
    (Item(1, "é" * 129), "CID-01s"),
    (End.of("\ud800"), "CID-01s"),
    (Result(1, 7), "CID-01s"),  # type: ignore[arg-type]
    (Fail.of("E", "tb", ""), "CID-01s"),
    (Fail.of("E", 1, "c"), "ERR-01s"),  # type: ignore[arg-type]
    (Fatal(ErrorBody(None, "E")), "ERR-01s"),  # type: ignore[arg-type]
    (Open.of("ns", "f", {}, UID, ""), "CID-01s"),
    (Open.of("ns", 1, {}, UID, "c"), "OPN-01s"),  # type: ignore[arg-type]
    (Open.of("ns", "f", [], UID, "c"), "OPN-01s"),  # type: ignore[arg-type]
    (Open.of("ns", "f", {1: 2}, UID, "c"), "OPN-01s"),  # type: ignore[dict-item]
    (Open.of("ns", "f", {}, ["n", "u"], "c"), "OPN-01s"),  # type: ignore[arg-type]
    (Open.of("ns", "f", {}, ("n", "u", "x"), "c"), "OPN-01s"),  # type: ignore[arg-type]
    (Open.of("ns", "f", {}, ("n", 1), "c"), "OPN-01s"),  # type: ignore[arg-type]
    (Open.of("self", "_cancel_task", {}, UID, "c"), "CXL-01s"),
    (Open.of("self", "_cancel_task", {"cid": 1}, UID, "c"), "CXL-01s"),
    (Open.of("self", "_cancel_task", {"cid": "d", "x": "y"}, UID, "c"), "CXL-01s"),
    (Command("ns", "f", {}, UID, "c"), "ENC-05s"),
    ({"yield": 1, "cid": "c"}, "ENC-05s"),
    (None, "ENC-05s"),
    ("yield", "ENC-05s"),
    (object(), "ENC-05s"),
    (Hello("n", "u", None), "HSK-01s"),  # type: ignore[arg-type]
    (Ack([], "c"), "OPN-05s"),  # type: ignore[arg-type]
    (Ack("context", []), "CID-01s"),  # type: ignore[arg-type]
    (Open(None), "OPN-01s"),  # type: ignore[arg-type]
    (Open.of("ns", "f", {}, UID, []), "CID-01s"),  # type: ignore[arg-type]
    (Open.of([], "f", {}, UID, "c"), "OPN-01s"),  # type: ignore[arg-type]
    (Fail(None, "c"), "ERR-01s"),  # type: ignore[arg-type]
    (Fatal(None), "ERR-01s"),  # type: ignore[arg-type]
]


@pytest.mark.parametrize(("message", "clause"), ILLEGAL)
def test_a_message_of_ours_that_is_not_legal_is_refused(message: Any, clause: str) -> None:
    """We owe the other side what we ask of it."""
    with pytest.raises(LocalProtocolError) as caught:
        encode(message)
    assert caught.value.clause == clause
    assert caught.value.cid is None or isinstance(caught.value.cid, str)
    assert not isinstance(caught.value, UnencodableValueError)
    connection = Connection(UID)
    with pytest.raises(LocalProtocolError) as caught:
        connection.send(message)
    assert (caught.value.clause, connection.local) == (clause, HalfState.SILENT)


def test_a_cancel_may_be_sent() -> None:
    """CXL-01s, kept."""
    cancel = Open.of("self", "_cancel_task", {"cid": "d"}, UID, "c")
    assert decode(encode(cancel)) == cancel


def test_an_error_says_what_it_is_about() -> None:
    """Clause, reaction and cid, also in its text."""
    with pytest.raises(ProtocolError) as caught:
        decode(bytes.fromhex("82a473746f70c2a3636964a163"))
    error = caught.value
    assert isinstance(error.violation, Violation)
    assert (error.clause, error.reaction.value, error.cid) == ("STR-05s", "fail-call", "c")
    assert str(error) == "[STR-05s] malformed frame in call 'c' (fail-call)"
    assert str(Violation("FRM-02s", error.reaction)) == "[FRM-02s] violated (fail-call)"
