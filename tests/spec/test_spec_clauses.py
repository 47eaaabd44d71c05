"""The prose and its clauses: nothing normative without an id, nothing cited that does not exist."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from tools.generation import clauses, markdown

ROOT = Path(__file__).resolve().parents[2]
PROTOCOL = (ROOT / "PROTOCOL.md").read_text(encoding="utf-8")
CLAUSES: list[dict[str, Any]] = json.loads((ROOT / "spec/v1/clauses.json").read_text(encoding="utf-8"))[
    "clauses"
]
IDS = [clause["id"] for clause in CLAUSES]

KEYWORD = re.compile(r"\b(MUST NOT|MUST|SHOULD NOT|SHOULD|MAY)\b")
GENERATED = re.compile(r"<!-- generated: [a-z-]+ -->.*?<!-- end -->", re.DOTALL)
CLAUSE_ID = re.compile(r"\b[A-Z]{3}-\d\d[sr]?\b")
DEVIATIONS = {f"D{number}" for number in range(1, 37)}


def prose_outside_clauses(page: str) -> list[str]:
    """Each line that is neither a clause, nor derived, nor in the section that defines the keywords."""
    kept: list[str] = []
    heading = ""
    for line in GENERATED.sub("", page).splitlines():
        if line.startswith("## "):
            heading = line
        if "Requirement keywords" not in heading and not line.startswith("- **["):
            kept.append(line)
    return kept


def test_keywords_stand_in_clauses() -> None:
    """A requirement without an id cannot be tested, cited or answered."""
    assert [line for line in prose_outside_clauses(PROTOCOL) if KEYWORD.search(line)] == []


def test_a_stray_keyword_is_found() -> None:
    """The test above can fail."""
    assert any(KEYWORD.search(line) for line in prose_outside_clauses(PROTOCOL + "\nA peer MUST be kind.\n"))


def test_ids_are_unique_and_sorted() -> None:
    """Ids are in the order of the areas, then of the numbers, each once."""
    assert sorted(IDS, key=lambda name: (clauses.AREAS.index(name[:3]), name)) == IDS
    assert len(set(IDS)) == len(IDS)


def test_every_area_is_present() -> None:
    """No area of the design is without a clause, and none is unknown."""
    assert {name[:3] for name in IDS} == set(clauses.AREAS)


def test_fields_follow_from_the_id() -> None:
    """Area and side are those of the id."""
    for clause in CLAUSES:
        assert clause["area"] == clause["id"][:3]
        assert clause["side"] == {"s": "sender", "r": "receiver"}[clause["id"][-1]]


def test_cited_ids_exist() -> None:
    """The prose names no clause that is not there."""
    assert {name for name in CLAUSE_ID.findall(PROTOCOL) if name not in IDS} == set()


def test_each_clause_is_one_sentence() -> None:
    """A clause that needs two sentences is two clauses."""
    for clause in CLAUSES:
        assert re.search(r"[.!?] [A-Z]", clause["text"]) is None, clause["id"]
        assert KEYWORD.search(clause["text"]) is None, clause["id"]


def test_every_deviation_is_listed_and_answered() -> None:
    """D1 to D36 are explained in the appendix, and each is settled by a clause."""
    assert set(re.findall(r"^- \*\*(D\d+)\*\* \(", PROTOCOL, re.MULTILINE)) == DEVIATIONS
    assert {name for clause in CLAUSES for name in clause["answers"]} == DEVIATIONS


def test_links_lead_somewhere() -> None:
    """Every link inside the page has its heading, every link to a file its file."""
    anchors = {markdown.slug(heading) for heading in re.findall(r"^#+ (.+)$", PROTOCOL, re.MULTILINE)}
    for target in re.findall(r"\]\(([^)]+)\)", PROTOCOL):
        if target.startswith("#"):
            assert target[1:] in anchors
        elif not target.startswith("https://"):
            assert (ROOT / target).exists(), target


def test_sections_are_numbered_in_order() -> None:
    """References such as `section 21.3` stay right."""
    sections = re.findall(r"^##+ ([\d.]+?)\.? ", PROTOCOL, re.MULTILINE)
    assert [name for name in sections if "." not in name] == [str(n) for n in range(1, 26)]
    cited = set(re.findall(r"[Ss]ections? (\d+(?:\.\d+)?)", PROTOCOL))
    assert cited <= set(sections)
