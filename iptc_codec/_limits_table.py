"""The limits, and what the reference uses by default.

GENERATED from spec/v1/limits.json by tools/generate.py: edit the specification, not this file.
"""

from __future__ import annotations

from typing import Final

FRAME_BYTES: Final = 67_108_864
"""In bytes: the longest body of a frame [FRM-03r]."""

CID_BYTES: Final = 256
"""In bytes: the longest cid, as UTF-8 [CID-01s]."""

NESTING: Final = 100
"""In levels: how deep arrays and maps may be nested in a value and be accepted everywhere [ENC-06r]."""

OPEN_CALLS: Final = 65_536
"""In calls: how many calls of the other side are open at once on a connection [OPN-12r]."""

FINISHED_CALLS: Final = 1_024
"""In calls: how many ended calls a side remembers, to tell a late message from one of an unknown cid [TRM-03r]."""

HELLO_SECONDS: Final = 10
"""In seconds: how long a connection may be without its hello [HSK-05r]."""

GOODBYE_SECONDS: Final = 5
"""In seconds: how long a side that leaves waits for the other's GOODBYE [DSC-02r]."""

CANCEL_SECONDS: Final = 5
"""In seconds: how long a caller waits for the answer of its CANCEL before it gives the call up [CXL-02r]."""

UNREAD_ITEMS: Final = 64
"""In items: how many items a sender may have unread at a peer that has not said that it takes more [FLW-08r]."""

HELD_ITEMS: Final = 1_024
"""In items: the high-water mark: how many items of a call a receiver holds before it pauses reading [FLW-01r]."""

HELD_BYTES: Final = 67_108_864
"""In bytes: the same in bytes of their frames [FLW-01r]."""

STALL_SECONDS: Final = 1
"""In seconds: how long reading is paused for a consumer that takes nothing, before it is overrun [FLW-06r]."""
