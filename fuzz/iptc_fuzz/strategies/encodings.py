"""Every legal way to write a value in msgpack (ENC-10r), not the shortest alone.

A writer with a choice at each object. The choices are a row of small numbers: 0 is the shortest form, so what
hypothesis shrinks ends as plain as it can be.
"""

from __future__ import annotations

import struct
from itertools import cycle
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

from iptc_conformance.msgpack_values import TIMESTAMP_TYPE, BadStr, Ext, Map, Raw, Timestamp

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_UNSIGNED = ((0xCC, ">B", 2**8), (0xCD, ">H", 2**16), (0xCE, ">I", 2**32), (0xCF, ">Q", 2**64))
_SIGNED = ((0xD0, ">b", 2**7), (0xD1, ">h", 2**15), (0xD2, ">i", 2**31), (0xD3, ">q", 2**63))
_FIXED_EXT = {1: 0xD4, 2: 0xD5, 4: 0xD6, 8: 0xD7, 16: 0xD8}

Sized = tuple[int | None, int, tuple[int | None, int, int]]
"""First byte of the fixed form, how many it can say, first bytes with 1, 2 and 4 bytes of size."""

STR: Sized = (0xA0, 32, (0xD9, 0xDA, 0xDB))
BIN: Sized = (None, 0, (0xC4, 0xC5, 0xC6))
ARRAY: Sized = (0x90, 16, (None, 0xDC, 0xDD))
MAP: Sized = (0x80, 16, (None, 0xDE, 0xDF))
EXT: Sized = (None, 0, (0xC7, 0xC8, 0xC9))


def heads(size: int, form: Sized) -> list[bytes]:
    """Return every head that says this size, the shortest first."""
    fixed, fixed_limit, firsts = form
    found = [] if fixed is None or size >= fixed_limit else [bytes([fixed | size])]
    for first, width in zip(firsts, (1, 2, 4), strict=True):
        if first is not None and size < 1 << 8 * width:
            found.append(bytes([first]) + size.to_bytes(width, "big"))
    return found


def integer_forms(value: int) -> list[bytes]:
    """Return every form of an integer, the shortest first. Raises TypeError beyond 64 bits."""
    if not -(2**63) <= value < 2**64:
        raise TypeError(f"msgpack has nothing for {value}")
    found = [struct.pack(">B", value & 0xFF)] if -32 <= value <= 127 else []
    if value >= 0:
        found += [
            bytes([first]) + struct.pack(layout, value) for first, layout, top in _UNSIGNED if value < top
        ]
    signed = [(first, layout) for first, layout, top in _SIGNED if -top <= value < top]
    return found + [bytes([first]) + struct.pack(layout, value) for first, layout in signed]


def float_forms(value: float) -> list[bytes]:
    """Return the form of 64 bits, and that of 32 where nothing is lost."""
    found = [struct.pack(">Bd", 0xCB, value)]
    try:
        short = struct.pack(">f", value)
    except OverflowError:
        return found
    return (
        [*found, b"\xca" + short] if struct.pack(">d", *struct.unpack(">f", short)) == found[0][1:] else found
    )


def ext_forms(value: Ext) -> list[bytes]:
    """Return every form of an ext value."""
    kind = struct.pack(">b", value.type)
    fixed = [bytes([_FIXED_EXT[len(value.data)]])] if len(value.data) in _FIXED_EXT else []
    return [head + kind + value.data for head in fixed + heads(len(value.data), EXT)]


def timestamp_forms(value: Timestamp) -> list[bytes]:
    """Return every form of a timestamp: of 32, 64 and 96 bits, under every head of an ext."""
    bodies = []
    if value.nanoseconds == 0 and 0 <= value.seconds < 2**32:
        bodies.append(struct.pack(">I", value.seconds))
    if 0 <= value.seconds < 2**34:
        bodies.append(struct.pack(">Q", value.nanoseconds << 34 | value.seconds))
    bodies.append(struct.pack(">Iq", value.nanoseconds, value.seconds))
    return [form for body in bodies for form in ext_forms(Ext(TIMESTAMP_TYPE, body))]


_CONSTANTS = {None: b"\xc0", False: b"\xc2", True: b"\xc3"}


def leaf_forms(value: Any) -> list[bytes]:
    """Return every form of a value that holds no other. Raises TypeError for what msgpack cannot say."""
    match value:
        case None | bool():
            return [_CONSTANTS[value]]
        case int():
            return integer_forms(value)
        case float():
            return float_forms(value)
        case str():
            data = value.encode()
            return [head + data for head in heads(len(data), STR)]
        case bytes():
            return [head + value for head in heads(len(value), BIN)]
    return _special_forms(value)


def _special_forms(value: Any) -> list[bytes]:
    match value:
        case Timestamp():
            return timestamp_forms(value)
        case Ext():
            return ext_forms(value)
        case BadStr(data):
            return [head + data for head in heads(len(data), STR)]
        case Raw(data):
            return [data]
    raise TypeError(f"msgpack has nothing for a {type(value).__name__}")


def write(value: Any, choices: bytes = b"") -> bytes:
    """Write a value; at each object the next of `choices`, used in turn for ever, says in which form."""
    chosen: Iterator[int] = cycle(choices or b"\0")
    out: list[bytes] = []
    _write(value, lambda forms: out.append(forms[next(chosen) % len(forms)]))
    return b"".join(out)


def _write(value: Any, put: Callable[[list[bytes]], None]) -> None:
    todo = [value]
    while todo:
        one = todo.pop()
        if isinstance(one, dict | Map):
            pairs = list(one.items() if isinstance(one, dict) else one.pairs)
            put(heads(len(pairs), MAP))
            todo += [part for pair in reversed(pairs) for part in reversed(pair)]
        elif isinstance(one, list | tuple):
            put(heads(len(one), ARRAY))
            todo += reversed(one)
        else:
            put(leaf_forms(one))


def choices() -> st.SearchStrategy[bytes]:
    """Rows of choices for `write`: the shortest forms half of the time."""
    return st.just(b"") | st.binary(min_size=1, max_size=12)


def bodies(of: st.SearchStrategy[Any]) -> st.SearchStrategy[bytes]:
    """Values in any legal form."""
    return st.builds(write, of, choices())
