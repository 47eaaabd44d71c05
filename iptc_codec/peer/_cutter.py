"""Cuts what a read brought at the ends of frames."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_HEADER = 4


class Cutter:
    """Gives the codec one frame at a time.

    So the reader knows how large each item was, answers a message before the codec has taken the next one,
    and can rest between two frames of one read. What a header or a body is worth the codec alone decides.
    """

    def __init__(self) -> None:
        self._header = bytearray()
        self._missing = 0
        self._size = 0

    def cut(self, data: bytes | bytearray) -> Iterator[tuple[memoryview, int]]:
        """Pieces of `data`, in order, each with the size of the frame that it ends, or 0 if it ends none."""
        view = memoryview(data)
        start = at = 0
        while at < len(data):
            at += self._step(view[at:])
            if not self._missing and not self._header:
                yield view[start:at], self._size
                start, self._size = at, 0
        if start < len(data):
            yield view[start:], 0

    def _step(self, view: memoryview) -> int:
        """Take a part of a header, or of a body; how long it was."""
        if self._missing:
            taken = min(self._missing, len(view))
            self._missing -= taken
        else:
            taken = min(_HEADER - len(self._header), len(view))
            self._header += view[:taken]
            if len(self._header) == _HEADER:
                self._missing = int.from_bytes(self._header, "little")
                self._header.clear()
        self._size += taken
        return taken
