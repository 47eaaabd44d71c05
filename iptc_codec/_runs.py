"""The start of a frame at one look, and items of the same call that come or go together.

Once an item of a call may come, so may all, and nothing else changes. So a stream at full speed is read
without a look at its call for each item. Nor are its items read as messages, or written as such: between the
same first bytes and the same last ones, which say its cid, there can only be a value.
"""

from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING, Final

from msgspec import msgpack

from ._framing import HEADER_BYTES
from ._messages import Item
from ._readers import NOT_TAKEN, read_value
from ._writers import SCALARS, skip, write_plain

if TYPE_CHECKING:
    from collections.abc import Callable

peek: Final = Struct("<IB3xB").unpack_from
"""The length of a frame, and of its body the first byte and the fifth."""

LEAST: Final = HEADER_BYTES + 5
"""So many bytes `peek` looks at."""

SMALL: Final = 1024
"""A body of fewer bytes is copied out of what was read: a view of it would cost more."""

MOST: Final = 64
"""So many items come together."""

_ITEM_START: Final = Struct("<I7s")
_peek_item, _start_item = _ITEM_START.unpack_from, _ITEM_START.pack
_YIELD: Final = b"\x82\xa5yield"
_LEAST: Final = HEADER_BYTES + len(_YIELD)


def _end_of(cid: str) -> bytes:
    """What stands behind the value in an item of this call."""
    return b"\xa3cid" + msgpack.encode(cid)


class ItemWriter:
    """Writes items of one call, of at most `most` bytes each, as the encoder writes an `Item`.

    `by_all_rules` says why one can't be written.
    """

    __slots__ = ("_around", "_by_all_rules", "_cid", "_end", "_most")

    def __init__(self, cid: str, most: int, by_all_rules: Callable[[Item], tuple[bytes, ...]]) -> None:
        self._cid = cid
        self._most = most
        self._by_all_rules = by_all_rules
        self._end = _end_of(cid)
        self._around = len(_YIELD) + len(self._end)

    def parts(self, value: object) -> tuple[bytes, ...]:
        """The frame of an item, in parts of which the second holds the value.

        Raises `UnencodableValueError`.
        """
        try:
            body = write_plain(value)
            if type(value) not in SCALARS:
                skip(body)
            size = len(body) + self._around
            if size <= self._most:
                return _start_item(size, _YIELD), body, self._end
        except Exception:  # noqa: BLE001, S110 - what a value raises is said below
            pass
        return self._by_all_rules(Item(value, self._cid))


def items_that_follow(
    data: bytes | memoryview, at: int, cid: str, values: list[object], sizes: list[int]
) -> int:
    """Add the items that follow, as long as they are whole, of this call, and written as most are.

    `values` and `sizes`, of their bodies, are added to, up to `MOST`. Returns where what follows begins.
    """
    view, end, tail = memoryview(data), len(data), _end_of(cid)
    behind, before = len(tail), -1
    while len(values) < MOST:
        if end - at < _LEAST:
            break
        length, head = _peek_item(data, at)
        value_at = at + _LEAST
        after = at + HEADER_BYTES + length
        if head != _YIELD or after > end or data[after - behind : after] != tail:
            break
        try:
            value = read_value((data if length < SMALL else view)[value_at : after - behind])
        except NOT_TAKEN:
            break
        values.append(value)
        sizes.append(length)
        if length == before:
            after = _items_of_one_size(data, after, length, tail + data[at:value_at], values, sizes)
        at, before = after, length
    return at


def _items_of_one_size(
    data: bytes | memoryview, at: int, length: int, between: bytes, values: list[object], sizes: list[int]
) -> int:
    """Add items as long as one more of their size follows: then the same bytes stand behind each value.

    These are `between`: the end of an item, and the start of the next.
    """
    size, behind = HEADER_BYTES + length, len(between) - _LEAST
    if length >= SMALL or data[at : at + _LEAST] != between[behind:]:
        return at
    for _ in range(MOST - len(values)):
        after = at + size
        value_ends = after - behind
        if data[value_ends : after + _LEAST] != between:
            break
        try:
            value = read_value(data[at + _LEAST : value_ends])
        except NOT_TAKEN:
            break
        values.append(value)
        sizes.append(length)
        at = after
    return at
