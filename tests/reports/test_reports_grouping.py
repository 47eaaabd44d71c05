"""What to fix first: groups by clause, worst first, new before known."""

from __future__ import annotations

from iptc_conformance.reporting.grouping import what_to_fix
from tests.reports.reports_support import baseline_of, case_of, every_verdict, result_of, summary_of


def test_crashes_come_before_failures_and_many_before_few() -> None:
    results = [
        result_of(case_of("one", clauses=("STR-03s",)), "fail"),
        result_of(case_of("two", clauses=("STR-06s",)), "fail"),
        result_of(case_of("three", clauses=("STR-06s",)), "fail"),
        result_of(case_of("four", clauses=("CTX-01s",)), "crash"),
        result_of(case_of("five", clauses=("CTX-02s",)), "warn"),
        result_of(case_of("six", clauses=("TRM-01s",)), "pass"),
    ]
    groups = what_to_fix(summary_of(results), baseline_of())
    assert [(group.clause, len(group.results)) for group in groups] == [
        ("CTX-01s", 1),
        ("STR-06s", 2),
        ("STR-03s", 1),
        ("CTX-02s", 1),
    ]


def test_what_is_new_comes_before_what_is_known_however_bad() -> None:
    results = [
        result_of(case_of("known", clauses=("CTX-01s",)), "crash"),
        result_of(case_of("new", clauses=("STR-03s",)), "fail"),
        result_of(case_of("known-too", clauses=("CTX-01s",)), "crash"),
    ]
    baseline = baseline_of(known="crash", known_too="crash")
    first, second = what_to_fix(summary_of(results, baseline), baseline)
    assert first.clause == "STR-03s"
    assert first.first.case.id == "new"
    assert second.reasons_by_weight[0] == ("Known reason of known.", ("D7",))


def test_what_was_not_judged_is_a_group_without_clause() -> None:
    texts = {
        group.text for group in what_to_fix(summary_of(every_verdict()), baseline_of()) if not group.clause
    }
    assert len(texts) == 4
    assert "Nobody was there to ask." in texts


def test_each_case_that_is_not_passed_is_in_one_group() -> None:
    results = every_verdict()
    grouped = [
        result.case.id
        for group in what_to_fix(summary_of(results), baseline_of())
        for result in group.results
    ]
    expected = [result.case.id for result in results if result.verdict not in {"pass", "not-applicable"}]
    assert sorted(grouped) == sorted(expected)
