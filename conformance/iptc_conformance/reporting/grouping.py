"""What to fix first: the failures of a run by the clause that they break, worst first."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from iptc_conformance.reporting.words import level, sentence

if TYPE_CHECKING:
    from iptc_conformance.driving.result import Result
    from iptc_conformance.reporting.baseline import Baseline
    from iptc_conformance.reporting.summary import Summary

_WORST = ("harness-fault", "crash", "hang", "fail", "untestable", "unsupported", "not-observed", "warn")
_UNASKED = {
    "unsupported": "These cases need functions of the fixture that the peer does not serve.",
    "untestable": "Nobody was there to ask.",
    "harness-fault": "The suite broke a rule that it did not mean to break: a bug of the suite.",
}


@dataclass(slots=True)
class Group:
    """Cases that fail for one clause; for what was not judged, or was our own fault, `clause` is empty."""

    clause: str
    text: str
    level: str
    results: list[Result] = field(default_factory=list)
    new: set[str] = field(default_factory=set)
    reasons: Counter[tuple[str, tuple[str, ...]]] = field(default_factory=Counter)
    """Reasons of the baseline, each with its references, and how many cases it stands at."""

    @property
    def verdicts(self) -> list[tuple[str, int]]:
        """How often each verdict, worst first."""
        counts = Counter(result.verdict for result in self.results)
        return sorted(counts.items(), key=lambda item: _rank(item[0]))

    @property
    def reasons_by_weight(self) -> list[tuple[str, tuple[str, ...]]]:
        """Reasons with their references, the most frequent first."""
        return [reason for reason, _count in self.reasons.most_common()]

    @property
    def worst(self) -> str:
        """The worst verdict."""
        return self.verdicts[0][0]

    @property
    def first(self) -> Result:
        """The case to begin with: one that is new, and about this very clause, if there is one."""
        return min(
            self.results,
            key=lambda result: (
                result.case.id not in self.new,
                _rank(result.verdict),
                self.clause not in result.case.clauses[:1],
                result.case.hostile,
                len(result.lines),
            ),
        )

    @property
    def hints(self) -> list[str]:
        """What such failures usually mean: the most frequent hints of the cases about this clause."""
        own = [result.case.hint for result in self.results if self.clause in result.case.clauses]
        counts = Counter(hint for hint in own if hint)
        first = self.first.case.hint
        return sorted(counts, key=lambda hint: (hint != first, -counts[hint]))


def what_to_fix(summary: Summary, baseline: Baseline) -> list[Group]:
    """Every result that is not passed, grouped: new before known, worst before harmless, many before few."""
    groups: dict[str, Group] = {}
    new = {result.case.id for result in summary.new}
    for result in summary.results:
        if result.verdict in {"pass", "not-applicable"}:
            continue
        key = _key(result)
        group = groups.setdefault(key, _group(key))
        group.results.append(result)
        entry = baseline.entries.get(result.case.id)
        if result.case.id in new:
            group.new.add(result.case.id)
        elif entry is not None:
            group.reasons[entry.reason, entry.refs] += 1
    return sorted(groups.values(), key=_urgency)


def _key(result: Result) -> str:
    if result.verdict in _UNASKED:
        return result.verdict
    return next(iter((*result.failed, *result.warned)), result.verdict)


def _group(key: str) -> Group:
    if sentence(key):
        return Group(key, sentence(key), level(key))
    return Group("", _UNASKED.get(key, key), "")


def _urgency(group: Group) -> tuple[bool, int, int, str]:
    return (not group.new, _rank(group.worst), -len(group.results), group.clause)


def _rank(verdict: str) -> int:
    return _WORST.index(verdict) if verdict in _WORST else len(_WORST)
