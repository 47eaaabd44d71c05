"""Frames: a 32-bit little-endian length, then a body of that many bytes (FRM-01s)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ._call_table import Reaction
from ._connection_table import HalfEvent
from ._errors import DecodeError, Violation

if TYPE_CHECKING:
    from ._limits import Limits

HEADER_BYTES: Final = 4

_NO_BYTES: Final = memoryview(b"")


def frame(body: bytes) -> bytes:
    """Put a body into a frame; its length is the caller's to check (FRM-03s, FRM-04s)."""
    return len(body).to_bytes(HEADER_BYTES, "little") + body


class Deframer:
    """Cuts a stream of bytes into bodies, the same ones however the stream is split (FRM-01r).

    Holds at most one unfinished frame, in memory that grows with what has come, never with what was
    announced.
    """

    def __init__(self, limits: Limits) -> None:
        self._longest = limits.frame_bytes
        self._held = bytearray()
        self._wanted = HEADER_BYTES
        self.refused: DecodeError | None = None
        """What is wrong with a length, FRM-03s or FRM-04s; then nothing more is taken."""

    @property
    def inside_frame(self) -> bool:
        """Whether the stream so far ends inside a frame (FRM-05r)."""
        return bool(self._held)

    def feed(self, data: bytes | bytearray | memoryview) -> list[memoryview]:
        """Take the next bytes of the stream; returns the bodies that they complete.

        A body may be a view into `data`: read it before `data` changes. A bad length shows in `refused`,
        after the bodies before it were returned.
        """
        view = self.join(data)
        bodies: list[memoryview] = []
        at = 0
        while body := self.body(view, at):
            bodies.append(body)
            at += HEADER_BYTES + len(body)
        self.keep(view, at)
        return bodies

    def join(self, data: bytes | bytearray | memoryview) -> memoryview:
        """What was kept and these bytes, if they complete a frame of it; else nothing, and all is kept."""
        if not self._held:
            return memoryview(data).cast("B")
        self._held += data
        if len(self._held) < self._wanted:
            return _NO_BYTES
        data, self._held = self._held, bytearray()
        return memoryview(data)

    def body(self, view: memoryview, at: int) -> memoryview | None:
        """The body of the frame that begins at `at`; None if it is not whole, or its length is refused."""
        start = at + HEADER_BYTES
        if self.refused or start > len(view):
            return None
        length = int.from_bytes(view[at:start], "little")
        # On the header alone, and before any memory is taken for the body: FRM-03r, FRM-04r.
        if not 0 < length <= self._longest:
            self.refused = _refuse(length)
            return None
        return view[start : start + length] if start + length <= len(view) else None

    def keep(self, view: memoryview, at: int) -> None:
        """Keep the rest, from `at` on, for the bytes that follow: it is less than a frame."""
        rest = view[at:]
        if not rest or self.refused:
            return
        self._held += rest
        self._wanted = HEADER_BYTES
        if len(rest) >= HEADER_BYTES:
            self._wanted += int.from_bytes(rest[:HEADER_BYTES], "little")


def _refuse(length: int) -> DecodeError:
    violation = Violation(
        "FRM-03s" if length else "FRM-04s", Reaction.CLOSE, None, f"a body of {length} bytes"
    )
    return DecodeError(violation, HalfEvent.MALFORMED_BYTES)
