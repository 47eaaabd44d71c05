"""What the reader of common messages goes by: the start of a frame, at one look, and how much comes together.

Once an item of a call may come, so may all, and nothing else changes. So a stream at full speed is read
without a look at its call for each item.
"""

from __future__ import annotations

from struct import Struct
from typing import Final

from ._framing import HEADER_BYTES

peek: Final = Struct("<IB3xB").unpack_from
"""The length of a frame, and of its body the first byte and the fifth."""

LEAST: Final = HEADER_BYTES + 5
"""So many bytes `peek` looks at."""

SMALL: Final = 1024
"""A body of fewer bytes is copied out of what was read: a view of it would cost more."""

MOST: Final = 64
"""So many items come together."""
