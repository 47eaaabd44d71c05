"""The scanner and the ladder: what they find, that msgspec agrees, and that nothing wears them out."""

from __future__ import annotations

import time
import tracemalloc
from typing import Any

import msgpack  # type: ignore[import-untyped]
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from iptc_codec import DecodeError, HalfEvent, decode
from iptc_codec._ladder import refusal
from iptc_codec._scan import Kind, NotMsgpackError, Slot, end_of, head, slot, value_clause

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.integers(0, 300), inner),
    max_leaves=12,
)


@settings(deadline=None, derandomize=True)
@given(PLAIN, st.integers(0, 8))
def test_an_object_ends_where_another_library_ends_it(value: Any, cut: int) -> None:
    """Whatever follows; and one that is cut short is told."""
    body = msgpack.packb(value)
    assert end_of(body + b"\xc1junk") == len(body)
    if 0 < cut <= len(body):
        with pytest.raises(NotMsgpackError):
            end_of(body[:-cut])


@settings(deadline=None, derandomize=True, max_examples=500)
@given(st.binary(max_size=40))
def test_any_bytes_are_an_object_or_not_as_msgspec_has_it(body: bytes) -> None:
    """Its skipper looks at structure alone, as rule 1 of the ladder does."""
    try:
        msgspec.msgpack.decode(body, type=msgspec.Raw)
        well_formed = True
    except msgspec.DecodeError:
        well_formed = False
    try:
        found = end_of(body) == len(body)
    except NotMsgpackError:
        found = False
    assert found == well_formed


@pytest.mark.parametrize("first", range(256))
def test_every_first_byte_has_its_kind_and_size(first: int) -> None:
    """Against msgspec, with content enough for any of them."""
    body = bytes([first]) + b"\x00" * 40
    if first == 0xC1:
        with pytest.raises(NotMsgpackError):
            end_of(body)
        return
    whole = body[: end_of(body)]
    msgspec.msgpack.decode(whole, type=msgspec.Raw)
    found = head(body, 0)
    if found.kind not in {Kind.ARRAY, Kind.MAP}:
        assert found.start + found.size == len(whole)


@pytest.mark.parametrize(
    "body", ["", "c4", "c5ff", "c6ffffff", "ddffffffff01", "dfffffffff01", "c6ffffffff00", "c7"]
)
def test_a_declared_size_is_not_believed(body: str) -> None:
    """FRM-03r in small: nothing is taken for it, and nothing is counted down for it."""
    tracemalloc.start()
    with pytest.raises(NotMsgpackError):
        slot(bytes.fromhex(body))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 10_000


@pytest.mark.parametrize("unit", [b"\x91", b"\x92\x00", b"\x81\xa1k", b"\xdc\x00\x02\xc0", b"\x81"])
def test_any_depth_is_survived(unit: bytes) -> None:
    """ENC-06r: without recursion, and with bounded memory beside the body."""
    depth = 30_000
    body = unit * depth + b"\x00" * (depth + 1)
    tracemalloc.start()
    end = end_of(body)
    clause = value_clause(body, Slot(Kind.ARRAY, 0, 0, 0, end))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert clause == ("ENC-07s" if unit == b"\x81" else "ENC-06r")
    assert peak < 3_000_000


@pytest.mark.parametrize(
    ("value", "clause"),
    [
        ("a161", None),
        ("a1ff", "ENC-02s"),
        ("9201a1ff", "ENC-02s"),
        ("81a161a1ff", "ENC-02s"),
        ("81a1ff01", "ENC-02s"),
        ("82a16101a16102", None),  # a repeated key inside a value is the application's
        ("81c4016101", None),
        ("81920102a161", None),
        ("818001", "ENC-07s"),
        ("81918001", "ENC-07s"),
        ("81d4050001", "ENC-07s"),
        ("8191c7000501", "ENC-07s"),
        ("819201918001", "ENC-07s"),
        ("8101818001", "ENC-07s"),
        ("810180", None),
        ("8201800280", None),
        ("9180", None),
        ("8191d6ff0000000001", None),
        ("d40500", None),
        ("d6ff00000001", None),
        ("d7ffee6b27fc00000001", None),
        ("d7ffee6b280000000001", "ENC-08s"),
        ("c70cff3b9ac9ff0000000000000001", None),
        ("c70cff3b9aca000000000000000001", "ENC-08s"),
        ("c70cff00000000fffffff1886e0900", None),
        ("c70cff00000000fffffff1886e08ff", "ENC-08s"),
        ("c70cff000000000000003afff4417f", None),
        ("c70cff000000000000003afff44180", "ENC-08s"),
        ("d4ff00", "ENC-08s"),
        ("c700ff", "ENC-08s"),
        ("81d4ff0001", "ENC-08s"),
        ("92a1ff818001", "ENC-02s"),
        ("92818001a1ff", "ENC-07s"),
        ("920181a161920203", None),
    ],
)
def test_a_value_is_looked_through_in_byte_order(value: str, clause: str | None) -> None:
    """The first that is wrong names the clause; msgspec takes and refuses the same."""
    body = bytes.fromhex(value)
    assert value_clause(body, slot(body)) == clause
    item = b"\x82\xa5yield" + body + b"\xa3cid\xa1c"
    found = refusal(item)
    assert (found and (found.clause, found.cid)) == (clause and (clause, "c"))
    assert takes(item) == (clause is None)


