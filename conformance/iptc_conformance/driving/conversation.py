"""What was said in a case, kept for people: bounded in lines and in bytes, whatever the peer sends."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_FIRST_LINES = 120
_LAST_LINES = 280
BYTES_KEPT = 512
"""Bytes of a frame that are kept, its header included."""

FAILED = "failed"
"""The kind of the line at which the case failed: no message, but the place where one was wrong or missing."""
EOF = "eof"


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a conversation.

    `kind` is that of a message (`open`, `ack`, …, `bad` for bytes that are none), `cancel`, `eof`, `failed`
    or `note`. `head` holds the frame's first bytes, header included; `size` counts all of them.
    `value` is the message's own in short, `clause` the one that a failure breaks, `at` the seq of the
    message that was wrong.
    """

    seq: int
    conn: str
    sender: str
    text: str
    kind: str = "note"
    cid: str | None = None
    value: str = ""
    head: bytes = b""
    size: int = 0
    clause: str | None = None
    at: int | None = None

    def __str__(self) -> str:
        if self.kind == FAILED:
            return f"   ✗ {self.text}"
        return f"{self.seq:>4} {self.conn} {'→' if self.sender == 'initiator' else '←'} {self.text}"


class Conversation:
    """The first and the last lines of a case; those between are only counted."""

    def __init__(self) -> None:
        self.left_out = 0
        self._first: list[Callable[[], Line]] = []
        self._last: deque[Callable[[], Line]] = deque(maxlen=_LAST_LINES)

    def add(self, line: Callable[[], Line]) -> None:
        """Keep a line, which is made when it is read: of a flood, most never are."""
        if len(self._first) < _FIRST_LINES:
            self._first.append(line)
            return
        self.left_out += len(self._last) == _LAST_LINES
        self._last.append(line)

    def __iter__(self) -> Iterator[Line]:
        for line in (*self._first, *self._last):
            yield line()
