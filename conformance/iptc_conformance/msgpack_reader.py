"""A msgpack reader that is small, slow and obvious.

It never recurses and never takes memory on the word of a length, so it survives every input.
It tells structure from meaning: `tokens` knows nothing of UTF-8, repeated keys or timestamps.
"""

from __future__ import annotations

import struct
from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from iptc_conformance.msgpack_values import TIMESTAMP_TYPE, BadStr, Ext, Map, timestamp_of

if TYPE_CHECKING:
    from collections.abc import Iterator


class Malformed(Exception):  # noqa: N818  (it names what the bytes are)
    """The bytes are not one well-formed object; `at` is the offset where that shows."""

    def __init__(self, at: int, reason: str) -> None:
        super().__init__(f"{reason} at byte {at}")
        self.at = at
        self.reason = reason


class Kind(StrEnum):
    """The kinds of msgpack objects."""

    NIL = "nil"
    BOOL = "bool"
    INT = "int"
    FLOAT = "float"
    STR = "str"
    BIN = "bin"
    ARRAY = "array"
    MAP = "map"
    EXT = "ext"


class Token(NamedTuple):
    """One object's head, and for a str, bin or ext its payload.

    `start`, `payload` and `end` are offsets. The children of an array or a map begin at `end`.
    `size` is the number of children (a map's keys and values count each).
    `scalar` is the value of nil, a bool, an int or a float, and the type of an ext.
    """

    kind: Kind
    start: int
    payload: int
    end: int
    size: int = 0
    scalar: bool | int | float | None = None


class Seen(NamedTuple):
    """A token in its place: how many arrays and maps enclose it, and whether it is part of a map's key."""

    token: Token
    depth: int
    in_key: bool


_NUMBERS = {
    0xCA: (Kind.FLOAT, struct.Struct(">f")),
    0xCB: (Kind.FLOAT, struct.Struct(">d")),
    0xCC: (Kind.INT, struct.Struct(">B")),
    0xCD: (Kind.INT, struct.Struct(">H")),
    0xCE: (Kind.INT, struct.Struct(">I")),
    0xCF: (Kind.INT, struct.Struct(">Q")),
    0xD0: (Kind.INT, struct.Struct(">b")),
    0xD1: (Kind.INT, struct.Struct(">h")),
    0xD2: (Kind.INT, struct.Struct(">i")),
    0xD3: (Kind.INT, struct.Struct(">q")),
}
_LONG = {  # first byte -> kind, width of the length that follows it
    0xC4: (Kind.BIN, 1),
    0xC5: (Kind.BIN, 2),
    0xC6: (Kind.BIN, 4),
    0xC7: (Kind.EXT, 1),
    0xC8: (Kind.EXT, 2),
    0xC9: (Kind.EXT, 4),
    0xD9: (Kind.STR, 1),
    0xDA: (Kind.STR, 2),
    0xDB: (Kind.STR, 4),
    0xDC: (Kind.ARRAY, 2),
    0xDD: (Kind.ARRAY, 4),
    0xDE: (Kind.MAP, 2),
    0xDF: (Kind.MAP, 4),
}
_FIXED_EXT = {0xD4: 1, 0xD5: 2, 0xD6: 4, 0xD7: 8, 0xD8: 16}
_CONSTANTS = {0xC0: (Kind.NIL, None), 0xC2: (Kind.BOOL, False), 0xC3: (Kind.BOOL, True)}


def _whole_size(first: int) -> int:
    """Return the size of an object that holds no other and whose first byte tells its size, else 0."""
    if first <= 0x7F or first >= 0xE0 or first in _CONSTANTS:
        return 1
    if 0xA0 <= first <= 0xBF:
        return 1 + (first & 0x1F)
    if first in _NUMBERS:
        return 1 + _NUMBERS[first][1].size
    return 2 + _FIXED_EXT[first] if first in _FIXED_EXT else 0


_WHOLE_SIZES = [_whole_size(first) for first in range(256)]
_SMALL = [first if first <= 0x7F else first - 0x100 for first in range(256)]
_new_token = partial(tuple.__new__, Token)
"""`Token` without its defaults: half of all the time of the judge goes into making tokens."""


def _until(data: bytes, start: int, end: int) -> int:
    """Return `end` if the data reach that far."""
    if end > len(data):
        raise Malformed(start, "an object is cut short")
    return end


def _sized(data: bytes, kind: Kind, start: int, at: int, size: int) -> Token:
    """Return the token of an object whose size is known and whose payload or children begin at `at`."""
    if kind is Kind.ARRAY:
        return Token(kind, start, at, at, size)
    if kind is Kind.MAP:
        return Token(kind, start, at, at, 2 * size)
    if kind is Kind.EXT:
        _until(data, start, at + 1)
        (ext_type,) = struct.unpack_from(">b", data, at)
        return Token(kind, start, at + 1, _until(data, start, at + 1 + size), 0, ext_type)
    return Token(kind, start, at, _until(data, start, at + size))


