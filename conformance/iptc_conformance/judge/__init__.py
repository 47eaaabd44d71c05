"""The judge: a pure function over a trace.

No I/O, no clock, and no part of any implementation that it judges.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from iptc_conformance.judge.connection import EVERYTHING, ConnectionJudge, Memory
from iptc_conformance.judge.report import Finding, Note, Reaction, Report, Status, Tally, Verdict, make_report

if TYPE_CHECKING:
    from collections.abc import Iterable

    from iptc_conformance.trace import TraceEvent

__all__ = ["Finding", "Judge", "Memory", "Note", "Reaction", "Report", "Status", "Verdict", "judge"]


class Judge:
    """The judge, fed event by event; several connections, each judged alone.

    `memory` bounds what it keeps, for whoever feeds it for days.
    """

    def __init__(self, memory: Memory = EVERYTHING) -> None:
        self._memory = memory
        self._connections: dict[str, ConnectionJudge] = {}
        self._past = Tally()
        self._past_judged = 0

    def feed(self, event: TraceEvent) -> list[Finding]:
        """Judge one event, and return the findings that it completes."""
        if event.conn not in self._connections:
            self._connections[event.conn] = ConnectionJudge(event.conn, self._memory)
        return self._connections[event.conn].feed(event)

    def let_go(self, conn: str) -> bool:
        """Let go of a connection that is over: its findings and notes. What it has shown still counts.

        Whether all of it was judged.
        """
        connection = self._connections.pop(conn, None)
        if connection is None:
            return True
        self._past.add(connection.tally)
        self._past_judged += connection.judged
        return not connection.overwhelmed

    def gave_up(self, conn: str) -> bool:
        """Whether a connection is judged no further, for it has more open calls than `memory` allows."""
        connection = self._connections.get(conn)
        return connection is not None and connection.overwhelmed

    def live(self, conn: str, cid: str) -> bool:
        """Whether a call of this cid is open: it has had no terminal, and its connection goes on."""
        return conn in self._connections and self._connections[conn].live(cid)

    def report(self) -> Report:
        """Return the verdict on everything fed so far. May be asked again after more."""
        tally = Tally()
        tally.add(self._past)
        for connection in self._connections.values():
            tally.add(connection.tally)
        connections = self._connections.values()
        findings = [finding for connection in connections for finding in connection.findings]
        notes = [note for connection in connections for note in connection.notes()]
        judged = self._past_judged + sum(connection.judged for connection in connections)
        return make_report(findings, notes, judged, tally)


def judge(lines: Iterable[TraceEvent]) -> Report:
    """Judge a whole trace."""
    the_judge = Judge()
    for event in lines:
        the_judge.feed(event)
    return the_judge.report()
