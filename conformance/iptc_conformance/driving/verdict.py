"""What a failed step and the judge's findings make of a case, in either role."""

from __future__ import annotations

from typing import TYPE_CHECKING

from iptc_conformance import _specdata

if TYPE_CHECKING:
    from iptc_conformance.cases.model import Case
    from iptc_conformance.driving.recorder import Recorder
    from iptc_conformance.driving.result import Draft
    from iptc_conformance.driving.session import StepFailure


def take_failure(failure: StepFailure, case: Case, recorder: Recorder, draft: Draft) -> None:
    """A step has failed. A SHOULD that is not kept is a warning, unless nobody answers any more."""
    clause = _stuck(failure, case) or failure.clause_for(case.clauses)
    recorder.failed(clause, failure.detail, failure.at)
    draft.waited = failure.waited
    if _specdata.clause_level(clause) == "MUST":
        draft.fail("fail", f"{clause}: {failure.detail}", clause)
    else:
        draft.warn(clause, failure.detail)


def _stuck(failure: StepFailure, case: Case) -> str | None:
    """The MUST that is broken where a case about a SHOULD waits in vain for what every call is owed."""
    if not failure.waited or failure.likely is None:
        return None
    if _specdata.clause_level(failure.clause_for(case.clauses)) == "MUST":
        return None
    return "ROB-01r" if case.negative else failure.likely


def take_findings(case: Case, recorder: Recorder, draft: Draft) -> None:
    """Add what the judge saw in passing; a fault of the harness outweighs everything."""
    for finding in recorder.by_testee():
        text = f"seq {finding.seq}: {finding.detail}"
        if finding.level == "MUST":
            draft.fail("fail", f"{finding.clause}: {text}", finding.clause)
        elif finding.clause in case.clauses:
            draft.warn(finding.clause, text)
    for finding in recorder.by_harness(case.violates):
        draft.verdict = "harness-fault"
        what = _specdata.clause_text(finding.clause)
        draft.details.insert(
            0, f"the harness broke {finding.clause} at seq {finding.seq} ({finding.detail}): {what}"
        )
