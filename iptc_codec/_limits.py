"""The limits that a peer may choose."""

from __future__ import annotations

import msgspec

from . import _limits_table as table


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """What this side accepts, holds and waits for; it keeps to `frame_bytes` and `open_calls` itself as well.

    The codec uses `frame_bytes`, `open_calls` and `finished_calls`; the rest is for whoever has a clock and
    queues. The longest cid and the least nesting are no choice: they are part of the format.
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
            if getattr(self, name) < 0:
                raise ValueError(f"{name} is negative")
