"""A msgpack reader that looks and builds nothing: where objects begin and end, and whether values are legal.

Only frames that msgspec has refused, or could have misread, come here. Whatever msgspec can tell, that
something is whole or legal, it tells, as it is many times faster. What it refuses is gone through here, to
find out why. That recurses nowhere, takes no memory for a declared length, and no more than a fixed depth of
nesting.
"""

from __future__ import annotations

import re
from enum import Enum
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterator

Body = bytes | memoryview

DEEPEST: Final = 10_000
"""Levels of nesting that are looked into; msgspec gives up before, and may from 100 on (ENC-06r)."""

_TIMESTAMP: Final = -1
_FIRST_SECOND: Final = -62_135_596_800  # 0001-01-01T00:00:00Z
_LAST_SECOND: Final = 253_402_300_799  # 9999-12-31T23:59:59Z


_LAST_TIMESTAMP: Final = re.compile(
    rb"\xff[\x00-\x3b].{3}" + re.escape(_LAST_SECOND.to_bytes(8, "big")), re.DOTALL
)
"""An ext value of type -1: nanoseconds within the last second that there is."""


class NotMsgpackError(Exception):
    """The bytes are not one well-formed object (ENC-01s)."""


class Kind(Enum):
    """What an object is, as far as the protocol asks."""

    ARRAY = "array"
    MAP = "map"
    STR = "str"
    EXT = "ext"
    NIL = "nil"
    TRUE = "true"
    OTHER = "other"

    __hash__ = object.__hash__


class Head(NamedTuple):
    """The head of an object. `size` counts children, both of a map's pair, or else bytes from `start` on."""

    kind: Kind
    start: int
    size: int


class Slot(NamedTuple):
    """A whole object, by place: its first child or byte of content at `start`, the next object at `end`."""

    kind: Kind
    start: int
    size: int
    at: int
    end: int


_read_any = msgspec.msgpack.Decoder().decode
_read_raw = msgspec.msgpack.Decoder(msgspec.Raw).decode
_read_raws = msgspec.msgpack.Decoder(list[msgspec.Raw]).decode

_PARENTS: Final = frozenset({Kind.ARRAY, Kind.MAP})

_NOT_READ = (msgspec.DecodeError, ValueError, RecursionError, MemoryError)

_FEW: Final = 16
"""So many children are told apart by msgspec; for more, what it makes of each would take too much memory."""

_NEVER: Final = 1 << 64
"""No body has so many bytes: the size of an object that begins with 0xc1, which nothing does."""


def _heads() -> list[tuple[Kind, int, int, int]]:
    """For each first byte: the kind, how many bytes of size follow, what to add, and children for each."""
    heads = [(Kind.OTHER, 0, 0, 0)] * 256
    heads[0x80:0x90] = [(Kind.MAP, 0, n, 2) for n in range(16)]
    heads[0x90:0xA0] = [(Kind.ARRAY, 0, n, 1) for n in range(16)]
    heads[0xA0:0xC0] = [(Kind.STR, 0, n, 0) for n in range(32)]
    heads[0xC0:0xC4] = [
        (Kind.NIL, 0, 0, 0),
        (Kind.OTHER, 0, _NEVER, 0),
        (Kind.OTHER, 0, 0, 0),
        (Kind.TRUE, 0, 0, 0),
    ]
    heads[0xC4:0xC7] = [(Kind.OTHER, width, 0, 0) for width in (1, 2, 4)]  # bin
    heads[0xC7:0xCA] = [(Kind.EXT, width, 1, 0) for width in (1, 2, 4)]  # the byte of the type is content
    heads[0xCA:0xD4] = [(Kind.OTHER, 0, n, 0) for n in (4, 8, 1, 2, 4, 8, 1, 2, 4, 8)]  # float, uint, int
    heads[0xD4:0xD9] = [(Kind.EXT, 0, 1 + n, 0) for n in (1, 2, 4, 8, 16)]
    heads[0xD9:0xDC] = [(Kind.STR, width, 0, 0) for width in (1, 2, 4)]
    heads[0xDC:0xDE] = [(Kind.ARRAY, width, 0, 1) for width in (2, 4)]
    heads[0xDE:0xE0] = [(Kind.MAP, width, 0, 2) for width in (2, 4)]
    return heads


_HEADS: Final = _heads()

_PLAIN: Final = re.compile(rb"[\x00-\x7f\x90\xa0\xc0\xc2\xc3\xe0-\xff]+")
"""Objects of one byte that are legal anywhere: a run of them is passed over at once."""

_NESTED: Final = re.compile(rb"\x91+")
"""Arrays of one element: each is one object less to come, and one more."""


def head(body: Body, at: int) -> Head:
    """Read the head of the object at `at`. Raises `NotMsgpackError` if it is cut short."""
    if at >= len(body):
        raise NotMsgpackError
    kind, width, size, per = _HEADS[body[at]]
    start = at + 1 + width
    if start > len(body):
        raise NotMsgpackError
    if width:
        size += int.from_bytes(body[at + 1 : start], "big")
    return Head(kind, start, size * per if per else size)


