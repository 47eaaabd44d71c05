"""Values of applications: whatever msgpack can say, in the judge's terms.

nil, bool, int, float, str, bytes, list and dict are Python's. `Map` is a map with keys that are no str,
`Ext` an ext value, `Timestamp` an ext of type -1: all of `iptc_conformance.msgpack_values`.
"""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from iptc_conformance.msgpack_values import (
    MAX_NANOSECONDS,
    MAX_SECONDS,
    MIN_SECONDS,
    Ext,
    Map,
    Timestamp,
)

_EDGES = (
    0,
    1,
    31,
    32,
    127,
    128,
    255,
    256,
    65535,
    65536,
    2**31,
    2**32 - 1,
    2**32,
    2**63 - 1,
    2**63,
    2**64 - 1,
)
_BELOW = (-1, -32, -33, -128, -129, -32768, -32769, -(2**31), -(2**31) - 1, -(2**63))


def integers() -> st.SearchStrategy[int]:
    """Integers of 64 bits, signed or not; the edges of every width often."""
    return st.sampled_from(_EDGES + _BELOW) | st.integers(-(2**63), 2**64 - 1)


def texts() -> st.SearchStrategy[str]:
    """Strings of legal characters (no surrogates), some at the edges of the widths of a length."""
    return st.text(max_size=6) | st.sampled_from((31, 32, 255, 256)).map("ü".__mul__) | st.just("")


def timestamps() -> st.SearchStrategy[Timestamp]:
    """Timestamps of the years 1 to 9999, the first and the last among them."""
    seconds = st.integers(MIN_SECONDS, MAX_SECONDS) | st.sampled_from(
        (MIN_SECONDS, -1, 0, 2**32 - 1, 2**32, 2**34 - 1, 2**34, MAX_SECONDS)
    )
    nanoseconds = st.sampled_from((0, 1, 499, 500, 999, MAX_NANOSECONDS)) | st.integers(0, MAX_NANOSECONDS)
    return st.builds(Timestamp, seconds, nanoseconds)


def exts() -> st.SearchStrategy[Ext]:
    """Ext values of any type but that of timestamps."""
    kinds = st.integers(-128, 127).filter(lambda kind: kind != -1)
    return st.builds(Ext, kinds, st.binary(max_size=17))


def scalars() -> st.SearchStrategy[Any]:
    """Values that hold no other."""
    return st.one_of(
        st.none(),
        st.booleans(),
        integers(),
        st.floats(),
        texts(),
        st.binary(max_size=6),
        timestamps(),
        exts(),
    )


def keys() -> st.SearchStrategy[Any]:
    """What a map in a value may have as a key (ENC-07s): no map, and no ext but a timestamp."""
    leaves = st.one_of(
        st.none(), st.booleans(), integers(), st.floats(allow_nan=False), texts(), st.binary(max_size=4)
    )
    return leaves | timestamps() | st.lists(leaves, max_size=3)


def maps(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Maps: with str keys mostly, with any legal keys sometimes. No key stands twice."""
    named = st.dictionaries(texts(), inner, max_size=4)
    pairs = st.lists(st.tuples(keys(), inner), max_size=3, unique_by=lambda pair: _identity(pair[0]))
    return named | pairs.map(lambda some: Map(tuple(some)))


def _identity(key: Any) -> Any:
    # As Python compares keys: for 1, 1.0 and True a dict has one place, and a reader may say so.
    return tuple(map(_identity, key)) if isinstance(key, list) else key


def values(max_leaves: int = 8) -> st.SearchStrategy[Any]:
    """Any legal value; nested, with all kinds of keys."""
    return st.recursive(
        scalars(), lambda inner: st.lists(inner, max_size=4) | maps(inner), max_leaves=max_leaves
    )


def nested(levels: st.SearchStrategy[int] | None = None) -> st.SearchStrategy[Any]:
    """Values of arrays and maps in each other, about as deep as has to be accepted (ENC-06r): 100 levels."""
    return st.builds(
        _nest, st.sampled_from((1, 50, 99, 100, 101, 200)) if levels is None else levels, st.booleans()
    )


def _nest(levels: int, in_maps: bool) -> Any:  # noqa: FBT001  (drawn)
    value: Any = None
    for _ in range(levels):
        value = {"k": value} if in_maps else [value]
    return value