def takes(body: bytes) -> bool:
    """Whether the codec takes a body."""
    try:
        decode(body)
    except DecodeError:
        return False
    return True


CALL, OBJECT, BYTES = HalfEvent.MALFORMED_CALL, HalfEvent.MALFORMED_OBJECT, HalfEvent.MALFORMED_BYTES
OPN = ["ns", "f", {}, ["n", "u"], "c"]


def opn(**changes: Any) -> dict[str, Any]:
    """An OPEN with some of its elements replaced."""
    fields = dict(zip(("ns", "func", "kwargs", "uid", "cid"), OPN, strict=True)) | changes
    return {"cmd": list(fields.values())}


LADDER: list[tuple[Any, str, HalfEvent, str | None, bool]] = [
    (b"\xc1", "ENC-01s", BYTES, None, False),
    (b"\xc0\xc0", "FRM-02s", BYTES, None, False),
    (1, "ROB-02s", OBJECT, None, False),
    ("hello", "ROB-02s", OBJECT, None, False),
    (True, "ROB-02s", OBJECT, None, False),
    ([], "ROB-02s", OBJECT, None, False),
    (["n"], "ROB-02s", OBJECT, None, False),
    (["n", ""], "ROB-02s", OBJECT, None, False),
    (["", "u"], "ROB-02s", OBJECT, None, False),
    ([b"n", "u"], "ROB-02s", OBJECT, None, False),
    (b"\x92\xa1\xff\xa1u", "ROB-02s", OBJECT, None, False),
    (b"\x93\xa1n\xa1u\xa1\xff", "ROB-02s", OBJECT, None, False),
    ({}, "ENC-05s", OBJECT, None, False),
    ({"cid": "c"}, "ENC-05s", CALL, "c", False),
    ({"yield": 1}, "ENC-05s", OBJECT, None, False),
    ({"yield": 1, "cid": "c", "x": 1}, "ENC-05s", CALL, "c", False),
    ({"yield": 1, "return": 1, "cid": "c"}, "ENC-05s", CALL, "c", False),
    (opn() | {"cid": "c"}, "ENC-05s", CALL, "c", True),
    (opn() | {"cid": "d"}, "ENC-05s", OBJECT, None, False),
    (opn() | {"cid": ""}, "ENC-05s", OBJECT, None, False),
    ({"cmd": 1, "cid": "d"}, "ENC-05s", CALL, "d", True),
    ({b"yield": 1, "cid": "c"}, "ENC-04s", CALL, "c", False),
    ({"yield": 1, b"cid": "c"}, "ENC-04s", OBJECT, None, False),
    (b"\x82\xa1\xff\x01\xc4\x01a\x01", "ENC-04s", OBJECT, None, False),
    (b"\x82\xa1\xff\x01\xa3cid\xa1c", "ENC-02s", CALL, "c", False),
    (b"\x83\xa1\xff\x01\xa1\xff\x01\xa3cid\xa1c", "ENC-02s", CALL, "c", False),
    (b"\x83\xa5yield\x01\xd9\x05yield\x01\xa3cid\xa1c", "ENC-03s", CALL, "c", False),
    (b"\x82\xa3cid\xa1c\xa3cid\xa1d", "ENC-03s", OBJECT, None, False),
    (b"\x83\xa3cid\xa1c\xa3cid\xa1c\xa3cid\xa1d", "ENC-03s", OBJECT, None, False),
    (b"\x82\xa3cid\xa1c\xa3cid\xa1c", "ENC-03s", CALL, "c", False),
    (b"\x83\xa3cid\xa1c\xa3cid\xa1d\xa3cid\xa1e", "ENC-03s", OBJECT, None, False),
    ({"yield": 1, "cid": ""}, "CID-01s", OBJECT, None, False),
    ({"yield": 1, "cid": "c" * 257}, "CID-01s", OBJECT, None, False),
    ({"yield": 1, "cid": b"c"}, "CID-01s", OBJECT, None, False),
    (b"\x82\xa5yield\x01\xa3cid\xa1\xff", "CID-01s", OBJECT, None, False),
    ({"cmd": 1}, "OPN-01s", OBJECT, None, False),
    ({"cmd": OPN[:4]}, "OPN-01s", OBJECT, None, False),
    ({"cmd": [*OPN, 1]}, "OPN-01s", CALL, "c", True),
    (opn(cid=1), "CID-01s", OBJECT, None, False),
    (opn(ns=1), "OPN-01s", CALL, "c", True),
    (opn(func=b"f"), "OPN-01s", CALL, "c", True),
    (opn(kwargs=[]), "OPN-01s", CALL, "c", True),
    (opn(kwargs={1: 1}), "OPN-01s", CALL, "c", True),
    (opn(uid="nu"), "OPN-01s", CALL, "c", True),
    (opn(uid=["n"]), "OPN-01s", CALL, "c", True),
    (opn(uid=["n", 1]), "OPN-01s", CALL, "c", True),
    (b"\x81\xa3cmd\x95\xa2ns\xa1f\x81\xa1x\xd4\xff\x00\x92\xa1n\xa1u\xa1c", "ENC-08s", CALL, "c", True),
    ({"functype": "other", "cid": "c"}, "OPN-05s", CALL, "c", False),
    ({"functype": 1, "cid": "c"}, "OPN-05s", CALL, "c", False),
    ({"stop": False, "cid": "c"}, "STR-05s", CALL, "c", False),
    ({"error": "E", "cid": "c"}, "ERR-01s", CALL, "c", False),
    ({"error": {"tb_str": ""}, "cid": "c"}, "ERR-01s", CALL, "c", False),
    ({"error": {"tb_str": "", "type_str": 1}, "cid": "c"}, "ERR-01s", CALL, "c", False),
    ({"error": {"tb_str": "", "type": ""}, "cid": "c"}, "ERR-01s", CALL, "c", False),
    ({"error": {"tb_str": ""}}, "ERR-01s", OBJECT, None, False),
]


