"""The kill matrix: every fault against the cases, and whether the clause that has to catch it does.

    python -m faults.matrix [--scope quick|own|area|all] [--only TEXT] [--check] [--jobs N]

`own`: the cases of the fault's clauses, and where none of them catches it the others until one does: the
judge reads along everywhere. `quick`: the first case that docs/kill-matrix.md names for it, and of the honest
peers those without a whim. `area`: also those of the areas of its clauses. `all`: all cases of the role.
Exit 1: a fault survives, or is not caught by its own clause, or an honest peer has a finding, or a MUST has
no fault.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from faults.coverage import uncovered
from faults.data import Fault, faults, honest
from faults.rendering import markdown
from faults.running import Seen, cases_of, judge

if TYPE_CHECKING:
    from iptc_conformance.cases.model import Case

ROOT = Path(__file__).resolve().parents[2]
REPORT = ROOT / "reports" / "kill-matrix.json"
PAGE = ROOT / "docs" / "kill-matrix.md"
SCOPES = ("quick", "own", "area", "all")
_GREEN = frozenset({"pass", "warn"})
_COLUMNS = 6


@dataclass(frozen=True, slots=True)
class Row:
    """What became of one fault. `own`: cases in which its own clause caught it; `others` show it too."""

    fault: Fault
    cases: int
    own: tuple[str, ...]
    others: tuple[str, ...]
    clauses: tuple[str, ...]
    details: tuple[str, ...]

    @property
    def killed(self) -> bool:
        """Whether any case shows it."""
        return bool(self.own or self.others)

    @property
    def good(self) -> bool:
        """Whether its own clause caught it; for an honest peer, whether nothing was found."""
        return bool(self.own) if self.fault.clauses else not self.others

    def line(self) -> dict[str, Any]:
        """Return the row as JSON has it."""
        return {
            "id": self.fault.id,
            "role": self.fault.role,
            "title": self.fault.title,
            "clause": self.fault.clauses[0] if self.fault.clauses else None,
            "killed": self.killed,
            "by_own_clause": bool(self.own),
            "cases": self.cases,
            "own": list(self.own),
            "others": list(self.others),
            "clauses": list(self.clauses),
            **({"details": list(self.details)} if not self.good else {}),
        }


def chosen(fault: Fault, scope: str) -> list[Case]:
    """Return the cases that a fault is put to; an honest peer to all."""
    cases = cases_of(fault.role)
    if scope == "quick" and (named := named_cases().get(fault.id)):
        return [case for case in cases if case.id == named]
    if scope == "all" or not fault.clauses:
        return list(cases)
    areas = {clause[:3] for clause in fault.clauses} if scope == "area" else set()
    return [case for case in cases if case.area in areas or set(fault.clauses) & set(case.clauses)]


@cache
def named_cases() -> dict[str, str]:
    """Return by fault the first case that the page names for it."""
    rows = [[cell.strip() for cell in line.split("|")] for line in _page_lines() if line.startswith("| ")]
    return {cells[2]: cells[4].split(",")[0] for cells in rows if len(cells) == _COLUMNS}


def _page_lines() -> list[str]:
    return PAGE.read_text(encoding="utf-8").splitlines() if PAGE.exists() else []


def row(fault: Fault, scope: str) -> Row:
    """Put a fault to its cases."""
    cases = chosen(fault, scope)
    seen = judge(fault, cases)
    if scope in {"own", "quick"} and fault.clauses and not any(_caught(fault, one) for one in seen):
        for case in (case for case in cases_of(fault.role) if case not in cases):
            seen += judge(fault, [case])
            if _caught(fault, seen[-1]):
                break
    own = tuple(one.case for one in seen if fault.clauses and _caught(fault, one))
    others = tuple(one.case for one in seen if one.case not in own and one.verdict not in _GREEN)
    clauses = sorted({clause for one in seen for clause in one.failed})
    details = tuple(f"{one.case}: {one.verdict}: {one.detail[:200]}" for one in seen if one.verdict != "pass")
    return Row(fault, len(seen), own, others, tuple(clauses), details[:5])


def _caught(fault: Fault, seen: Seen) -> bool:
    return fault.clause in seen.failed or (fault.level != "MUST" and fault.clause in seen.warned)


def run(chosen_faults: list[Fault], scope: str, jobs: int) -> list[Row]:
    """Put every fault to its cases, on several processes."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    rows: dict[str, Row] = {}
    console = Console(stderr=True)
    with (
        Progress(*columns, console=console, disable=not console.is_terminal) as progress,
        ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool,
    ):
        task = progress.add_task("faults", total=len(chosen_faults))
        pending = [pool.submit(row, fault, scope) for fault in chosen_faults]
        for done in as_completed(pending):
            result = done.result()
            rows[result.fault.id] = result
            progress.advance(task)
            for line in problems([result]):
                console.print(line, markup=False, highlight=False)
    return [rows[fault.id] for fault in chosen_faults]


def problems(rows: list[Row]) -> list[str]:
    """Return what is wrong, one line each."""
    found = []
    for result in rows:
        if result.good:
            continue
        what = "has a finding" if not result.fault.clauses else f"is not caught by {result.fault.clause}"
        found.append(f"{result.fault.id} {what}" + "".join(f"\n    {detail}" for detail in result.details))
    return found


def document(rows: list[Row], scope: str) -> dict[str, Any]:
    """Return the report."""
    bugs = [result for result in rows if result.fault.clauses]
    return {
        "scope": scope,
        "faults": [result.line() for result in bugs],
        "honest": [result.line() for result in rows if not result.fault.clauses],
        "summary": {
            "faults": len(bugs),
            "killed": sum(result.killed for result in bugs),
            "by_own_clause": sum(bool(result.own) for result in bugs),
        },
    }


def main(arguments: list[str] | None = None) -> int:
    """Run the matrix and write it. Returns the exit code."""
    parser = argparse.ArgumentParser(prog="kill-matrix", description=__doc__)
    parser.add_argument("--scope", choices=SCOPES, default="own")
    parser.add_argument(
        "--only", action="append", default=[], help="ids that contain this text; writes nothing"
    )
    parser.add_argument("--check", action="store_true", help="fail if docs/kill-matrix.md is not up to date")
    parser.add_argument("--jobs", type=int, default=min(2, os.cpu_count() or 1))
    options = parser.parse_args(arguments)
    everything = [*(honest()[:2] if options.scope == "quick" else honest()), *faults()]
    picked = [one for one in everything if not options.only or any(text in one.id for text in options.only)]
    rows = run(picked, options.scope, options.jobs)
    found = problems(rows) + [f"{clause} has no fault" for clause in uncovered()]
    report = document(rows, options.scope)
    if not options.only and options.scope != "quick":
        REPORT.parent.mkdir(exist_ok=True)
        REPORT.write_text(json.dumps(report, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        found += _page(markdown(report), check=options.check)
    for line in found[len(problems(rows)) :]:
        sys.stdout.write(line + "\n")
    summary = report["summary"]
    sys.stdout.write(
        f"{summary['faults']} faults, {summary['killed']} killed, "
        f"{summary['by_own_clause']} by their own clause; "
        f"{len(report['honest'])} honest peers; {len(found)} problems\n"
    )
    return 1 if found else 0


def _page(text: str, *, check: bool) -> list[str]:
    if check:
        same = PAGE.exists() and PAGE.read_text(encoding="utf-8") == text
        return [] if same else [f"{PAGE.relative_to(ROOT)} is not up to date: run make kill-matrix"]
    PAGE.write_text(text, encoding="utf-8")
    return []


if __name__ == "__main__":
    sys.exit(main())
