"""What the live fuzzer has found in tractor is named by its deviations, and stands in the docs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from iptc_conformance.cases.load import load_files
from tools import fuzz_tractor

ROOT = Path(__file__).resolve().parents[2]
FOUND = sorted((ROOT / "conformance" / "peers" / "tractor_0_1_0a5" / "found").glob("*.json"))


@pytest.mark.parametrize("path", FOUND, ids=lambda path: path.stem)
def test_a_case_is_its_deviation(path: Path) -> None:
    (case,) = load_files([path])
    finding = fuzz_tractor.read(path)
    assert case.clauses[0] == finding.clause
    assert fuzz_tractor.deviation_of(finding, fuzz_tractor.deviations()) == path.stem
    docs = (ROOT / "docs" / "fuzz-tractor.md").read_text(encoding="utf-8")
    assert fuzz_tractor.row(path.stem, finding) in docs


def test_there_are_enough() -> None:
    assert len(FOUND) >= fuzz_tractor.WANTED


def test_a_deviation_is_named_by_a_clause_that_answers_it() -> None:
    answered = fuzz_tractor.deviations()
    for rule in fuzz_tractor.RULES:
        for clause in rule.clauses.split():
            assert rule.deviation in answered[clause], rule
    one = fuzz_tractor.read(FOUND[0])
    assert fuzz_tractor.deviation_of(replace(one, clause="ENC-12s", verdict="fail"), answered) is None


def test_the_smallest_case_is_taken() -> None:
    answered = fuzz_tractor.deviations()
    one = fuzz_tractor.read(FOUND[0])
    longer = replace(one, steps=(*one.steps, {"barrier": "a"}))
    assert fuzz_tractor.smallest([longer, one], answered) == {FOUND[0].stem: one}
