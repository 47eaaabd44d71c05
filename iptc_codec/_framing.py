"""Frames: a 32-bit little-endian length, then a body of that many bytes (FRM-01s)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ._call_table import Reaction
from ._connection_table import HalfEvent
from ._errors import DecodeError, Violation

if TYPE_CHECKING:
    from collections.abc import Iterator

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

    def feed(self, data: bytes | bytearray | memoryview) -> list[memoryview]:
        """Take the next bytes of the stream; returns the bodies that they complete.

        A body may be a view into `data`: read it before `data` changes. A bad length shows in `refused`,
        after the bodies before it were returned.
        """
        bodies: list[memoryview] = []
        for buffer, start in self.pieces(data):
            view, at = memoryview(buffer), start
            while body := self.body(view, at):
                bodies.append(body)
                at += HEADER_BYTES + len(body)
            self.keep(view, at)
        return bodies

    def pieces(self, data: bytes | bytearray | memoryview) -> Iterator[tuple[bytes | memoryview, int]]:
        """The bytes in which whole frames begin, and where: a frame that was kept, if it is whole; the rest.

        Only what belongs to the unfinished frame is copied. `keep` what is left of each piece before the next
        is asked for.
        """
        buffer = data if type(data) is bytes else memoryview(data).cast("B")
        at = 0
        if self._held:
            at = self._complete(memoryview(buffer), 0)
            if len(self._held) < self._wanted:
                return
            whole, self._held = self._held, bytearray()
            yield memoryview(whole), 0
        yield buffer, at

    def _complete(self, view: memoryview, at: int) -> int:
        """Add to the unfinished frame what belongs to it, from `at` on; where it ends."""
        while at < len(view) and (missing := self._wanted - len(self._held)) > 0:
            piece = view[at : at + missing]
            self._held += piece
            at += len(piece)
            if len(self._held) == HEADER_BYTES:
                self._wanted += self._sensible(int.from_bytes(self._held, "little"))
        return at

    def _sensible(self, length: int) -> int:
        """A length; 0 for one that will be refused, so that nothing of such a body is kept (FRM-03r)."""
        return length if length <= self._longest else 0

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
        if at == len(view) or self.refused:
            return
        self._wanted = HEADER_BYTES
        self._complete(view, at)


def _refuse(length: int) -> DecodeError:
    violation = Violation(
        "FRM-03s" if length else "FRM-04s", Reaction.CLOSE, None, f"a body of {length} bytes"
    )
    return DecodeError(violation, HalfEvent.MALFORMED_BYTES)
