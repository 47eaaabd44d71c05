"""What one case has shown."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from iptc_conformance.cases.model import Case
    from iptc_conformance.driving.conversation import Line
    from iptc_conformance.judge import Finding

VERDICTS = (
    "pass",
    "fail",
    "warn",
    "crash",
    "hang",
    "unsupported",
    "not-applicable",
    "not-observed",
    "untestable",
    "harness-fault",
)
BAD = frozenset({"fail", "crash", "hang", "untestable"})
"""The verdicts that are findings, unless a baseline expects them."""
UNJUDGED = frozenset({"unsupported", "not-applicable", "not-observed", "untestable"})
"""The verdicts that say nothing about the testee's conduct."""


@dataclass(frozen=True, slots=True)
class Result:
    """The verdict of one case. `failed` and `warned`: the clauses broken, its own or seen in passing.

    `waited`: it rests on what did not come in time. `starved`: the harness itself could not always run.
    """

    case: Case
    verdict: str
    detail: str = ""
    failed: tuple[str, ...] = ()
    warned: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    conversation: tuple[str, ...] = ()
    """What was said, for people: a text for each message."""
    lines: tuple[Line, ...] = ()
    """The same with its bytes, where frames were exchanged."""
    left_out: int = 0
    """How many lines were not kept (`Conversation`)."""
    seconds: float = 0.0
    waited: bool = False
    starved: bool = False

    @property
    def clauses(self) -> tuple[str, ...]:
        """The clauses that this result says something about."""
        return tuple(dict.fromkeys((*self.case.clauses, *self.failed, *self.warned)))

    def line(self) -> dict[str, Any]:
        """The result as one object of the JSON Lines report."""
        line: dict[str, Any] = {
            "case": self.case.id,
            "clauses": list(self.clauses),
            "level": self.case.level,
            "verdict": self.verdict,
            "detail": self.detail,
            "area": self.case.area,
            "role": self.case.role,
            "title": self.case.title,
            "failed": list(self.failed),
            "warned": list(self.warned),
            "seconds": round(self.seconds, 3),
        }
        if self.findings:
            line["findings"] = [_finding(finding) for finding in self.findings]
        if self.verdict != "pass" and self.conversation:
            line["conversation"] = list(self.conversation)
        return line


@dataclass(slots=True)
class Draft:
    """A verdict in the making: what a run of the steps has shown so far."""

    verdict: str = "pass"
    details: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    warned: list[str] = field(default_factory=list)
    waited: bool = False

    def fail(self, verdict: str, detail: str, clause: str | None) -> None:
        """Note a finding. The first verdict other than pass and warn stands."""
        if self.verdict in {"pass", "warn"}:
            self.verdict = verdict
        self.details.append(detail)
        if clause is not None and clause not in self.failed:
            self.failed.append(clause)

    def warn(self, clause: str, detail: str) -> None:
        """Note a SHOULD that is not kept."""
        if self.verdict == "pass":
            self.verdict = "warn"
        self.details.append(f"{clause}: {detail}")
        if clause not in self.warned:
            self.warned.append(clause)


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "clause": finding.clause,
        "level": finding.level,
        "seq": finding.seq,
        "side": finding.side,
        "cid": finding.cid,
        "detail": finding.detail,
    }
