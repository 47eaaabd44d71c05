"""What goes over one connection, as the bytes that a fuzzer of bytes can change.

Traffic is a row of chunks, each from one side. Packed, a chunk is

    flags (1 byte: bit 0 set for the acceptor, bit 1 set where its stream ends after the chunk)
    length (2 bytes, little-endian)    that many bytes

Any bytes are traffic: what is cut short at the end is taken as far as it goes. So a corpus of traffic is good
for a fuzzer that knows nothing of IPTC, and for one that does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

Side = Literal["initiator", "acceptor"]
SIDES: tuple[Side, Side] = ("initiator", "acceptor")
LONGEST_CHUNK = 0xFFFF
_HEAD = 3
_ACCEPTOR, _EOF = 1, 2


class Chunk(NamedTuple):
    """Bytes of one side, as they come at once; `eof`: its stream ends after them."""

    side: Side
    data: bytes = b""
    eof: bool = False


def other(side: Side) -> Side:
    """Return the other end."""
    return "acceptor" if side == "initiator" else "initiator"


def pack(chunks: Iterable[Chunk]) -> bytes:
    """Return traffic as bytes. A chunk longer than LONGEST_CHUNK becomes several."""
    out = bytearray()
    for side, data, eof in chunks:
        rest = data
        flag = _ACCEPTOR if side == "acceptor" else 0
        while len(rest) > LONGEST_CHUNK:
            out += bytes([flag]) + LONGEST_CHUNK.to_bytes(2, "little") + rest[:LONGEST_CHUNK]
            rest = rest[LONGEST_CHUNK:]
        out += bytes([flag | _EOF if eof else flag]) + len(rest).to_bytes(2, "little") + rest
    return bytes(out)


def unpack(data: bytes) -> list[Chunk]:
    """Return the traffic that these bytes are. Never raises."""
    chunks = []
    at = 0
    while at + _HEAD <= len(data):
        flags, length = data[at], int.from_bytes(data[at + 1 : at + _HEAD], "little")
        at += _HEAD
        side: Side = "acceptor" if flags & _ACCEPTOR else "initiator"
        chunks.append(Chunk(side, data[at : at + length], bool(flags & _EOF)))
        at += length
    return chunks


def frame(body: bytes) -> bytes:
    """Return a body with its length before it."""
    return len(body).to_bytes(4, "little") + body


def show(data: bytes) -> str:
    """Return packed traffic as lines of text: a finding as people read it."""
    lines = []
    for side, chunk, eof in unpack(data):
        lines.append(f"{side:9}  {chunk.hex()}" + ("  eof" if eof else ""))
    return "\n".join(lines)
