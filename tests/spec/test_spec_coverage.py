"""Every clause has a case or a stated exclusion, and the page says which next to the clause."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

from iptc_conformance import coverage as coverage_module
from iptc_conformance.__main__ import main
from iptc_conformance.cases import load_cases
from iptc_conformance.coverage import ROLES, coverage
from iptc_conformance.driving.codec.vectors import load_vectors
from tools.generation import case_lines

if TYPE_CHECKING:
    import pytest

PROTOCOL = (Path(__file__).resolve().parents[2] / "PROTOCOL.md").read_text(encoding="utf-8")
LINE = re.compile(r"^- \*\*\[(?P<id>[A-Z]{3}-\d\d[sr])\]\*\*.*\n(?P<notes>(?:  - .*\n)*)", re.MULTILINE)

PAGE = """\
- **[TRM-01s]** (MUST, callee) One.
  - Rationale: why.
  - Cases: `gone`.
- **[TRM-02s]** (MUST, callee) Two.
  - Rationale: why.

Prose.
- **[TRM-03s]** (MUST, callee) Three.
  - Rationale: why.
"""


def test_every_clause_has_a_case_or_an_exclusion() -> None:
    assert [one.clause for one in coverage() if one.missing] == []
    assert main(["list", "--coverage", "--json"]) == 0


def test_a_clause_without_either_is_found(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without the cases that name it, and only without them, a clause is missing."""
    kept = [case for case in load_cases() if "STR-03s" not in case.clauses]
    assert [one.clause for one in coverage(kept) if one.missing].count("STR-03s") == 1
    monkeypatch.setattr(coverage_module, "_all_cases", lambda: kept)
    assert main(["list", "--coverage", "--area", "str"]) == 1
    assert "STR-03s has neither a case nor an exclusion" in capsys.readouterr().out
    assert main(["list", "--coverage", "--area", "nope"]) == 2


def test_all_roles_are_counted() -> None:
    everything = [*load_cases(), *(vector.case for vector in load_vectors())]
    assert {case.role for case in everything} == set(ROLES)
    named = sum(len(set(case.clauses)) for case in everything)
    assert sum(one.total for one in coverage()) == named
    for role in ROLES:
        assert any(one.cases[role] for one in coverage())


def test_the_json_names_the_cases(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list", "--coverage", "--json"]) == 0
    listed = {one["clause"]: one for one in json.loads(capsys.readouterr().out)}
    assert "str-echo" in listed["STR-03s"]["cases"]["callee"]
    assert listed["FLW-01r"]["exclusion"]


def test_the_page_says_it_next_to_each_clause() -> None:
    notes = {match["id"]: match["notes"] for match in LINE.finditer(PROTOCOL)}
    assert set(notes) == {one.clause for one in coverage()}
    for one in coverage():
        lines = [line for line in notes[one.clause].splitlines() if line.startswith("  - Cases: ")]
        assert len(lines) == bool(one.total), one.clause
        assert bool(lines) or "  - Exclusion: " in notes[one.clause], one.clause


def test_few_cases_are_named_and_many_counted() -> None:
    page = case_lines.fill(
        PAGE,
        {
            "TRM-01s": {"callee": ["a"], "caller": ["caller-b"], "codec": []},
            "TRM-03s": {"callee": ["a", "b", "c"], "caller": [], "codec": ["codec-d"]},
        },
    )
    assert page == PAGE.replace("`gone`", "`a`, `caller-b`") + "  - Cases: callee 3, codec 1.\n"
    assert case_lines.fill(page, {}) == PAGE.replace("  - Cases: `gone`.\n", "")
