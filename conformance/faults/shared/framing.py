"""Faults in cutting and writing frames."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

import trio

from faults.honest import Conn, Peer
from iptc_conformance.wire import Classified, Deframer, Frame, classify

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager


class BigEndianHeader(Peer):
    """It writes the length of a frame most significant byte first."""

    def frame(self, conn: Conn, body: bytes) -> bytes:
        return len(body).to_bytes(4, "big") + body


class HeaderCountsItself(Peer):
    """From the third frame on, the length counts the four bytes of the header too."""

    def frame(self, conn: Conn, body: bytes) -> bytes:
        self.notes["frames"] = frames = self.notes.get("frames", 0) + 1
        length = len(body) + (4 if frames > 2 else 0)
        return length.to_bytes(4, "little") + body


class OneFrameAChunk(Peer):
    """It takes the first frame of each chunk and forgets the others."""

    def cut(self, conn: Conn, cutter: Deframer, chunk: bytes) -> list[Frame]:
        return cutter.feed(chunk)[:1]


class HeaderInOneRead(Peer):
    """It loses the bytes of a header that does not come in one read."""

    def cut(self, conn: Conn, cutter: Deframer, chunk: bytes) -> list[Frame]:
        return cutter.feed(chunk if cutter.pending or len(chunk) >= 4 else b"")


class EightFramesAChunk(Peer):
    """It takes no more than eight frames of one chunk."""

    def cut(self, conn: Conn, cutter: Deframer, chunk: bytes) -> list[Frame]:
        return cutter.feed(chunk)[:8]


class NewlineBehindObject(Peer):
    """It ends each body with a newline."""

    def frame(self, conn: Conn, body: bytes) -> bytes:
        return super().frame(conn, body + b"\n")


class TrailingBytesTaken(Peer):
    """It reads the first object of a body and does not look at what follows."""

    def classify(self, conn: Conn, frame: Frame) -> Classified:
        got = super().classify(conn, frame)
        body = frame.body or b""
        while got.clause == "FRM-02s":
            body = body[:-1]
            got = classify(body)
        return got


class TrailingBytesDropped(Peer):
    """It drops a frame with trailing bytes and reads on."""

    def on_wrong_bytes(self, conn: Conn, got: Classified) -> None:
        if got.clause != "FRM-02s":
            super().on_wrong_bytes(conn, got)


class FlagInTheLength(Peer):
    """It sets the highest bit of the length as a flag for large frames."""

    def frame(self, conn: Conn, body: bytes) -> bytes:
        flag = 0x8000_0000 if len(body) > 1000 else 0
        return (len(body) | flag).to_bytes(4, "little") + body


class AnyLengthAwaited(Peer):
    """It has no limit on the length of a frame, and waits for a body of four gigabytes."""

    def cutter(self, conn: Conn) -> Deframer:
        return Deframer(0xFFFF_FFFF)


class LimitOffByOne(Peer):
    """It takes frames of one byte more than the limit."""

    def cutter(self, conn: Conn) -> Deframer:
        return Deframer(Deframer()._frame_bytes + 1)  # noqa: SLF001


class EmptyFrameAsKeepAlive(Peer):
    """It sends empty frames as keep-alives."""

    def frame(self, conn: Conn, body: bytes) -> bytes:
        return super().frame(conn, body) + bytes(4)


class EmptyFrameIgnored(Peer):
    """It ignores a frame of length zero."""

    def on_wrong_bytes(self, conn: Conn, got: Classified) -> None:
        if got.clause != "FRM-04s":
            super().on_wrong_bytes(conn, got)


class CancelledWriterLeavesHalfAFrame(Peer):
    """It writes a header, then the body, and a cancel of the task may come between."""

    whole_frames = False

    async def write(self, conn: Conn, data: bytes) -> None:
        with trio.CancelScope(shield=True):
            await conn.stream.send_all(data[:4])
        await conn.stream.send_all(data[4:])


class WritersInterleave(Peer):
    """Tasks write to the stream without excluding each other."""

    def exclusive(self, conn: Conn) -> AbstractAsyncContextManager[Any]:
        return nullcontext()


class CutFrameEndsProcess(Peer):
    """A frame cut short by the end of the stream ends the process."""

    def on_eof(self, conn: Conn, cutter: Deframer) -> str:
        if cutter.pending:
            raise RuntimeError("incomplete read")
        return super().on_eof(conn, cutter)


class ResetEndsProcess(Peer):
    """A reset ends the process."""

    def on_reset(self, conn: Conn) -> str:
        raise RuntimeError("connection reset")


class FrameLimitOneMebibyte(Peer):
    """It refuses frames of more than one mebibyte."""

    def cutter(self, conn: Conn) -> Deframer:
        return Deframer(1 << 20)


class FrameLimitSixtyMillion(Peer):
    """Its limit on frames is 64 million bytes, not 64 mebibytes."""

    def cutter(self, conn: Conn) -> Deframer:
        return Deframer(64_000_000)
