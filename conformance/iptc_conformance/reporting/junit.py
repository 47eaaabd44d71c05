"""The report as JUnit XML: a suite for each role and area, a test for each case, for CI servers.

A failure is a new one; what the baseline expects is skipped, with its reason; a warning stands in
`system-out`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from junitparser import Error, Failure, JUnitXml, Skipped, TestCase, TestSuite

from iptc_conformance.reporting.words import area_name, clean, outcome, sentence, shortened

if TYPE_CHECKING:
    from pathlib import Path

    from iptc_conformance.driving.result import Result
    from iptc_conformance.reporting.baseline import Baseline
    from iptc_conformance.reporting.run import Run
    from iptc_conformance.reporting.summary import Summary

_ERRORS = frozenset({"untestable", "harness-fault"})
"""Verdicts that say nothing of the testee's conduct: errors of the run, not failures of a test."""
_DETAIL_CHARS = 4000
_BASELINE = "baseline"


def write_junit(path: Path, summary: Summary, baseline: Baseline, run: Run) -> None:
    """Write the file.  Raises OSError."""
    path.write_bytes(junit(summary, baseline, run))


def junit(summary: Summary, baseline: Baseline, run: Run) -> bytes:
    """The report of a run as an XML document in UTF-8."""
    report = JUnitXml(clean(run.peer))
    suites: dict[tuple[str, str], TestSuite] = {}
    for result in summary.results:
        key = (result.case.role, result.case.area)
        if key not in suites:
            suites[key] = _suite(f"{key[0]}.{key[1]} {area_name(key[1])}", summary, run)
        suites[key].add_testcase(_test(result, summary, baseline, run))
    beside = _beside(summary)
    if beside:
        suites[_BASELINE, ""] = suite = _suite(_BASELINE, summary, run)
        for test in beside:
            suite.add_testcase(test)
    for suite in suites.values():
        report.add_testsuite(suite)
    report.update_statistics()  # type: ignore[no-untyped-call]
    document: bytes = report.tostring()  # type: ignore[no-untyped-call]
    return b'<?xml version="1.0" encoding="UTF-8"?>\n' + document + b"\n"


def _suite(name: str, summary: Summary, run: Run) -> TestSuite:
    suite = TestSuite(name)
    suite.timestamp = run.started.strftime("%Y-%m-%dT%H:%M:%S")
    for key, value in {
        "peer": run.peer,
        "command": run.command,
        "suite": run.suite,
        "protocol": str(run.protocol),
        "outcome": outcome(summary),
    }.items():
        suite.add_property(key, clean(value))
    return suite


def _test(result: Result, summary: Summary, baseline: Baseline, run: Run) -> TestCase:
    case = result.case
    test = TestCase(case.id, f"{case.role}.{case.area}", round(result.seconds, 3))
    entry = baseline.entries.get(case.id)
    new = any(result is other for other in summary.new)
    if new:
        kind = Error if result.verdict in _ERRORS else Failure
        found = kind(_message(result), result.verdict)
        found.text = _text(result, run)
        test.result = [found]
    elif case.id in summary.stale:
        test.result = [Failure("the baseline expects otherwise: remove its entry", "stale")]
    elif entry is not None and result.verdict != "pass":
        reason = " ".join([entry.reason, *entry.refs])
        test.result = [Skipped(clean(f"known, as the baseline says: {reason}"), result.verdict)]
    elif result.verdict not in {"pass", "warn"}:
        test.result = [Skipped(_message(result), result.verdict)]
    if result.verdict == "warn" and not new:
        test.system_out = f"warning: {_text(result, run)}"
    return test


def _beside(summary: Summary) -> list[TestCase]:
    """What fails a run and is no case of it: entries for cases that do not exist, deaths in company."""
    ran = {result.case.id for result in summary.results}
    tests = []
    for case in summary.stale:
        if case not in ran:
            test = TestCase(clean(case), _BASELINE)
            test.result = [Failure("the baseline lists a case that does not exist", "stale")]
            tests.append(test)
    if summary.deaths and not summary.known:
        test = TestCase("deaths-side-by-side", _BASELINE)
        test.result = [Failure(f"it died {summary.deaths} times under several cases at once", "crash")]
        tests.append(test)
    return tests


def _message(result: Result) -> str:
    """The first clause that is broken with its sentence; what happened, where there is none."""
    clause = next(iter((*result.failed, *result.warned)), None)
    if clause is None:
        return shortened(clean(result.detail), 200)
    return f"{clause}: {sentence(clause)}"


def _text(result: Result, run: Run) -> str:
    lines = [
        result.case.title,
        shortened(result.detail, _DETAIL_CHARS),
        *(f"{clause}: {sentence(clause)}" for clause in (*result.failed, *result.warned)),
        f"usually: {result.case.hint}",
        f"again: {run.rerun(result.case.id)}",
    ]
    return clean("\n".join(lines))
