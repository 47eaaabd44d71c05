"""The judge's msgpack reader and writer, against the msgpack package and against bytes made by hand."""

from __future__ import annotations

import math
from typing import Any

import msgpack  # type: ignore[import-untyped]
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from iptc_conformance import msgpack_reader, msgpack_writer, tagged
from iptc_conformance.msgpack_reader import Malformed
from iptc_conformance.msgpack_values import BadStr, Ext, Map, Raw, Timestamp

STEADY = settings(derandomize=True, deadline=None, max_examples=300)

SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**64 - 1),
    st.floats(),
    st.text(),
    st.binary(max_size=300),
    st.builds(Ext, st.integers(0, 127), st.binary(max_size=20)),
    st.builds(Timestamp, st.integers(-(2**35), 2**35), st.integers(0, 999_999_999)),
)


def _containers(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(
        st.lists(inner, max_size=20),
        st.dictionaries(st.text(max_size=5), inner, max_size=20),
        st.lists(st.tuples(st.integers(-(2**63), 2**64 - 1), inner), min_size=1, max_size=3).map(
            lambda pairs: Map(tuple(pairs))
        ),
    )


VALUES = st.recursive(SCALARS, _containers, max_leaves=25)


def _theirs(value: Any) -> Any:
    """Turn a value of the msgpack package into one of ours."""
    if isinstance(value, msgpack.ExtType):
        return Ext(value.code, value.data)
    if isinstance(value, msgpack.Timestamp):
        return Timestamp(value.seconds, value.nanoseconds)
    if isinstance(value, _Pairs):
        pairs = tuple((_theirs(key), _theirs(item)) for key, item in value)
        plain = all(isinstance(key, str) for key, _ in pairs) and len(dict(pairs)) == len(pairs)
        return dict(pairs) if plain else Map(pairs)
    return [_theirs(item) for item in value] if isinstance(value, list) else value


class _Pairs(list[Any]):
    """A map as the msgpack package hands it over."""

    __hash__ = None


def _unpack(data: bytes, **options: Any) -> Any:
    return msgpack.unpackb(data, object_pairs_hook=_Pairs, strict_map_key=False, **options)


@STEADY
@given(VALUES)
def test_both_writers_and_readers_agree(value: Any) -> None:
    data = msgpack_writer.encode(value)
    assert tagged.identical(msgpack_reader.read(data), value)
    assert tagged.identical(_theirs(_unpack(data)), value)
    assert msgpack_reader.end_of(data) == len(data)


@STEADY
@given(
    st.recursive(st.one_of(st.integers(-(2**63), 2**64 - 1), st.text(), st.binary()), st.lists, max_leaves=10)
)
def test_the_writer_writes_the_shortest_form(value: Any) -> None:
    assert msgpack_writer.encode(value) == msgpack.packb(value)


FIRSTS = st.sampled_from(
    [b"\xc0", b"\x90", b"\x92", b"\x81", b"\xc1", b"\xd9\x02", b"\xc4\x01", b"\xd4", b"\xcd", b"\xdc"]
)


@STEADY
@given(st.one_of(st.binary(max_size=40), st.lists(st.one_of(FIRSTS, st.binary(max_size=3))).map(b"".join)))
def test_any_bytes_are_well_formed_for_both_or_for_neither(data: bytes) -> None:
    try:
        end = msgpack_reader.end_of(data)
    except Malformed:
        end = None
    try:
        _unpack(data, raw=True, ext_hook=lambda code, payload: (code, payload))
        theirs: int | None = len(data)
    except msgpack.ExtraData as extra:
        theirs = len(data) - len(extra.extra)
    except ValueError as error:
        assume("imestamp" not in str(error))
        theirs = None
    assert end == theirs


@STEADY
@given(VALUES, st.data())
def test_every_prefix_is_cut_short(value: Any, data: st.DataObject) -> None:
    whole = msgpack_writer.encode(value)
    cut = data.draw(st.integers(0, len(whole) - 1))
    with pytest.raises(Malformed):
        msgpack_reader.end_of(whole[:cut])
    with pytest.raises(Malformed):
        msgpack_reader.read(whole[:cut])


@pytest.mark.parametrize(
    ("data", "at"),
    [
        ("", 0),
        ("c1", 0),
        ("92c0c1", 2),
        ("cc", 0),
        ("d9", 0),
        ("d905616263", 0),
        ("dbffffffff61", 0),
        ("ddffffffff", 5),
        ("dfffffffffc0", 6),
        ("81a161", 3),
        ("d4", 0),
        ("d401", 0),
        ("c7", 0),
        ("c704", 0),
        ("c70401ff", 0),
        ("cb00", 0),
    ],
)
def test_malformed_bytes_are_refused_where_it_shows(data: str, at: int) -> None:
    with pytest.raises(Malformed) as caught:
        msgpack_reader.end_of(bytes.fromhex(data))
    assert caught.value.at == at


@pytest.mark.parametrize(
    ("data", "value"),
    [
        ("cc05", 5),
        ("cf0000000000000001", 1),
        ("d3ffffffffffffffff", -1),
        ("d90161", "a"),
        ("db0000000161", "a"),
        ("dd0000000101", [1]),
        ("df0000000101c0", Map(((1, None),))),
        ("ca3fc00000", 1.5),
        ("c70105ff", Ext(5, b"\xff")),
        ("d6ff00000001", Timestamp(1, 0)),
        ("c70cff3b9ac9ff0000000000000001", Timestamp(1, 999_999_999)),
        ("d7fffffffffc00000001", Ext(-1, bytes.fromhex("fffffffc00000001"))),
        ("d4ff01", Ext(-1, b"\x01")),
        ("a1ff", BadStr(b"\xff")),
        ("82a16101a16102", Map((("a", 1), ("a", 2)))),
    ],
)
def test_every_encoding_of_a_value_is_read(data: str, value: Any) -> None:
    assert msgpack_reader.read(bytes.fromhex(data)) == value


def test_depth_costs_no_stack() -> None:
    depth = 200_000
    data = b"\x91" * depth + b"\xc0"
    assert msgpack_reader.end_of(data) == len(data)
    value = msgpack_reader.read(data)
    for _ in range(depth):
        (value,) = value
    assert value is None


def test_a_declared_length_takes_no_memory() -> None:
    for head in ("dbffffffff", "ddffffffff", "c6ffffffff", "c9ffffffff01"):
        with pytest.raises(Malformed):
            msgpack_reader.read(bytes.fromhex(head))


@pytest.mark.parametrize(
    "value",
    [2**64, -(2**63) - 1, object(), {1, 2}, "\ud800", Ext(1, b"")],
    ids=lambda value: type(value).__name__,
)
def test_what_msgpack_cannot_hold_is_refused(value: Any) -> None:
    if isinstance(value, Ext):
        assert msgpack_writer.encode(value) == bytes.fromhex("c70001")
        return
    with pytest.raises(ValueError, match=r"fit|nothing|surrogates"):
        msgpack_writer.encode(value)


def test_raw_bytes_are_spliced_in() -> None:
    assert msgpack_writer.encode([Raw(b"\xcc\x01"), BadStr(b"\xff")]).hex() == "92cc01a1ff"


TAGGED = [
    ({"$bin": "00ff"}, b"\x00\xff"),
    ({"$ext": [5, "01"]}, Ext(5, b"\x01")),
    ({"$timestamp": [1, 2]}, Timestamp(1, 2)),
    ({"$float": "-inf"}, -math.inf),
    ({"$float": "1.0"}, 1.0),
    ({"$float": "1e+22"}, 1e22),
    ({"$int": "18446744073709551615"}, 2**64 - 1),
    ({"$map": [[1, "x"], [{"$bin": ""}, []]]}, Map(((1, "x"), (b"", [])))),
    ({"$map": [["$bin", 1]]}, {"$bin": 1}),
    ({"$str": "ff"}, BadStr(b"\xff")),
    ({"$raw": "c1"}, Raw(b"\xc1")),
    ([1, {"a": 1.5, "b": None}], [1, {"a": 1.5, "b": None}]),
]


@pytest.mark.parametrize(("json_form", "value"), TAGGED)
def test_tags_stand_for_values_both_ways(json_form: Any, value: Any) -> None:
    assert tagged.untag(json_form) == value
    assert tagged.tag(value) == json_form


@STEADY
@given(VALUES)
def test_every_value_survives_its_tagged_form(value: Any) -> None:
    assert tagged.identical(tagged.untag(tagged.tag(value)), value)


@pytest.mark.parametrize(
    "form", [{"$bin": "0"}, {"$nope": 1}, {"$bin": "", "x": 1}, {"$ext": 1}, {"$float": "x"}]
)
def test_a_tag_that_means_nothing_is_refused(form: Any) -> None:
    with pytest.raises(tagged.TagError):
        tagged.untag(form)


def test_numbers_that_python_calls_equal_are_not_identical() -> None:
    assert not tagged.identical(1, 1.0)
    assert not tagged.identical([1], [True])
    assert not tagged.identical([0.0], [-0.0])
    assert not tagged.identical("a", b"a")
    assert tagged.identical({"a": 1, "b": 2}, {"b": 2, "a": 1})
    assert tagged.identical(math.nan, -math.nan)
    assert not tagged.identical(math.nan, 1.0)
    assert not tagged.identical([1], [1, 2])
    assert not tagged.identical({"a": 1}, {"a": 2})
    assert not tagged.identical([], {})
    assert tagged.identical(Map(((1, 2), (b"", 3))), Map(((b"", 3), (1, 2))))


def test_deep_values_are_compared() -> None:
    deep = tagged.untag({"$arrays": [100_000, {"$bin": "00"}]})
    assert tagged.identical(deep, msgpack_reader.read(b"\x91" * 100_000 + b"\xc4\x01\x00"))
    assert not tagged.identical(deep, deep[0])
    assert tagged.untag({"$maps": [2, 1]}) == {"k": {"k": 1}}
