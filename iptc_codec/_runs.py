"""Items that follow an item of the same call: once one may come, so may all, and nothing else changes.

So a stream at full speed is read without a look at its call for each item.
"""

from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING, Final

from ._framing import HEADER_BYTES
from ._wire import CALL_READERS, NOT_TAKEN, TWO_ENTRIES

if TYPE_CHECKING:
    from ._messages import Item

peek: Final = Struct("<IB3xB").unpack_from
"""The length of a frame, and of its body the first byte and the fifth."""

LEAST: Final = HEADER_BYTES + 5
"""So many bytes `peek` looks at."""

ITEM: Final = ord("e")
"""The fifth byte of an ITEM, whose `yield` comes first."""

_MOST: Final = 63

_read: Final = CALL_READERS[TWO_ENTRIES][ITEM]


def items_that_follow(view: memoryview, at: int, cid: str) -> tuple[list[Item], list[int], int]:
    """The items from `at` on, up to 63, as long as they are whole, common in their bytes, and of this call.

    Returns them with the lengths of their bodies, and where what follows begins.
    """
    items: list[Item] = []
    sizes: list[int] = []
    end = len(view)
    while end - at >= LEAST and len(sizes) < _MOST:
        length, header, letter = peek(view, at)
        after = at + HEADER_BYTES + length
        if letter != ITEM or header != TWO_ENTRIES or after > end:
            break
        try:
            item = _read(view[at + HEADER_BYTES : after])
        except NOT_TAKEN:
            break
        if item.cid != cid:
            break
        items.append(item)  # type: ignore[arg-type]
        sizes.append(length)
        at = after
    return items, sizes, at
