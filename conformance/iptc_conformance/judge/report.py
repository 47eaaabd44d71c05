"""What the judge says: findings, notes, and for each clause and side whether it was kept."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from iptc_conformance import _specdata
from iptc_conformance.trace import SIDES, Side

if TYPE_CHECKING:
    from collections.abc import Iterable

Reaction = Literal["drop", "fail-call", "close", "none"]
Status = Literal["pass", "fail", "not-observed"]
Verdict = Literal["pass", "warn", "fail", "nothing-judged"]


@dataclass(frozen=True, slots=True)
class Finding:
    """A clause that a side broke.

    `seq` is that of the chunk which completes the frame (for FRM-03s: its header). `reaction` is what the
    receiver owes the violation, `none` where a SHOULD is broken that costs nothing.
    """

    clause: str
    level: str
    seq: int
    conn: str
    side: Side
    cid: str | None
    reaction: Reaction
    detail: str

    def as_json(self) -> dict[str, Any]:
        """Return it as plain JSON values, with the sentence of its clause."""
        return {
            "clause": self.clause,
            "level": self.level,
            "seq": self.seq,
            "conn": self.conn,
            "side": self.side,
            "cid": self.cid,
            "reaction": self.reaction,
            "detail": self.detail,
            "text": _specdata.clause_text(self.clause),
        }


@dataclass(frozen=True, slots=True)
class Note:
    """Something that is worth knowing and no violation."""

    seq: int | None
    conn: str
    side: Side | None
    cid: str | None
    text: str


@dataclass(slots=True)
class Tally:
    """Which clauses each side was seen to keep, and to break."""

    kept: dict[Side, set[str]] = field(default_factory=lambda: {side: set() for side in SIDES})
    broken: dict[Side, set[str]] = field(default_factory=lambda: {side: set() for side in SIDES})

    def keep(self, side: Side, clauses: Iterable[str]) -> None:
        """Note that the side was seen to keep these clauses."""
        self.kept[side].update(clauses)

    def add(self, other: Tally) -> None:
        """Take over what another tally holds."""
        for side in SIDES:
            self.kept[side] |= other.kept[side]
            self.broken[side] |= other.broken[side]

    def of_side(self, side: Side) -> dict[str, Status]:
        """Return the status of every clause of the specification for one side."""
        return {clause: self._status(clause, (side,)) for clause in _specdata.clauses()}

    def of_both(self) -> dict[str, Status]:
        """Return the status of every clause for both sides together: one that breaks it, breaks it."""
        return {clause: self._status(clause, SIDES) for clause in _specdata.clauses()}

    def _status(self, clause: str, sides: tuple[Side, ...]) -> Status:
        if any(clause in self.broken[side] for side in sides):
            return "fail"
        return "pass" if any(clause in self.kept[side] for side in sides) else "not-observed"


@dataclass(frozen=True, slots=True)
class Report:
    """The judge's verdict on a trace. `judged` is the number of frames that were judged."""

    findings: tuple[Finding, ...]
    notes: tuple[Note, ...]
    judged: int
    clauses: dict[str, Status]
    sides: dict[Side, dict[str, Status]]

    @property
    def verdict(self) -> Verdict:
        """`fail` where a MUST is broken, else `warn` where a SHOULD is, else `pass`."""
        if any(finding.level == "MUST" for finding in self.findings):
            return "fail"
        if self.findings:
            return "warn"
        return "pass" if self.judged else "nothing-judged"

    def as_json(self) -> dict[str, Any]:
        """Return the report as plain JSON values; clauses that were not observed are left out."""
        return {
            "verdict": self.verdict,
            "judged": self.judged,
            "findings": [finding.as_json() for finding in self.findings],
            "notes": [
                {"seq": note.seq, "conn": note.conn, "side": note.side, "cid": note.cid, "text": note.text}
                for note in self.notes
            ],
            "clauses": _observed(self.clauses),
            "sides": {side: _observed(statuses) for side, statuses in self.sides.items()},
        }


def _observed(statuses: dict[str, Status]) -> dict[str, Status]:
    return {clause: status for clause, status in statuses.items() if status != "not-observed"}


def make_report(findings: Iterable[Finding], notes: Iterable[Note], judged: int, tally: Tally) -> Report:
    """Put a report together; findings in the order of the trace."""
    by_seq: dict[int, list[Finding]] = defaultdict(list)
    for finding in findings:
        by_seq[finding.seq].append(finding)
    ordered = [finding for seq in sorted(by_seq) for finding in by_seq[seq]]
    sides = {side: tally.of_side(side) for side in SIDES}
    return Report(tuple(ordered), tuple(notes), judged, tally.of_both(), sides)
