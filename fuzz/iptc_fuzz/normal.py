"""One form for the values of three msgpack readers, in which 1, 1.0 and true differ."""

from __future__ import annotations

import datetime as dt
import struct
from typing import Any

import msgpack  # type: ignore[import-untyped]
import msgspec

from iptc_conformance import msgpack_values

NANOS = 1_000_000_000
_LAST_MICROSECOND = 253_402_300_799_999_999  # of the year 9999
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)

Normal = tuple[Any, ...]
"""A value as nested tuples; the order of a map's entries does not count, nor its repeated keys."""


def third_opinion(body: bytes) -> Normal:
    """Return what `msgpack`, which codec and judge do not use, makes of a body.

    Raises RecursionError for what is nested too deep for it, else what it raises.
    """
    # Arrays as tuples, so that they can be keys. Its own class for ext values takes no negative types.
    try:
        value = msgpack.unpackb(body, strict_map_key=False, use_list=False, ext_hook=msgpack_values.Ext)
    except msgpack.exceptions.StackError as error:
        raise RecursionError from error
    return normal(value)


def normal(value: Any) -> Normal:
    """Return the normal form of what any of the readers gives. Timestamps count in microseconds (ENC-12r).

    Raises RecursionError for a value deeper than the interpreter's stack.
    """
    match value:
        case dict():
            return _map(value.items())
        case msgpack_values.Map():
            return _map(value.pairs)
        case list() | tuple():
            return ("array", *map(normal, value))
    return _leaf(value)


def repeats(value: Any) -> bool:
    """Tell whether a key stands twice anywhere in what the judge read, as Python compares keys.

    What a receiver makes of such a map is not defined; Python has one place for 1, 1.0 and true.
    """
    todo = [value]
    while todo:
        one = todo.pop()
        if isinstance(one, msgpack_values.Map):
            keys = [_as_key(key) for key, _ in one.pairs]
            if len(set(keys)) < len(keys):
                return True
            todo += [part for pair in one.pairs for part in pair]
        elif isinstance(one, dict):
            todo += one.values()
        elif isinstance(one, list):
            todo += one
    return False


def _as_key(key: Any) -> Any:
    """A key as the codec's dicts see it: an array as a tuple, a timestamp in microseconds."""
    if isinstance(key, list):
        return tuple(map(_as_key, key))
    if isinstance(key, dict | msgpack_values.Map):
        return repr(key)  # illegal, and in no dict
    return _leaf(key) if isinstance(key, msgpack_values.Timestamp) else key


def _map(pairs: Any) -> Normal:
    return ("map", frozenset((normal(key), normal(item)) for key, item in pairs))


def _leaf(value: Any) -> Normal:
    match value:
        case float():
            return ("float", struct.pack(">d", value) if value == value else b"nan")
        case None | bool() | int() | str():
            return (type(value).__name__, value)
        case bytes() | bytearray() | memoryview():
            return ("bin", bytes(value))
    return _special(value)


def _special(value: Any) -> Normal:
    match value:
        case msgpack.Timestamp() | msgpack_values.Timestamp():
            return _timestamp(value.seconds * NANOS + value.nanoseconds)
        case dt.datetime():
            return ("timestamp", (value - _EPOCH) // dt.timedelta(microseconds=1))
        case msgspec.msgpack.Ext():
            return ("ext", value.code, bytes(value.data))
        case msgpack_values.Ext():
            return ("ext", value.type, value.data)
    raise AssertionError(type(value))


def _timestamp(nanos: int) -> Normal:
    return ("timestamp", min((nanos + 500) // 1000, _LAST_MICROSECOND))
