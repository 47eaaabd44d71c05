"""JUnit XML: as the servers read it, and it fails where the run does."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest
import xmlschema

from iptc_conformance.reporting.baseline import Baseline
from iptc_conformance.reporting.junit import junit
from tests.reports.reports_support import (
    HOSTILE,
    baseline_of,
    case_of,
    every_verdict,
    result_of,
    run_of,
    summary_of,
)

if TYPE_CHECKING:
    from iptc_conformance.driving.result import Result
    from iptc_conformance.reporting.summary import Summary


@cache
def schema() -> xmlschema.XMLSchema:
    return xmlschema.XMLSchema(Path(__file__).with_name("junit.xsd"))


def document(summary: Summary, baseline: Baseline | None = None, **run: str) -> ET.Element:
    """The document, read again and held against the schema."""
    text = junit(summary, baseline or Baseline(), run_of(**run))
    root = ET.fromstring(text)  # noqa: S314  (our own)
    schema().validate(root)
    return root


def find_test(root: ET.Element, name: str) -> ET.Element:
    (found,) = root.iterfind(f".//testcase[@name='{name}']")
    return found


def test_every_verdict_is_valid_and_counted() -> None:
    root = document(summary_of(every_verdict(), missing={"echo": "FAIL"}))
    assert root.get("tests") == "10"
    assert (root.get("failures"), root.get("errors"), root.get("skipped")) == ("4", "2", "2")
    assert {test.get("classname") for test in root.iter("testcase")} == {"callee.STR"}


def test_a_suite_for_each_role_and_area() -> None:
    results = [
        result_of(case_of("one"), "pass"),
        result_of(case_of("two", area="CXL"), "pass"),
        result_of(case_of("three", role="caller"), "pass"),
    ]
    root = document(summary_of(results))
    assert [suite.get("name") for suite in root] == [
        "callee.STR Streams",
        "callee.CXL Cancel",
        "caller.STR Streams",
    ]


def test_a_failure_names_the_clause_with_its_sentence_and_how_to_see_it_again() -> None:
    test = find_test(document(summary_of([result_of(case_of("one"), "fail")])), "one")
    failure = test.find("failure")
    assert failure is not None
    assert (failure.get("message") or "").startswith("STR-03s: A side closes its half at most once")
    assert "--only one" in (failure.text or "")
    assert "the stream is closed twice" in (failure.text or "")
    assert test.get("time") == "0.25"


def test_what_the_baseline_expects_is_skipped_with_its_reason() -> None:
    baseline = baseline_of(one="fail", two="warn")
    results = [result_of(case_of("one"), "fail"), result_of(case_of("two"), "warn")]
    root = document(summary_of(results, baseline), baseline)
    for name in ("one", "two"):
        skipped = find_test(root, name).find("skipped")
        assert skipped is not None
        assert f"Known reason of {name}. D7" in (skipped.get("message") or "")
    assert find_test(root, "two").find("system-out") is not None


def test_a_warning_passes_and_is_told() -> None:
    test = find_test(document(summary_of([result_of(case_of("one"), "warn")])), "one")
    assert [child.tag for child in test] == ["system-out"]
    assert "STR-03s" in (test.findtext("system-out") or "")


def test_a_warning_fails_a_strict_run() -> None:
    test = find_test(document(summary_of([result_of(case_of("one"), "warn")], strict=True)), "one")
    assert [child.tag for child in test] == ["failure"]


def test_stale_entries_fail() -> None:
    baseline = baseline_of(one="fail", gone="fail")
    root = document(summary_of([result_of(case_of("one"), "pass")], baseline), baseline)
    assert root.get("failures") == "2"
    assert find_test(root, "gone").get("classname") == "baseline"


def test_illegal_characters_of_a_peer_are_escaped() -> None:
    results = [
        result_of(case_of("one"), "fail", detail=HOSTILE),
        result_of(case_of("two"), "untestable", detail=HOSTILE),
    ]
    root = document(summary_of(results), peer=HOSTILE, command=HOSTILE)
    failure = find_test(root, "one").find("failure")
    assert failure is not None
    assert "\\x00\\x1b[31m" in (failure.text or "")
    assert "<script>alert(1)</script>" in (failure.text or "")


@pytest.mark.parametrize("known", [False, True])
@pytest.mark.parametrize("result", every_verdict(), ids=lambda result: result.verdict)
def test_it_fails_exactly_where_the_run_does(result: Result, known: bool) -> None:
    """A CI server that reads only this file comes to the verdict of the exit code."""
    passed = result_of(case_of("another"), "pass")
    baseline = baseline_of(**{result.case.id.replace("-", "_"): result.verdict}) if known else Baseline()
    summary = summary_of([passed, result], baseline)
    root = document(summary, baseline)
    broken = int(root.get("failures") or 0) + int(root.get("errors") or 0)
    assert bool(broken) == (summary.exit_code == 1 or (summary.exit_code == 3 and not known))


def test_deaths_in_company_fail() -> None:
    root = document(summary_of([result_of(case_of("one"), "pass")], deaths=2))
    assert find_test(root, "deaths-side-by-side").find("failure") is not None
