"""The limits that a peer may choose."""

from __future__ import annotations

from typing import Final

import msgspec

from . import _limits_table as table

_LEAST: Final = {"finished_calls": 0}
"""The least of each count that makes sense; of all others 1."""

_LONGEST_FRAME: Final = (1 << 32) - 1
"""Whatever is longer has no header (FRM-01s)."""


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """What this side accepts, holds and waits for; it keeps to `frame_bytes` and `open_calls` itself as well.

    The codec uses `frame_bytes`, `open_calls` and `finished_calls`; the rest is for whoever has a clock and
    queues. The longest cid and the least nesting are no choice: they are part of the format.

    The specification has floors (`limits.json`): 64 MiB for `frame_bytes`, and 64 for `open_calls`,
    `unread_items` and `held_items`. Less is accepted here, for tests and small devices, and does not conform.
    Raises `ValueError` for what makes no sense at all: a count that is no int or below 1 (below 0 for
    `finished_calls`), a time that is negative or NaN. Infinite seconds are no limit.
    """

    frame_bytes: int = table.FRAME_BYTES
    open_calls: int = table.OPEN_CALLS
    finished_calls: int = table.FINISHED_CALLS
    hello_seconds: float = table.HELLO_SECONDS
    goodbye_seconds: float = table.GOODBYE_SECONDS
    cancel_seconds: float = table.CANCEL_SECONDS
    unread_items: int = table.UNREAD_ITEMS
    held_items: int = table.HELD_ITEMS
    held_bytes: int = table.HELD_BYTES
    stall_seconds: float = table.STALL_SECONDS

    def __post_init__(self) -> None:
        for name in self.__struct_fields__:
            value = getattr(self, name)
            if name.endswith("_seconds"):
                sensible = isinstance(value, int | float) and value >= 0  # which NaN is not
            else:
                sensible = isinstance(value, int) and value >= _LEAST.get(name, 1)
            if not sensible or (name == "frame_bytes" and value > _LONGEST_FRAME):
                raise ValueError(f"{name} cannot be {value!r}")
