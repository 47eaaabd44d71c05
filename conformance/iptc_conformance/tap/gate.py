"""What of a chunk may be passed on: all of it or, with `enforce`, whole frames that broke no MUST."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from iptc_conformance import _specdata
from iptc_conformance.wire import HEADER_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from iptc_conformance.judge import Finding
    from iptc_conformance.tap.tape import Tape
    from iptc_conformance.trace import Side


class CutError(Exception):
    """The connection is to be cut. `before`: what may still be passed on.

    `finding` is None where the connection can't be judged any further.
    """

    def __init__(self, finding: Finding | None, before: bytes) -> None:
        super().__init__("cannot be judged any further" if finding is None else finding.clause)
        self.finding = finding
        self.before = before


class Gate(Protocol):
    """One direction of a connection."""

    def saw(self, data: bytes) -> bytes:
        """Judge a chunk, and return what may be passed on now.  Raises CutError."""

    def ended(self) -> bytes:
        """Judge the end of the stream, and return what may still be passed on."""


class OpenGate:
    """Passes everything on."""

    def __init__(self, tape: Tape, conn: str, side: Side) -> None:
        self._tape, self._conn, self._side = tape, conn, side

    def saw(self, data: bytes) -> bytes:
        """Judge a chunk; all of it may be passed on."""
        self._tape.judge(self._conn, self._side, self._tape.record(self._conn, self._side, data), data)
        return data

    def ended(self) -> bytes:
        """Judge the end of the stream."""
        self._tape.judge_end(self._conn, self._side, self._tape.record(self._conn, self._side, None))
        return b""


class StrictGate:
    """Holds a frame back until it has been judged: none that breaks a MUST is passed on, not even in part.

    Holds at most one frame.
    """

    def __init__(self, tape: Tape, conn: str, side: Side) -> None:
        self._tape, self._conn, self._side = tape, conn, side
        self._borders = Borders()
        self._held = bytearray()

    def saw(self, data: bytes) -> bytes:
        """Judge a chunk; the frames that it completes may be passed on.  Raises CutError."""
        seq = self._tape.record(self._conn, self._side, data)
        allowed = bytearray()
        cut: CutError | None = None
        for piece, complete in self._borders.split(data):
            self._held += piece
            if not complete:
                continue
            findings = self._tape.judge(self._conn, self._side, seq, bytes(self._held))
            broken = next((finding for finding in findings if finding.level == "MUST"), None)
            if cut is None and (broken is not None or self._tape.gave_up(self._conn)):
                cut = CutError(broken, bytes(allowed))
            allowed += self._held
            self._held.clear()
        if cut is not None:
            raise cut
        return bytes(allowed)

    def ended(self) -> bytes:
        """Judge the end of the stream; a frame cut short by it is passed on as it is (FRM-05r)."""
        rest = bytes(self._held)
        seq = self._tape.record(self._conn, self._side, None)
        if rest:
            self._tape.judge(self._conn, self._side, seq, rest)
        self._tape.judge_end(self._conn, self._side, seq)
        return rest


class Borders:
    """Finds where frames end, whatever the chunks, and holds nothing but a header."""

    def __init__(self) -> None:
        self._limit = _specdata.limit("frame_bytes")
        self._header = bytearray()
        self._missing = 0
        self._refused = False

    def split(self, data: bytes) -> Iterator[tuple[bytes, bool]]:
        """Yield the pieces of a chunk, and of each whether a frame ends with it.

        After a length above the limit there are no frames any more: every piece is as good as an end.
        """
        at = 0
        while at < len(data):
            if self._refused:
                yield data[at:], True
                return
            start = at
            if len(self._header) < HEADER_BYTES:
                at += self._read_header(data[at : at + HEADER_BYTES])
            body = min(self._missing, len(data) - at)
            at += body
            self._missing -= body
            complete = self._refused or (len(self._header) == HEADER_BYTES and not self._missing)
            if complete and not self._refused:
                self._header.clear()
            yield data[start:at], complete

    def _read_header(self, data: bytes) -> int:
        """Take what is missing of the header, and return how many bytes that was."""
        taken = data[: HEADER_BYTES - len(self._header)]
        self._header += taken
        if len(self._header) == HEADER_BYTES:
            length = int.from_bytes(self._header, "little")
            self._refused = length > self._limit
            self._missing = 0 if self._refused else length
        return len(taken)
