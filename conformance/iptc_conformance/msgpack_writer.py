"""A msgpack writer for the suite: the shortest form of every value, and raw bytes where a case wants them."""

from __future__ import annotations

import struct
from typing import Any

from iptc_conformance.msgpack_values import TIMESTAMP_TYPE, BadStr, Ext, Map, Raw, Timestamp

_MAX_U64 = 2**64 - 1
_MIN_I64 = -(2**63)
_FIXED_EXT = {1: 0xD4, 2: 0xD5, 4: 0xD6, 8: 0xD7, 16: 0xD8}


def _integer(value: int) -> bytes:
    if not _MIN_I64 <= value <= _MAX_U64:
        raise ValueError(f"{value} does not fit in 64 bits")
    if -32 <= value <= 127:
        return struct.pack(">B", value & 0xFF)
    if value >= 0:
        for first, layout, top in ((0xCC, "B", 2**8), (0xCD, "H", 2**16), (0xCE, "I", 2**32)):
            if value < top:
                return struct.pack(f">B{layout}", first, value)
        return struct.pack(">BQ", 0xCF, value)
    for first, layout, bottom in ((0xD0, "b", -(2**7)), (0xD1, "h", -(2**15)), (0xD2, "i", -(2**31))):
        if value >= bottom:
            return struct.pack(f">B{layout}", first, value)
    return struct.pack(">Bq", 0xD3, value)


def _head(size: int, fixed: int | None, fixed_limit: int, firsts: tuple[int | None, int, int]) -> bytes:
    """Write a size: in the first byte if it fits there, else after it in 1, 2 or 4 bytes."""
    if fixed is not None and size < fixed_limit:
        return bytes([fixed | size])
    for first, layout, top in zip(firsts, ("B", "H", "I"), (2**8, 2**16, 2**32), strict=True):
        if first is not None and size < top:
            return struct.pack(f">B{layout}", first, size)
    raise ValueError(f"no msgpack object has a size of {size}")


def _string(data: bytes) -> bytes:
    return _head(len(data), 0xA0, 32, (0xD9, 0xDA, 0xDB)) + data


def _ext(value: Ext) -> bytes:
    kind = struct.pack(">b", value.type)
    if (first := _FIXED_EXT.get(len(value.data))) is not None:
        return bytes([first]) + kind + value.data
    return _head(len(value.data), None, 0, (0xC7, 0xC8, 0xC9)) + kind + value.data


def _timestamp(value: Timestamp) -> bytes:
    if value.nanoseconds == 0 and 0 <= value.seconds < 2**32:
        return _ext(Ext(TIMESTAMP_TYPE, struct.pack(">I", value.seconds)))
    if 0 <= value.seconds < 2**34:
        return _ext(Ext(TIMESTAMP_TYPE, struct.pack(">Q", value.nanoseconds << 34 | value.seconds)))
    return _ext(Ext(TIMESTAMP_TYPE, struct.pack(">Iq", value.nanoseconds, value.seconds)))


def _leaf(value: Any) -> bytes:
    """Write anything but an array or a map."""
    match value:
        case None | bool():
            return {None: b"\xc0", False: b"\xc2", True: b"\xc3"}[value]
        case int():
            return _integer(value)
        case float():
            return struct.pack(">Bd", 0xCB, value)
        case str():
            return _string(value.encode("utf-8"))
        case bytes() | bytearray() | memoryview():
            return _head(len(value), None, 0, (0xC4, 0xC5, 0xC6)) + bytes(value)
        case BadStr():
            return _string(value.data)
        case Raw():
            return value.data
        case Timestamp():
            return _timestamp(value)
        case Ext():
            return _ext(value)
    raise ValueError(f"msgpack has nothing for a {type(value).__name__}")


def encode(value: Any) -> bytes:
    """Return the msgpack of a value, at any depth.

    dict and Map become maps in their own order, list and tuple arrays, bytes a bin, float a float of 64 bits.
    Raises ValueError for what msgpack cannot hold.
    """
    out: list[bytes] = []
    todo: list[Any] = [value]
    while todo:
        item = todo.pop()
        if isinstance(item, Map | dict):
            pairs = list(item.pairs if isinstance(item, Map) else item.items())
            out.append(_head(len(pairs), 0x80, 16, (None, 0xDE, 0xDF)))
            todo.extend(part for pair in reversed(pairs) for part in reversed(pair))
        elif isinstance(item, list | tuple):
            out.append(_head(len(item), 0x90, 16, (None, 0xDC, 0xDD)))
            todo.extend(reversed(item))
        else:
            out.append(_leaf(item))
    return b"".join(out)
