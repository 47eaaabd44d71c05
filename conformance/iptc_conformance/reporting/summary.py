"""What a run amounts to: what is new, what is known, what each clause came to, and the exit code."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from iptc_conformance.driving.result import BAD, UNJUDGED, VERDICTS, Result

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from iptc_conformance.cases.model import Case
    from iptc_conformance.reporting.baseline import Baseline

EXIT_EXPECTED = 0
EXIT_FINDINGS = 1
EXIT_NOTHING_JUDGED = 2
EXIT_HARNESS_FAULT = 3
_FINDINGS = BAD | {"harness-fault", "unsupported"}
_STRICT = _FINDINGS | {"warn", "not-observed"}


@dataclass(frozen=True, slots=True)
class Summary:
    """A whole run against its baseline."""

    results: Sequence[Result]
    new: Sequence[Result]
    known: Sequence[Result]
    stale: Sequence[str]
    clauses: dict[str, str]
    missing: dict[str, str]
    deaths: int = 0

    @property
    def verdicts(self) -> dict[str, int]:
        """How often each verdict was given; those never given are left out."""
        counts = Counter(result.verdict for result in self.results)
        return {verdict: counts[verdict] for verdict in VERDICTS if counts[verdict]}

    @property
    def judged(self) -> int:
        """How many cases say something about the testee."""
        return sum(result.verdict not in UNJUDGED for result in self.results)

    @property
    def exit_code(self) -> int:
        """0 as expected, 1 findings, 2 nothing judged, 3 harness fault."""
        if any(result.verdict == "harness-fault" for result in self.results):
            return EXIT_HARNESS_FAULT
        if not self.judged:
            return EXIT_NOTHING_JUDGED
        # Whoever has known failures may also die of two of them at once: a death is news only without them.
        died = self.deaths > 0 and not self.known
        return EXIT_FINDINGS if self.new or self.stale or died else EXIT_EXPECTED

    def line(self) -> dict[str, Any]:
        """The last object of the JSON Lines report."""
        return {
            "summary": {
                "cases": len(self.results),
                "judged": self.judged,
                "verdicts": self.verdicts,
                "new": [result.case.id for result in self.new],
                "known": [result.case.id for result in self.known],
                "stale": list(self.stale),
                "clauses": self.clauses,
                "missing_functions": self.missing,
                "deaths_side_by_side": self.deaths,
                "exit": self.exit_code,
            }
        }


def summarize(
    results: Sequence[Result],
    baseline: Baseline,
    missing: dict[str, str],
    deaths: int = 0,
    *,
    whole: bool,
    strict: bool,
) -> Summary:
    """Hold results against a baseline.

    `whole`: every case ran, so an entry for a case that does not exist is stale. A function of the fixture
    that is not served is a finding unless the baseline expects it: what was not judged is not green.
    `strict`: a SHOULD that is not kept counts as well. `deaths`: how often the testee died under several
    cases at once, and under none of them alone.
    """
    new: list[Result] = []
    known: list[Result] = []
    stale: list[str] = []
    for result in results:
        entry = baseline.entries.get(result.case.id)
        if entry is None:
            if result.verdict in (_STRICT if strict else _FINDINGS):
                new.append(result)
        elif result.verdict == "pass":
            stale.extend([result.case.id] if "pass" not in entry.verdicts else [])
        else:
            (known if entry.covers(result) else new).append(result)
    if whole:
        ran = {result.case.id for result in results}
        stale.extend(case for case in baseline.entries if case not in ran)
    return Summary(results, new, known, stale, clause_matrix(results), missing, deaths)


def clause_matrix(results: Iterable[Result]) -> dict[str, str]:
    """Per clause: fail if a case showed it broken, warn if a SHOULD, pass if one proved it."""
    seen: dict[str, set[str]] = {}
    for result in results:
        for clause in result.clauses:
            seen.setdefault(clause, set()).add(_word(clause, result))
    order = ("fail", "warn", "pass", "not-observed")
    return {clause: next(word for word in order if word in seen[clause]) for clause in sorted(seen)}


def select(cases: Iterable[Case], only: Sequence[str], areas: Sequence[str]) -> list[Case]:
    """The cases whose id fits one of the globs and whose area is named; no glob and no area mean all."""
    wanted = {area.upper() for area in areas}
    return [
        case
        for case in cases
        if (not only or any(fnmatchcase(case.id, glob) for glob in only))
        and (not wanted or case.area in wanted)
    ]


def _word(clause: str, result: Result) -> str:
    if clause in result.failed:
        return "fail"
    if clause in result.warned:
        return "warn"
    return "pass" if result.verdict in {"pass", "warn"} else "not-observed"
