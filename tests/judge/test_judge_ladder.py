"""The ladder: which rule a frame breaks first, and whether its cid can be read."""

from __future__ import annotations

from typing import Any

import pytest

from iptc_conformance import wire
from iptc_conformance.msgpack_values import BadStr, Ext, Map, Raw, Timestamp
from iptc_conformance.wire import Event

BAD = BadStr(b"\xff")
LONG = "x" * 256


def _map(*pairs: tuple[Any, Any]) -> Map:
    return Map(pairs)


def _open(*parts: Any) -> dict[str, Any]:
    return {"cmd": list(parts)}


LEGAL: list[tuple[Any, str, str | None]] = [
    (None, "GOODBYE", None),
    (["n", "u"], "HELLO", None),
    (["n", "u", 1, {"a": []}, b""], "HELLO", None),
    (_open("m", "f", {}, ["n", "u"], "c"), "OPEN", "c"),
    (_open("", "", _map(("a", 1), ("a", 2)), ["", ""], "c"), "OPEN", "c"),
    ({"functype": "asyncgen", "cid": "c"}, "ACK", "c"),
    ({"cid": "c", "functype": "context"}, "ACK", "c"),
    ({"started": None, "cid": LONG}, "STARTED", LONG),
    ({"yield": {1: 2}, "cid": "c"}, "ITEM", "c"),
    ({"yield": _map(("a", 1), ("a", 2)), "cid": "c"}, "ITEM", "c"),
    ({"yield": _map(([1, [2.5, None]], 1), (Timestamp(1, 0), 2), (b"", 3)), "cid": "c"}, "ITEM", "c"),
    (
        {
            "yield": [Ext(5, b""), Timestamp(-62_135_596_800, 0), Timestamp(253_402_300_799, 999_999_999)],
            "cid": "c",
        },
        "ITEM",
        "c",
    ),
    ({"stop": True, "cid": "c"}, "END", "c"),
    ({"return": "é", "cid": "é"}, "RESULT", "é"),
    ({"error": {"tb_str": "", "type_str": "E"}, "cid": "c"}, "FAIL", "c"),
    ({"error": {"type_str": "StreamOverrun", "tb_str": ""}, "cid": "c"}, "OVERRUN", "c"),
    ({"error": {"type_str": "StreamOverrun", "tb_str": ""}}, "FATAL", None),
]


@pytest.mark.parametrize(("value", "kind", "cid"), LEGAL)
def test_a_legal_body_is_its_message(value: Any, kind: str, cid: str | None) -> None:
    seen = wire.classify(wire.encode(value))
    event = kind if kind in {"HELLO", "GOODBYE", "FATAL"} else "CALL"
    assert (seen.event, seen.kind, seen.cid, seen.clause) == (event, kind, cid, None)


BYTES = [
    ("", "FRM-04s"),
    ("c1", "ENC-01s"),
    ("92c0", "ENC-01s"),
    ("c0c0", "FRM-02s"),
    ("81a3637964", "ENC-01s"),
    ("a1ffc1", "FRM-02s"),
    ("91" * 3000, "ENC-01s"),
]


@pytest.mark.parametrize(("body", "clause"), BYTES)
def test_bytes_that_are_no_object(body: str, clause: str) -> None:
    seen = wire.classify(bytes.fromhex(body))
    assert (seen.event, seen.clause, seen.cid) == (Event.MALFORMED_BYTES, clause, None)


OBJECTS: list[tuple[Any, str]] = [
    (5, "ROB-02s"),
    ("text", "ROB-02s"),
    (BAD, "ROB-02s"),
    ([], "ROB-02s"),
    (["n"], "ROB-02s"),
    (["n", ""], "ROB-02s"),
    (["n", BAD], "ROB-02s"),
    ([b"n", "u"], "ROB-02s"),
    (["n", "u", BAD], "ROB-02s"),
    (["n", "u", Ext(-1, b"")], "ROB-02s"),
    ({}, "ENC-05s"),
    ({"cid": 5}, "ENC-05s"),
    ({"yield": 1}, "ENC-05s"),
    ({"return": 1, "cid": ""}, "CID-01s"),
    ({"return": 1, "cid": LONG + "x"}, "CID-01s"),
    ({"return": BAD, "cid": BAD}, "CID-01s"),
    ({"return": 1, "cid": b"c"}, "CID-01s"),
    ({"stop": False, "cid": 1}, "CID-01s"),
    ({"error": {"type_str": "E"}}, "ERR-01s"),
    (_map((b"cid", "c"), ("yield", 1)), "ENC-04s"),
    (_map((BAD, 1), (b"cid", "c")), "ENC-04s"),
    (_map((BAD, 1), (BAD, "c")), "ENC-02s"),
    (_map(("cid", "a"), ("cid", "b"), ("yield", 1)), "ENC-03s"),
    ({"cmd": 5}, "OPN-01s"),
    (_open("m", "f", {}, ["n", "u"]), "OPN-01s"),
    (_open("m", "f", {}, ["n", "u"], 5), "CID-01s"),
    (_open("m", "f", {}, ["n", "u"], 5, "c"), "OPN-01s"),
    ({"cmd": ["m", "f", {}, ["n", "u"], "c"], "cid": "d"}, "ENC-05s"),
]


