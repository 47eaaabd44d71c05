"""What an application chooses for its peers, beyond the limits of the specification."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from iptc_codec import Violation


@dataclass(frozen=True)
class Settings:
    """Choices of one end; the other end need not know them.

    None of them bounds how many items the other end holds unread (FLW-07s, a SHOULD): v1 gives no sign of
    reading, so the reference sends as fast as the stream takes, and a receiver that falls behind overruns.
    """

    send_fatal: bool = True
    """Send FATAL before closing for a violation (ROB-03s). A real tractor 0.1.0a5 dies of one."""

    send_tracebacks: bool = True
    """Send the traceback of a failed call, and what a refused call or a violation was refused for. If not,
    the other end learns the type alone."""

    on_cancel: Callable[[], Awaitable[object]] | None = None
    """Serves `self.cancel` (RUN-02r); without it the call is refused."""

    on_violation: Callable[[Violation], None] | None = None
    """Told of every violation by the other end, those that are merely dropped included. Must not block; what
    it raises is logged."""

    send_bytes: int = 65536
    """Bytes waiting to be written above which whoever has an item, a result or a call to send waits."""

    answer_bytes: int = 1 << 20
    """Bytes of answers waiting to be written above which nothing more is read: a peer that asks and never
    listens must not make us hold its answers without bound."""

    answer_seconds: float = 30.0
    """Seconds for which reading rests for that reason before the connection is given up."""


TRACEBACK_CHARACTERS = 32768
"""The longest traceback that is sent; of a longer one, its end."""
