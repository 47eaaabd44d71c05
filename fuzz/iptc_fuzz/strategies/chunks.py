"""How a stream of bytes is cut into chunks."""

from __future__ import annotations

import itertools

from hypothesis import strategies as st


def cut(data: bytes, places: list[int]) -> list[bytes]:
    """Cut bytes at these places, each counted modulo the length. Together the pieces are the same bytes."""
    edges = sorted({place % (len(data) + 1) for place in places} | {0, len(data)})
    return [data[start:end] for start, end in itertools.pairwise(edges)]


def singly(data: bytes) -> list[bytes]:
    """Cut bytes at every place."""
    return [data[at : at + 1] for at in range(len(data))]


def chunkings(data: bytes) -> st.SearchStrategy[list[bytes]]:
    """Ways to cut these bytes: whole, byte by byte, a few cuts anywhere, often next to a header."""
    near = st.integers(0, 12) | st.integers(0, len(data))
    anywhere = st.lists(near, max_size=6).map(lambda places: cut(data, places))
    return st.just([data] if data else []) | st.just(singly(data)) | anywhere
