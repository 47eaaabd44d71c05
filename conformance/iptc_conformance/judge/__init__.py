"""The judge: a pure function over a trace.

No I/O, no clock, and no part of any implementation that it judges.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from iptc_conformance.judge.connection import ConnectionJudge
from iptc_conformance.judge.report import Finding, Note, Reaction, Report, Status, Tally, Verdict, make_report

if TYPE_CHECKING:
    from collections.abc import Iterable

    from iptc_conformance.trace import TraceEvent

__all__ = ["Finding", "Judge", "Note", "Reaction", "Report", "Status", "Verdict", "judge"]


class Judge:
    """The judge, fed event by event; several connections, each judged alone."""

    def __init__(self) -> None:
        self._connections: dict[str, ConnectionJudge] = {}

    def feed(self, event: TraceEvent) -> list[Finding]:
        """Judge one event, and return the findings that it completes."""
        if event.conn not in self._connections:
            self._connections[event.conn] = ConnectionJudge(event.conn)
        return self._connections[event.conn].feed(event)

    def report(self) -> Report:
        """Return the verdict on everything fed so far. May be asked again after more."""
        tally = Tally()
        for connection in self._connections.values():
            tally.add(connection.tally)
        connections = self._connections.values()
        findings = [finding for connection in connections for finding in connection.findings]
        notes = [note for connection in connections for note in connection.notes()]
        return make_report(findings, notes, sum(connection.judged for connection in connections), tally)


def judge(lines: Iterable[TraceEvent]) -> Report:
    """Judge a whole trace."""
    the_judge = Judge()
    for event in lines:
        the_judge.feed(event)
    return the_judge.report()