@pytest.mark.parametrize(("told", "clause", "event", "cid", "opens"), LADDER)
def test_the_ladder_names_the_first_broken_rule(
    told: Any, clause: str, event: HalfEvent, cid: str | None, *, opens: bool
) -> None:
    """And which call it costs, if that can be read without doubt."""
    body = told if isinstance(told, bytes) else msgpack.packb(told)
    with pytest.raises(DecodeError) as caught:
        decode(body)
    error = caught.value
    assert (error.clause, error.event, error.cid, error.opens) == (clause, event, cid, opens)
    assert error.reaction.value == ("close" if cid is None else "fail-call")


def test_an_envelope_of_very_many_keys_still_costs_its_call_alone() -> None:
    """ROB-01r: however many there are, and wherever the cid stands; with little memory."""
    count = 20_000
    keys = {f"k{number}": None for number in range(count)}
    body = msgpack.packb(keys | {"cid": "c"})
    tracemalloc.start()
    found = refusal(body)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert found is not None
    assert (found.clause, found.cid) == ("ENC-05s", "c")
    assert peak < 2_000_000


def test_a_hostile_body_is_refused_in_time_that_grows_with_its_length_alone() -> None:
    """A generous bound: what is quadratic or worse would need hours."""
    hostile = (
        b"\x83\xa5yield"
        + b"\x92\x00" * 300_000
        + b"\x00"
        + b"\xa3cid\xa1c\xa1x"
        + b"\x91" * 300_000
        + b"\x00"
    )
    begun = time.monotonic()
    found = refusal(hostile)
    assert found is not None
    assert (found.clause, found.cid) == ("ENC-05s", "c")
    assert time.monotonic() - begun < 30


SEEDS = [
    msgpack.packb(plain)
    for plain in (
        None,
        ["n", "u"],
        opn(),
        opn(kwargs={"x": {1: [None, b"", "s"]}}),
        {"functype": "context", "cid": "c"},
        {"started": {"a": [1.5]}, "cid": "c"},
        {"yield": [msgpack.Timestamp(1, 2), {(1, 2): msgpack.ExtType(5, b"x")}], "cid": "c"},
        {"cid": "c", "return": -1},
        {"stop": True, "cid": "c"},
        {"error": {"tb_str": "", "type_str": "E"}, "cid": "c"},
        {"cid": "c", "error": {"type_str": "E", "tb_str": ""}},
        {"error": {"tb_str": "", "type_str": "E"}},
    )
]
MUTATIONS = st.lists(
    st.tuples(st.sampled_from(["set", "cut", "insert", "double"]), st.integers(0, 99), st.integers(0, 255)),
    max_size=3,
)


def mutate(body: bytes, changes: list[tuple[str, int, int]]) -> bytes:
    """Change a body in a few places."""
    for how, where, byte in changes:
        at = where % max(len(body), 1)
        if how == "set":
            body = body[:at] + bytes([byte]) + body[at + 1 :]
        elif how == "cut":
            body = body[:at] + body[at + 1 + byte % 3 :]
        elif how == "insert":
            body = body[:at] + bytes([byte]) + body[at:]
        else:
            body = body[:at] + body[at : at + byte % 16] + body[at:]
    return body


@settings(deadline=None, derandomize=True, max_examples=1500)
@given(st.sampled_from(SEEDS), MUTATIONS)
def test_msgspec_and_the_ladder_take_the_same(seed: bytes, changes: list[tuple[str, int, int]]) -> None:
    """What the fast way takes the ladder would clear, and what it clears can be read."""
    body = mutate(seed, changes)
    assert takes(body) == (refusal(body) is None)