@pytest.mark.parametrize(("value", "clause"), OBJECTS)
def test_an_object_without_a_readable_cid(value: Any, clause: str) -> None:
    seen = wire.classify(wire.encode(value))
    assert (seen.event, seen.clause, seen.cid) == (Event.MALFORMED_OBJECT, clause, None)


CALLS: list[tuple[Any, str, bool]] = [
    ({"cid": "c"}, "ENC-05s", False),
    ({"yield": 1, "cid": "c", "x": 1}, "ENC-05s", False),
    ({"return": 1, "stop": True, "cid": "c"}, "ENC-05s", False),
    (_map(("cid", "c"), (1, 2), (BAD, 3), ("yield", 1)), "ENC-04s", False),
    (_map(("cid", "c"), (BAD, 3), ("yield", 1)), "ENC-02s", False),
    (_map(("cid", "c"), ("cid", "c"), ("x", 1)), "ENC-03s", False),
    (_map(("cid", "c"), ("yield", BAD), ("yield", 1)), "ENC-03s", False),
    ({"cmd": ["m", "f", {}, ["n", "u"], "c"], "cid": "c"}, "ENC-05s", True),
    (_open("m", "f", {}, ["n", "u"], "c", 1), "OPN-01s", True),
    (_open(1, "f", {}, ["n", "u"], "c"), "OPN-01s", True),
    (_open("m", BAD, {}, ["n", "u"], "c"), "OPN-01s", True),
    (_open("m", "f", [], ["n", "u"], "c"), "OPN-01s", True),
    (_open("m", "f", {1: 2}, ["n", "u"], "c"), "OPN-01s", True),
    (_open("m", "f", _map((BAD, 1)), ["n", "u"], "c"), "OPN-01s", True),
    (_open("m", "f", {}, ["n"], "c"), "OPN-01s", True),
    (_open("m", "f", {}, ["n", 1], "c"), "OPN-01s", True),
    (_open("m", "f", {}, ["n", "u", "x"], "c"), "OPN-01s", True),
    (_open("m", "f", {}, "nu", "c"), "OPN-01s", True),
    (_open("m", "f", {"a": BAD}, ["n", 1], "c"), "OPN-01s", True),
    (_open("m", "f", {"a": BAD}, ["n", "u"], "c"), "ENC-02s", True),
    ({"functype": "function", "cid": "c"}, "OPN-05s", False),
    ({"functype": BAD, "cid": "c"}, "OPN-05s", False),
    ({"functype": b"context", "cid": "c"}, "OPN-05s", False),
    ({"stop": False, "cid": "c"}, "STR-05s", False),
    ({"stop": 1, "cid": "c"}, "STR-05s", False),
    ({"stop": BAD, "cid": "c"}, "STR-05s", False),
    ({"error": "x", "cid": "c"}, "ERR-01s", False),
    ({"error": {"tb_str": ""}, "cid": "c"}, "ERR-01s", False),
    ({"error": {"tb_str": "", "type_str": BAD}, "cid": "c"}, "ERR-01s", False),
    ({"error": {"tb_str": "", "type_str": None}, "cid": "c"}, "ERR-01s", False),
    ({"error": {"tb_str": "", "type_str": "", "x": ""}, "cid": "c"}, "ERR-01s", False),
    ({"error": _map(("tb_str", ""), ("tb_str", ""), ("type_str", "")), "cid": "c"}, "ERR-01s", False),
    ({"error": _map((b"tb_str", ""), ("type_str", "")), "cid": "c"}, "ERR-01s", False),
    ({"yield": [1, {"a": BAD}], "cid": "c"}, "ENC-02s", False),
    ({"yield": _map(({}, 1)), "cid": "c"}, "ENC-07s", False),
    ({"yield": _map((Ext(5, b""), 1)), "cid": "c"}, "ENC-07s", False),
    ({"yield": _map(([1, [{}]], 1)), "cid": "c"}, "ENC-07s", False),
    ({"yield": _map(([Ext(5, b"")], 1)), "cid": "c"}, "ENC-07s", False),
    ({"yield": _map((Ext(-1, b""), 1)), "cid": "c"}, "ENC-08s", False),
    ({"yield": [BAD, _map(({}, 1))], "cid": "c"}, "ENC-02s", False),
    ({"yield": [_map(({}, 1)), BAD], "cid": "c"}, "ENC-07s", False),
    ({"yield": Ext(-1, b"12345"), "cid": "c"}, "ENC-08s", False),
    ({"yield": Ext(-1, bytes.fromhex("fffffffc00000001")), "cid": "c"}, "ENC-08s", False),
    ({"yield": Timestamp(-62_135_596_801, 0), "cid": "c"}, "ENC-08s", False),
    ({"yield": Timestamp(253_402_300_800, 0), "cid": "c"}, "ENC-08s", False),
    ({"started": BAD, "cid": "c"}, "ENC-02s", False),
    ({"return": BAD, "cid": "c"}, "ENC-02s", False),
]