def token_at(data: bytes, at: int = 0) -> Token:
    """Return the token that begins at `at`. Raises Malformed."""
    if at >= len(data):
        raise Malformed(at, "the bytes end where an object should begin")
    first = data[at]
    if first <= 0x7F or first >= 0xE0:
        return _new_token((Kind.INT, at, at, at + 1, 0, _SMALL[first]))
    if first <= 0x9F:
        kind, size = (Kind.MAP, 2 * (first & 0x0F)) if first <= 0x8F else (Kind.ARRAY, first & 0x0F)
        return _new_token((kind, at, at + 1, at + 1, size, None))
    if first <= 0xBF:
        end = _until(data, at, at + 1 + (first & 0x1F))
        return _new_token((Kind.STR, at, at + 1, end, 0, None))
    if first in _NUMBERS:
        kind, layout = _NUMBERS[first]
        end = _until(data, at, at + _WHOLE_SIZES[first])
        return _new_token((kind, at, at, end, 0, layout.unpack_from(data, at + 1)[0]))
    if first in _CONSTANTS:
        kind, constant = _CONSTANTS[first]
        return Token(kind, at, at, at + 1, 0, constant)
    if first in _LONG:
        kind, width = _LONG[first]
        begin = _until(data, at, at + 1 + width)
        return _sized(data, kind, at, begin, int.from_bytes(data[at + 1 : begin], "big"))
    if first in _FIXED_EXT:
        return _sized(data, Kind.EXT, at, at + 1, _FIXED_EXT[first])
    raise Malformed(at, f"0x{first:02x} begins no object")


def tokens(data: bytes, at: int = 0) -> Iterator[Seen]:
    """Yield every token of the one object at `at`, in byte order. Raises Malformed when it gets there."""
    left: list[int] = []  # of each open array or map: how many children are still to begin
    maps: list[bool] = []  # is it a map
    keys: list[bool] = []  # is it part of a key
    while True:
        token = token_at(data, at)
        at = token.end
        in_key = False
        if left:
            in_key = keys[-1] or (maps[-1] and left[-1] % 2 == 0)
            left[-1] -= 1
        yield Seen(token, len(left), in_key)
        if token.size:
            left.append(token.size)
            maps.append(token.kind is Kind.MAP)
            keys.append(in_key)
        while left and left[-1] == 0:
            left.pop()
            maps.pop()
            keys.pop()
        if not left:
            return


def end_of(data: bytes, at: int = 0) -> int:
    """Return the offset after the one object at `at`. Raises Malformed.

    Where an object ends hangs only on how many are still to come, so no depth costs memory.
    """
    to_come = 1
    while to_come:
        size = _WHOLE_SIZES[data[at]] if at < len(data) else 0
        if size and at + size <= len(data):
            at += size
            to_come -= 1
            continue
        token = token_at(data, at)
        at = token.end
        to_come += token.size - 1
    return at


def children(data: bytes, parent: Token) -> Iterator[Token]:
    """Yield the head of each child of an array or a map (keys and values in turn). Raises Malformed."""
    at = parent.end
    for index in range(parent.size):
        if index:
            at = end_of(data, at)
        yield token_at(data, at)


def text_of(data: bytes, token: Token) -> str | None:
    """Return the text of a str, or None if the object is no str or not UTF-8."""
    if token.kind is not Kind.STR:
        return None
    try:
        return data[token.payload : token.end].decode("utf-8")
    except UnicodeDecodeError:
        return None


def _leaf(data: bytes, token: Token) -> Any:
    """Return the value of anything but a non-empty array or map."""
    payload = data[token.payload : token.end]
    if token.kind is Kind.STR:
        text = text_of(data, token)
        return BadStr(payload) if text is None else text
    if token.kind is Kind.BIN:
        return payload
    if token.kind is Kind.EXT:
        ext_type = int(token.scalar or 0)
        stamp = timestamp_of(payload) if ext_type == TIMESTAMP_TYPE else None
        return Ext(ext_type, payload) if stamp is None else stamp
    if token.kind is Kind.ARRAY:
        return []
    return {} if token.kind is Kind.MAP else token.scalar


def _closed(kind: Kind, parts: list[Any]) -> Any:
    """Return the value of an array or a map from its children."""
    if kind is Kind.ARRAY:
        return parts
    pairs = tuple(zip(parts[::2], parts[1::2], strict=True))
    if all(isinstance(key, str) for key, _ in pairs) and len({key for key, _ in pairs}) == len(pairs):
        return dict(pairs)
    return Map(pairs)


def read(data: bytes, at: int = 0) -> Any:
    """Return the value of the one object at `at`; what follows it is left alone. Raises Malformed.

    nil, bool, int, float, str, bin and array become what Python calls so. A map becomes a dict, or a Map
    where a dict would lose something. A str that is not UTF-8 becomes a BadStr, an ext a Timestamp or an Ext.
    """
    open_: list[tuple[Token, list[Any]]] = []
    while True:
        token = token_at(data, at)
        at = token.end
        if token.size:
            open_.append((token, []))
            continue
        value = _leaf(data, token)
        while open_:
            parent, parts = open_[-1]
            parts.append(value)
            if len(parts) < parent.size:
                break
            open_.pop()
            value = _closed(parent.kind, parts)
        else:
            return value
