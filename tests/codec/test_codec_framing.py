"""Frames are cut the same however the stream comes, and a bad length costs nothing but its connection."""

from __future__ import annotations

import itertools
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from iptc_codec import Deframer, HalfEvent, Limits, frame

BODIES = st.lists(st.binary(min_size=1, max_size=40), max_size=8)


def cut(chunks: list[bytes], limits: Limits | None = None) -> tuple[list[bytes], Deframer]:
    """Feed chunks; the bodies, and the deframer afterwards."""
    deframer = Deframer(limits or Limits())
    return [bytes(body) for chunk in chunks for body in deframer.feed(chunk)], deframer


def split(stream: bytes, points: list[int]) -> list[bytes]:
    """Cut a stream at some points."""
    edges = [0, *sorted(point % (len(stream) + 1) for point in points), len(stream)]
    return [stream[a:b] for a, b in itertools.pairwise(edges)]


def test_the_header_is_a_little_endian_length() -> None:
    """FRM-01s."""
    assert frame(b"abc") == b"\x03\x00\x00\x00abc"


@settings(deadline=None, derandomize=True)
@given(BODIES, st.lists(st.integers(0, 400), max_size=6))
def test_any_split_gives_the_same_bodies(bodies: list[bytes], points: list[int]) -> None:
    """FRM-01r: whole, in any chunks, byte by byte."""
    stream = b"".join(map(frame, bodies))
    for chunks in ([stream], split(stream, points), [bytes([byte]) for byte in stream]):
        found, deframer = cut(chunks)
        assert found == bodies
        assert not deframer.inside_frame
        assert deframer.refused is None


@pytest.mark.parametrize("size", [1, 3, 4, 5])
def test_a_frame_that_is_not_finished_is_waited_for(size: int) -> None:
    """FRM-05r: the end of the stream here would cut it short."""
    found, deframer = cut([frame(b"ab")[:size]])
    assert found == []
    assert deframer.inside_frame


@pytest.mark.parametrize(("length", "clause"), [(0, "FRM-04s"), (9, "FRM-03s"), (2**32 - 1, "FRM-03s")])
@pytest.mark.parametrize("bytewise", [False, True])
def test_a_bad_length_is_refused_on_its_header(length: int, clause: str, *, bytewise: bool) -> None:
    """FRM-03r, FRM-04r: after the frames before it, and nothing is taken any more."""
    stream = frame(b"ok") + length.to_bytes(4, "little")
    chunks = [bytes([byte]) for byte in stream] if bytewise else [stream]
    found, deframer = cut(chunks, Limits(frame_bytes=8))
    assert found == [b"ok"]
    assert deframer.refused is not None
    assert (deframer.refused.clause, deframer.refused.event) == (clause, HalfEvent.MALFORMED_BYTES)
    assert deframer.feed(frame(b"more")) == []


def test_the_longest_frame_is_taken() -> None:
    """FRM-06r: the limit itself is within it."""
    assert cut([frame(b"12345678")], Limits(frame_bytes=8))[0] == [b"12345678"]


def test_no_memory_is_taken_for_an_announced_length() -> None:
    """FRM-03r: what is held is what has come."""
    deframer = Deframer(Limits())
    tracemalloc.start()
    deframer.feed((60 << 20).to_bytes(4, "little") + b"x")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 10_000


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview, lambda data: memoryview(data).cast("c")])
def test_any_buffer_will_do(kind: type[memoryview]) -> None:
    """The chunk may be whatever a socket or a buffer hands out."""
    deframer = Deframer(Limits())
    stream = frame(b"ab") + frame(b"cd")
    first = [bytes(body) for body in deframer.feed(kind(stream[:7]))]
    assert first + [bytes(body) for body in deframer.feed(kind(stream[7:]))] == [b"ab", b"cd"]


def test_a_chunk_may_be_reused_once_its_bodies_are_read() -> None:
    """What is held over is a copy, so that a caller can read into the same buffer again."""
    deframer = Deframer(Limits())
    buffer = bytearray(frame(b"abcd")[:6])
    assert deframer.feed(buffer) == []
    buffer[:] = b"\xff" * 6
    assert [bytes(body) for body in deframer.feed(b"cd")] == [b"abcd"]
