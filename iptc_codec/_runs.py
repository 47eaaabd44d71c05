"""The start of a frame at one look, and items of the same call that come together.

Once an item of a call may come, so may all, and nothing else changes. So a stream at full speed is read
without a look at its call for each item. Nor are its items read as messages: between the same first bytes and
the same last ones, which say its cid, there can only be a value.
"""

from __future__ import annotations

from struct import Struct
from typing import Final

from msgspec import msgpack

from ._framing import HEADER_BYTES
from ._readers import NOT_TAKEN, read_value

peek: Final = Struct("<IB3xB").unpack_from
"""The length of a frame, and of its body the first byte and the fifth."""

LEAST: Final = HEADER_BYTES + 5
"""So many bytes `peek` looks at."""

SMALL: Final = 1024
"""A body of fewer bytes is copied out of what was read: a view of it would cost more."""

MOST: Final = 64
"""So many items come together."""

_peek_item: Final = Struct("<I7s").unpack_from
_YIELD: Final = b"\x82\xa5yield"
_LEAST: Final = HEADER_BYTES + len(_YIELD)


def items_that_follow(
    data: bytes | memoryview, at: int, cid: str, values: list[object], sizes: list[int]
) -> int:
    """Add the items that follow, as long as they are whole, of this call, and written as most are.

    `values` and `sizes`, of their bodies, are added to, up to `MOST`. Returns where what follows begins.
    """
    view, end, tail = memoryview(data), len(data), b"\xa3cid" + msgpack.encode(cid)
    behind = len(tail)
    for _ in range(MOST - len(values)):
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
        at = after
    return at
