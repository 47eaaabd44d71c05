"""A sample of the kill matrix, small enough for every test run; `make kill-matrix` does them all."""

from __future__ import annotations

import pytest

from faults.data import Fault, faults, honest
from faults.matrix import Row, problems, row
from faults.rendering import markdown
from faults.running import Seen, cases_of, judge

SAMPLE = (
    "callee-trailing-bytes-taken",
    "callee-end-twice",
    "callee-goodbye-spreads",
    "callee-second-hello-ignored",
    "callee-wrong-object-ends-process",
    "callee-cancel-without-result",
    "caller-never-cancels",
    "caller-open-of-six",
    "caller-stop-is-nil",
    "caller-second-started-taken",
    "caller-fatal-ends-process",
    "caller-items-before-started",
)
BY_ID = {fault.id: fault for fault in [*faults(), *honest()]}


@pytest.mark.parametrize("name", SAMPLE)
def test_a_fault_is_caught_by_a_case_of_its_own_clause(name: str) -> None:
    result = row(BY_ID[name], "own")
    assert result.own, result.details
    assert problems([result]) == []


@pytest.mark.parametrize(
    "name", ["honest-callee", "honest-caller", "honest-callee-in-pieces", "honest-caller-keys-reversed"]
)
def test_an_honest_peer_has_no_finding(name: str) -> None:
    fault = BY_ID[name]
    some = [case for case in cases_of(fault.role) if case.area in {"STR", "CXL", "OPN"}]
    assert [seen for seen in judge(fault, some) if seen.verdict not in {"pass", "warn"}] == []


def _row(fault: Fault, own: tuple[str, ...], others: tuple[str, ...]) -> Row:
    return Row(fault, 3, own, others, (), ())


def test_a_fault_that_only_other_clauses_catch_is_a_problem() -> None:
    fault = BY_ID["callee-end-twice"]
    assert problems([_row(fault, ("a",), ())]) == []
    assert problems([_row(fault, (), ("b",))]) == ["callee-end-twice is not caught by STR-03s"]
    assert problems([_row(fault, (), ())]) != []
    assert problems([_row(BY_ID["honest-callee"], (), ("b",))]) == ["honest-callee has a finding"]


def test_a_peer_that_never_lets_time_pass_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    def spin(*_: object) -> None:
        while True:
            pass

    monkeypatch.setattr("faults.running.STUCK_SECONDS", 1)
    monkeypatch.setattr("faults.running._results", spin)
    (case,) = cases_of("callee")[:1]
    assert judge(BY_ID["honest-callee"], [case]) == [
        Seen(case.id, "stuck", (), (), "no end after 1 s of real time")
    ]


def test_the_page_names_what_is_not_caught() -> None:
    entry = _row(BY_ID["callee-end-twice"], (), ()).line()
    page = markdown(
        {"faults": [entry], "honest": [], "summary": {"faults": 1, "killed": 0, "by_own_clause": 0}}
    )
    assert "| STR-03s | callee-end-twice |" in page
    assert "nothing of its own clause" in page
