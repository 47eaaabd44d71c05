"""The matrix: a row for each area, a cell for each clause."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from iptc_conformance import _specdata
from iptc_conformance.driving.result import VERDICTS
from iptc_conformance.reporting.words import LETTERS, area_name, counted

if TYPE_CHECKING:
    from iptc_conformance.driving.result import Result
    from iptc_conformance.reporting.summary import Summary

_ORDER = ("crash", "hang", "fail", "warn", "pass", "not-observed", "none")
_WORDS = {"not-observed": "not observed", "none": "no case in this run"}


@dataclass(slots=True)
class Cell:
    """What a run shows of one clause: the worst of its cases. `new`: not all of it was known before."""

    clause: str
    level: str
    text: str
    word: str = "none"
    new: bool = False
    cases: int = 0
    broken: int = 0

    @property
    def letter(self) -> str:
        """The verdict in one letter; a dot for a clause that no case of the run is about."""
        return "·" if self.word == "none" else LETTERS[self.word]

    @property
    def said(self) -> str:
        """The cell for those who can't see it, or point at it."""
        word = _WORDS.get(self.word, self.word)
        if self.broken:
            word += f" in {self.broken} of {counted(self.cases, 'case')}"
            word += ", not known before" if self.new else ", known"
        elif self.cases:
            word += f", {counted(self.cases, 'case')}"
        return f"{self.clause}: {word}. {self.level}: {self.text}"


@dataclass(slots=True)
class Row:
    """One area, its cells, and how its cases ended."""

    area: str
    name: str
    cells: list[Cell] = field(default_factory=list)
    verdicts: Counter[str] = field(default_factory=Counter)

    @property
    def counts(self) -> list[tuple[str, int]]:
        """How often each verdict was given, in the order of the verdicts."""
        return [(verdict, self.verdicts[verdict]) for verdict in VERDICTS if self.verdicts[verdict]]


def matrix(summary: Summary) -> list[Row]:
    """All clauses of the specification, by area, in its order."""
    rows: dict[str, Row] = {}
    cells: dict[str, Cell] = {}
    for clause in _specdata.clauses().values():
        area = clause["area"]
        row = rows.setdefault(area, Row(area, area_name(area)))
        cells[clause["id"]] = cell = Cell(clause["id"], clause["level"], clause["text"])
        row.cells.append(cell)
    new = {result.case.id for result in summary.new}
    for result in summary.results:
        area = result.case.area
        rows.setdefault(area, Row(area, area_name(area))).verdicts[result.verdict] += 1
        for named in result.clauses:
            if named in cells:
                _add(cells[named], named, result, new=result.case.id in new)
    return [row for row in rows.values() if row.cells or row.verdicts]


def _add(cell: Cell, clause: str, result: Result, *, new: bool) -> None:
    word = _word(clause, result)
    cell.cases += 1
    if word in {"crash", "hang", "fail", "warn"}:
        cell.broken += 1
        cell.new = cell.new or new
    cell.word = min(cell.word, word, key=_ORDER.index)


def _word(clause: str, result: Result) -> str:
    if clause in result.failed:
        return result.verdict if result.verdict in {"crash", "hang"} else "fail"
    if clause in result.warned:
        return "warn"
    return "pass" if result.verdict in {"pass", "warn"} else "not-observed"
