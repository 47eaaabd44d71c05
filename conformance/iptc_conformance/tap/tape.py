"""What all connections of a tap share: the order of what was seen, the trace, the judge and the count."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TextIO

from iptc_conformance import trace
from iptc_conformance.judge import Finding, Judge, Memory, Report
from iptc_conformance.trace import TraceEvent

if TYPE_CHECKING:
    from iptc_conformance.tap.passing import Ended
    from iptc_conformance.trace import Side

MEMORY = Memory(ended_calls=4096, open_calls=16384, findings=0)
"""What the judge keeps of each connection of a tap: a few megabytes at most, besides unfinished frames."""


class Watcher(Protocol):
    """Whoever wants to know what happens, as it happens."""

    def found(self, finding: Finding) -> None:
        """A side broke a clause."""

    def opened(self, conn: str, initiator: str) -> None:
        """A connection was accepted. `initiator`: its address."""

    def ended(self, conn: str, how: Ended) -> None:
        """A connection is over."""

    def troubled(self, conn: str | None, text: str) -> None:
        """Something is wrong that is nobody's violation."""


class Tape:
    """One order of everything seen on all connections.

    `findings` and `musts` count what was found, `connections` what was judged or not; `failed` tells
    that the trace could not be written.
    """

    def __init__(self, watcher: Watcher, out: TextIO | None = None, memory: Memory = MEMORY) -> None:
        self.watcher = watcher
        self.findings = 0
        self.musts = 0
        self.connections = 0
        self.unreachable = 0
        self.cut = 0
        self.failed = False
        self._out = out
        self._judge = Judge(memory)
        self._seq = 0
        self._told: set[str] = set()

    def record(self, conn: str, side: Side, data: bytes | None) -> int:
        """Write a chunk, or the end of a stream (None), to the trace; its seq."""
        seq, self._seq = self._seq, self._seq + 1
        if self._out is not None:
            try:
                self._out.write(trace.line(TraceEvent(seq, conn, side, data, eof=data is None)))
                self._out.flush()
            except OSError as error:
                # The peers go on: a full disk of ours is no reason to end their conversation.
                self._out, self.failed = None, True
                self.watcher.troubled(None, f"the trace ends here: {error.strerror}")
        return seq

    def judge(self, conn: str, side: Side, seq: int, data: bytes) -> list[Finding]:
        """Judge a chunk, tell what it shows and return it."""
        return self._judged(TraceEvent(seq, conn, side, data))

    def judge_end(self, conn: str, side: Side, seq: int) -> list[Finding]:
        """Judge the end of a stream."""
        return self._judged(TraceEvent(seq, conn, side, eof=True))

    def gave_up(self, conn: str) -> bool:
        """Whether the judge can't follow a connection any further."""
        return self._judge.gave_up(conn)

    def let_go(self, conn: str) -> None:
        """Forget a connection that is over."""
        self._judge.let_go(conn)
        self._told.discard(conn)

    def report(self) -> Report:
        """Return the verdict on all connections. It lists no findings: each was told when it was made."""
        return self._judge.report()

    def _judged(self, event: TraceEvent) -> list[Finding]:
        findings = self._judge.feed(event)
        self.findings += len(findings)
        self.musts += sum(finding.level == "MUST" for finding in findings)
        for finding in findings:
            self.watcher.found(finding)
        if event.conn not in self._told and self._judge.gave_up(event.conn):
            self._told.add(event.conn)
            self.watcher.troubled(event.conn, "has too many calls open at once: it is judged no further")
        return findings
