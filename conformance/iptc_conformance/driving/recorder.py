"""The record of one case: every frame of both sides in one order, judged as it goes by."""

from __future__ import annotations

import math
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING

from iptc_conformance.cases.shown import shown
from iptc_conformance.driving.conversation import BYTES_KEPT, EOF, FAILED, Conversation, Line
from iptc_conformance.driving.inbound import interpret
from iptc_conformance.judge import Finding, Judge
from iptc_conformance.trace import Side, TraceEvent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_SIDES: tuple[Side, Side] = ("initiator", "acceptor")
_LAST_WORDS = frozenset({"ERR-08s", "DSC-01s"})
"""What a side says after its own FATAL or GOODBYE is wrong, whatever was said to it."""
_SHOWN_KWARGS = 4
_SHOWN_CID = 60
_READ_BYTES = 65536
"""Longer frames are not read a second time only to be shown: the peers of other cases wait meanwhile."""


class Recorder:
    """Feeds the judge in the order in which the harness sent and received, and keeps what it finds."""

    def __init__(self, harness: Side = "initiator") -> None:
        """`harness` is the side that the suite plays; the testee is the other."""
        self.harness = harness
        self.testee = _SIDES[harness == _SIDES[0]]
        self.findings: list[Finding] = []
        self.lines = Conversation()
        self._judge = Judge()
        self._seq = 0
        self._distrusted: set[str] = set()
        self._decided_at = math.inf
        self._freed: set[str] = set()

    def frame(self, conn: str, sender: Side, data: bytes) -> tuple[int, list[Finding]]:
        """Record one frame (header included, or bytes that are none): its seq, and what its sender broke."""
        event = TraceEvent(self._seq, conn, sender, data, eof=False)
        if len(data) > _READ_BYTES:  # not kept for a line that may never be read
            line = _unread(event, data[:BYTES_KEPT], len(data))
            return self._feed(event, lambda: line)
        return self._feed(event, partial(_line, event, data))

    def eof(self, conn: str, sender: Side) -> None:
        """Record that a side has closed its half."""
        event = TraceEvent(self._seq, conn, sender, eof=True)
        self._feed(event, lambda: Line(event.seq, conn, sender, "closes", EOF))

    def failed(self, clause: str, detail: str, at: int | None = None) -> None:
        """Note that the case failed here; `at`: the seq of the message that was wrong, if one was."""
        line = Line(self._seq, "", "", detail, FAILED, clause=clause, at=at)
        self.lines.add(lambda: line)
        self.decided()

    def decided(self) -> None:
        """The case has failed, or is through: what the harness says from here on only tidies up."""
        self._decided_at = min(self._decided_at, self._seq)

    def free(self, cid: str) -> None:
        """The harness ends this call once more, for a testee that has dropped the message before."""
        self._freed.add(cid)

    def begin(self) -> None:
        """Forget what was said, but for what the judge knows: another case begins on the connection."""
        self.lines = Conversation()
        self.findings = []
        self._freed.clear()
        self._decided_at = math.inf

    def live(self, conn: str, cid: str) -> bool:
        """Whether a call is open, by what this side has sent and received."""
        return self._judge.live(conn, cid)

    def reached(self) -> set[str]:
        """The clauses that the judge could say something about, on either side."""
        return {clause for clause, status in self._judge.report().clauses.items() if status != "not-observed"}

    def by_testee(self) -> list[Finding]:
        """What the testee broke."""
        return [finding for finding in self.findings if finding.side == self.testee]

    def by_harness(self, declared: Iterable[str]) -> list[Finding]:
        """What the harness broke without having said that it would.

        From a violation of the testee's on that closes a connection, the two have no call on it in common
        that the harness could be held to. Nor is it held to what it does once the case is `decided`.
        """
        allowed = set(declared)
        over: dict[str, int] = {}
        for found in self.by_testee():
            if found.reaction == "close":
                over.setdefault(found.conn, found.seq)
        return [
            found
            for found in self.findings
            if found.side == self.harness
            and found.clause not in allowed
            and found.cid not in self._freed
            and found.seq < min(self._decided_at, over.get(found.conn, math.inf))
        ]

    def _feed(self, event: TraceEvent, line: Callable[[], Line]) -> tuple[int, list[Finding]]:
        self._seq += 1
        self.lines.add(line)
        fresh = [finding for finding in self._judge.feed(event) if self._counts(finding)]
        self.findings.extend(fresh)
        return event.seq, [finding for finding in fresh if finding.side == event.sender]

    def _counts(self, finding: Finding) -> bool:
        """After the harness broke a connection it has no rule but to end: what still comes is no finding."""
        if finding.side == self.harness and finding.reaction == "close":
            self._distrusted.add(finding.conn)
        if finding.side == self.harness or finding.clause in _LAST_WORDS:
            return True
        return finding.conn not in self._distrusted


def _line(event: TraceEvent, data: bytes) -> Line:
    """A frame in one short line."""
    frame = interpret(data[4:])
    seq, conn, sender = event.seq, event.conn, event.sender
    kept, size = data[:BYTES_KEPT], len(data)
    if frame.kind == "bad":
        return _unread(event, kept, size)
    value = shown(frame.value) if frame.value is not None or frame.cid is not None else ""
    text = f"{frame.kind.upper()} {value}".rstrip()
    if frame.kind == "open":
        kind, cid, value = _opened(frame.value)
        return Line(seq, conn, sender, text, kind, cid, value, head=kept, size=size)
    if frame.cid is not None:
        text += f" cid={shown(frame.cid)}"
    if frame.kind in {"ack", "fail", "fatal"}:
        value = _plain(frame.value)
    elif frame.kind == "end" and frame.value is True:
        value = ""
    return Line(seq, conn, sender, text, frame.kind, _cid(frame.cid), value, head=kept, size=size)


def _unread(event: TraceEvent, head: bytes, size: int) -> Line:
    """A frame that is shown by its bytes."""
    text = f"{head[:24].hex(' ')}{' …' if size > 24 else ''} ({size} bytes)"
    return Line(event.seq, event.conn, event.sender, text, "bad", head=head, size=size)


def _opened(command: object) -> tuple[str, str | None, str]:
    """An OPEN as kind, cid and the call that it asks for; whatever it is instead, if it is none."""
    if not isinstance(command, list) or len(command) != 5 or not isinstance(command[2], dict):
        return "open", None, shown(command)
    namespace, func, kwargs, _uid, cid = command
    if namespace == "self" and func == "_cancel_task" and list(kwargs) == ["cid"]:
        return "cancel", _cid(cid), str(_cid(kwargs["cid"]))
    given = [f"{_plain(key)}={shown(value, 60)}" for key, value in islice(kwargs.items(), _SHOWN_KWARGS)]
    return "open", _cid(cid), f"{_plain(func)}({', '.join(given)}{', …' if len(kwargs) > len(given) else ''})"


def _plain(name: object) -> str:
    return shown(name, 60).strip("'")


def _cid(cid: object) -> str | None:
    """A cid in short; one that is no str as it would be written."""
    if cid is None:
        return None
    return cid[:_SHOWN_CID] if isinstance(cid, str) else shown(cid, _SHOWN_CID)