@pytest.mark.parametrize(("value", "clause", "opens"), CALLS)
def test_a_malformed_message_whose_cid_can_be_read(value: Any, clause: str, opens: bool) -> None:
    seen = wire.classify(wire.encode(value))
    assert (seen.event, seen.clause, seen.cid, seen.opens) == (Event.MALFORMED_CALL, clause, "c", opens)
    assert seen.detail


@pytest.mark.parametrize("levels", [0, 1, 100, 101, 50_000])
def test_depth_is_counted_and_never_refused(levels: int) -> None:
    value = {"yield": Raw(b"\x91" * levels + b"\xc0"), "cid": "c"}
    seen = wire.classify(wire.encode(value))
    assert (seen.event, seen.depth) == (Event.CALL, levels)


def test_the_parts_of_a_message_are_there_to_compare() -> None:
    seen = wire.classify(wire.encode(_open("m", "f", {"x": [1]}, ["n", "u"], "c")))
    assert seen.message is not None
    assert dict(seen.message.fields) == {"ns": "m", "func": "f", "uid": ("n", "u")}
    assert seen.message.value == {"x": [1]}
    assert seen.message.whole == _open("m", "f", {"x": [1]}, ["n", "u"], "c")
    end = wire.classify(wire.encode({"stop": True, "cid": "c"})).message
    assert end is not None
    assert end.value is None


def test_frames_are_cut_wherever_the_chunks_end() -> None:
    stream = wire.frame(b"\xc0") + wire.frame(b"") + wire.frame(b"\x93\x01\x02\x03")
    whole = [frame.body for frame in wire.Deframer().feed(stream)]
    assert whole == [b"\xc0", b"", b"\x93\x01\x02\x03"]
    deframer = wire.Deframer()
    single = [frame.body for byte in stream for frame in deframer.feed(bytes([byte]))]
    assert single == whole
    assert deframer.pending == 0


def test_a_length_above_the_limit_is_refused_at_its_header() -> None:
    deframer = wire.Deframer(frame_bytes=10)
    assert deframer.feed(wire.frame(b"\xa9123456789")) == [wire.Frame(10, b"\xa9123456789")]
    assert deframer.feed(b"\x0b\x00\x00") == []
    (refused,) = deframer.feed(b"\x00")
    assert wire.classify_frame(refused).clause == "FRM-03s"
    assert deframer.feed(wire.frame(b"\xc0")) == []
    assert deframer.pending == 0


def test_the_limit_is_that_of_the_specification() -> None:
    (refused,) = wire.Deframer().feed((64 * 2**20 + 1).to_bytes(4, "little"))
    assert wire.classify_frame(refused).event is Event.MALFORMED_BYTES
    assert wire.Deframer().feed((64 * 2**20).to_bytes(4, "little")) == []