def end_of(body: Body, at: int = 0) -> int:
    """Where the object at `at` ends. Raises `NotMsgpackError`."""
    end, missing = len(body), 1
    while missing:
        # Every missing object is at least one byte: a declared count that cannot come true ends here.
        if missing > end - at:
            raise NotMsgpackError
        _, width, size, per = _HEADS[body[at]]
        if width:
            start = at + 1 + width
            size += int.from_bytes(body[at + 1 : start], "big")
            at = start
        elif size == 0 and (run := _PLAIN.match(body, at, at + missing)):
            missing -= run.end() - at
            at = run.end()
            continue
        elif size == 1 and (run := _NESTED.match(body, at)):
            at = run.end()
            continue
        else:
            at += 1
        missing -= 1
        if per:
            missing += size * per
        else:
            at += size
    if at > end:
        raise NotMsgpackError
    return at


def slot(body: Body, at: int = 0) -> Slot:
    """The object at `at`. Raises `NotMsgpackError`."""
    return Slot(*head(body, at), at, end_of(body, at))


def slot_of_all(body: Body) -> Slot:
    """The object that is all of the body, or its beginning. Raises `NotMsgpackError`."""
    try:
        _read_raw(body)
    except _NOT_READ:
        return slot(body)
    return Slot(*head(body, 0), 0, len(body))


def children(body: Body, parent: Slot) -> Iterator[Slot]:
    """The elements of an array, or the keys and values of a map in turn."""
    at = parent.start
    if parent.size <= _FEW and (sizes := _sizes(body, parent)):
        for whole in sizes:
            yield Slot(*head(body, at), at, at + whole)
            at += whole
        return
    for _ in range(parent.size):
        kind, start, size = head(body, at)
        end = end_of(body, at) if size and kind in _PARENTS else start + size
        yield Slot(kind, start, size, at, end)
        at = end


def _sizes(body: Body, parent: Slot) -> list[int]:
    """How many bytes each child has, for which msgspec takes them as an array's; empty if it does not."""
    content = body[parent.start : parent.end]
    try:
        raws = _read_raws(b"".join((b"\xdc", parent.size.to_bytes(2, "big"), content)))
    except _NOT_READ:
        return []
    return [len(memoryview(raw)) for raw in raws]


def text(body: Body, of: Slot) -> str | None:
    """The text of a str; None if it is not UTF-8, or no str."""
    if of.kind is not Kind.STR:
        return None
    try:
        return str(body[of.start : of.end], "utf-8")
    except UnicodeDecodeError:
        return None


def value_clause(body: Body, value: Slot) -> str | None:
    """The first clause, in byte order, that a value breaks: ENC-02s, ENC-06r, ENC-07s or ENC-08s."""
    try:
        _read_any(body[value.at : value.end])
    except _NOT_READ:
        return _first_clause(body, value.at)
    return None


def _first_clause(body: Body, at: int) -> str | None:
    left, of_map, in_key = 1, False, False  # objects to come, whether they are a map's, whether inside a key
    parents: list[tuple[int, bool, bool]] = []
    while left or parents:
        if not left:
            left, of_map, in_key = parents.pop()
            continue
        kind, width, size, per = _HEADS[body[at]]
        start = at + 1 + width
        if width:
            size += int.from_bytes(body[at + 1 : start], "big")
        elif not size and (run := _PLAIN.match(body, at, at + left)):
            left -= run.end() - at
            at = run.end()
            continue
        as_key = in_key or (of_map and left % 2 == 0)
        left -= 1
        if per:
            if as_key and kind is Kind.MAP:
                return "ENC-07s"
            parents.append((left, of_map, in_key))
            if len(parents) > DEEPEST:
                return "ENC-06r"
            left, of_map, in_key = size * per, kind is Kind.MAP, as_key
            at = start
            continue
        at = start + size
        if kind is not Kind.OTHER and (clause := _leaf_clause(kind, bytes(body[start:at]), as_key=as_key)):
            return clause
    return None


def _leaf_clause(kind: Kind, content: bytes, *, as_key: bool) -> str | None:
    if kind is Kind.STR:
        return None if content.isascii() or _is_utf8(content) else "ENC-02s"
    if kind is not Kind.EXT:
        return None
    if int.from_bytes(content[:1], "big", signed=True) != _TIMESTAMP:
        return "ENC-07s" if as_key else None
    return None if _is_timestamp(content[1:]) else "ENC-08s"


def without_last_half_microsecond(body: Body) -> bytearray:
    """The same body with the last timestamps that there are taken down to the last whole microsecond.

    msgspec rounds timestamps to microseconds, and finds none to round these up to.
    """
    settled = bytearray(body)
    at = 0
    while at < len(body):
        kind, at, size = head(body, at)
        if kind is Kind.ARRAY or kind is Kind.MAP:
            continue
        if kind is Kind.EXT and _LAST_TIMESTAMP.fullmatch(body, at, at + size):
            nanoseconds = int.from_bytes(body[at + 1 : at + 5], "big")
            settled[at + 1 : at + 5] = min(nanoseconds, 999_999_000).to_bytes(4, "big")
        at += size
    return settled


def _is_utf8(content: bytes) -> bool:
    try:
        str(content, "utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _is_timestamp(content: Body) -> bool:
    number = int.from_bytes(content, "big")
    match len(content):
        case 4:
            return True
        case 8:
            return number >> 34 <= 999_999_999  # 30 bits of nanoseconds, 34 of seconds
        case 12:
            seconds = int.from_bytes(content[4:], "big", signed=True)
            return number >> 64 <= 999_999_999 and _FIRST_SECOND <= seconds <= _LAST_SECOND
        case _:
            return False
