"""Frames: a 32-bit little-endian length, then a body of that many bytes (FRM-01s)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ._call_table import Reaction
from ._connection_table import HalfEvent
from ._errors import DecodeError, Violation

if TYPE_CHECKING:
    from ._limits import Limits

HEADER_BYTES: Final = 4


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

    def feed(self, data: bytes | bytearray | memoryview) -> list[bytes | memoryview]:
        """Take the next bytes of the stream; returns the bodies that they complete.

        A body may be a view into `data`: read it before `data` changes. A bad length shows in `refused`,
        after the bodies before it were returned.
        """
        if self.refused:
            return []
        if self._held:
            self._held += data
            if len(self._held) < self._wanted:
                return []
            data, self._held = self._held, bytearray()
        view = memoryview(data).cast("B")
        bodies, rest = self._cut(view)
        if not self.refused:
            self._held += view[rest:]
        return bodies

    def _cut(self, view: memoryview) -> tuple[list[bytes | memoryview], int]:
        bodies: list[bytes | memoryview] = []
        at, end = 0, len(view)
        while end - at >= HEADER_BYTES:
            length = int.from_bytes(view[at : at + HEADER_BYTES], "little")
            # On the header alone, and before any memory is taken for the body: FRM-03r, FRM-04r.
            if not 0 < length <= self._longest:
                self.refused = _refuse(length)
                return bodies, end
            self._wanted = HEADER_BYTES + length
            if end - at < self._wanted:
                return bodies, at
            bodies.append(view[at + HEADER_BYTES : at + self._wanted])
            at += self._wanted
        self._wanted = HEADER_BYTES
        return bodies, at


def _refuse(length: int) -> DecodeError:
    violation = Violation(
        "FRM-03s" if length else "FRM-04s", Reaction.CLOSE, None, f"a body of {length} bytes"
    )
    return DecodeError(violation, HalfEvent.MALFORMED_BYTES)
