"""The record of one case: every frame of both sides in one order, judged as it goes by."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from iptc_conformance.cases.shown import shown
from iptc_conformance.driving.inbound import interpret
from iptc_conformance.judge import Finding, Judge
from iptc_conformance.trace import Side, TraceEvent

if TYPE_CHECKING:
    from collections.abc import Iterable

_SIDES: tuple[Side, Side] = ("initiator", "acceptor")
_KEPT_LINES = 400
_READ_BYTES = 65536
"""Longer frames are not read a second time only to be shown: the peers of other cases wait meanwhile."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a case's conversation, for people."""

    seq: int
    conn: str
    sender: str
    text: str

    def __str__(self) -> str:
        return f"{self.seq:>4} {self.conn} {'→' if self.sender == 'initiator' else '←'} {self.text}"


class Recorder:
    """Feeds the judge in the order in which the harness sent and received, and keeps what it finds."""

    def __init__(self, harness: Side = "initiator") -> None:
        """`harness` is the side that the suite plays; the testee is the other."""
        self.harness = harness
        self.testee = _SIDES[harness == _SIDES[0]]
        self.findings: list[Finding] = []
        self.lines: deque[Line] = deque(maxlen=_KEPT_LINES)
        self.events: list[TraceEvent] = []
        self._judge = Judge()
        self._seq = 0
        self._distrusted: set[str] = set()

    def frame(self, conn: str, sender: Side, data: bytes) -> tuple[int, list[Finding]]:
        """Record one frame (header included, or bytes that are none): its seq, and what its sender broke."""
        return self._feed(TraceEvent(self._seq, conn, sender, data, eof=False), _line(data))

    def eof(self, conn: str, sender: Side) -> None:
        """Record that a side has closed its half."""
        self._feed(TraceEvent(self._seq, conn, sender, eof=True), "closes")

    def note(self, conn: str, sender: str, text: str) -> None:
        """Add a line that is no event of the trace."""
        self.lines.append(Line(self._seq, conn, sender, text))

    def by_testee(self) -> list[Finding]:
        """What the testee broke."""
        return [finding for finding in self.findings if finding.side == self.testee]

    def by_harness(self, declared: Iterable[str]) -> list[Finding]:
        """What the harness broke without having said that it would."""
        allowed = set(declared)
        return [
            found for found in self.findings if found.side == self.harness and found.clause not in allowed
        ]

    def _feed(self, event: TraceEvent, text: str) -> tuple[int, list[Finding]]:
        self._seq += 1
        self.events.append(event)
        self.lines.append(Line(event.seq, event.conn, event.sender, text))
        fresh = [finding for finding in self._judge.feed(event) if self._counts(finding)]
        self.findings.extend(fresh)
        return event.seq, [finding for finding in fresh if finding.side == event.sender]

    def _counts(self, finding: Finding) -> bool:
        """After the harness broke a connection it has no rule but to end: what still comes is no finding."""
        if finding.side == self.harness and finding.reaction == "close":
            self._distrusted.add(finding.conn)
        return finding.side == self.harness or finding.conn not in self._distrusted


def _line(data: bytes) -> str:
    """A frame in one short line."""
    frame = interpret(data[4:]) if len(data) <= _READ_BYTES else None
    if frame is None or frame.kind == "bad":
        head = data[:24].hex(" ")
        return f"{head}{' …' if len(data) > 24 else ''} ({len(data)} bytes)"
    if frame.kind in {"goodbye", "hello"}:
        return frame.kind.upper() + (f" {shown(frame.value)}" if frame.value is not None else "")
    if frame.kind == "open":
        return f"OPEN {shown(frame.value)}"
    return f"{frame.kind.upper()} {shown(frame.value)}" + (
        f" cid={shown(frame.cid)}" if frame.cid is not None else ""
    )
