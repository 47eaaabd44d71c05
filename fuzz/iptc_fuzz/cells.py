"""Which cells of `call.json` were reached, and which clauses a fuzzer has seen kept or broken."""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

from iptc_conformance import _specdata


class Cell(NamedTuple):
    """A place in the call table."""

    state: str
    sender: str
    event: str


class Reached:
    """What a run has reached; added to, never reset by the targets."""

    def __init__(self) -> None:
        self.cells: Counter[Cell] = Counter()
        self.clauses: Counter[str] = Counter()

    def cell(self, state: str, sender: str, event: str) -> None:
        """Note that a message met this cell."""
        self.cells[Cell(state, sender, event)] += 1

    def clause(self, clause: str) -> None:
        """Note that a clause was broken, and that this was found."""
        self.clauses[clause] += 1

    def add(self, other: Reached) -> None:
        """Take in what another process has reached."""
        self.cells += other.cells
        self.clauses += other.clauses

    def missing(self) -> list[Cell]:
        """The cells that can be reached on the wire, and were not."""
        return [cell for cell in every_cell() if cell not in self.cells and unreachable(cell) is None]


def every_cell() -> list[Cell]:
    """All cells of the call table."""
    return [
        Cell(state, sender, event)
        for state, senders in _specdata.call_table()["cells"].items()
        for sender, events in senders.items()
        for event in events
    ]


def unreachable(cell: Cell) -> str | None:
    """Why no message can ever meet this cell, None if one can."""
    reason: str | None = _specdata.call_table()["cells"][cell.state][cell.sender][cell.event].get(
        "unreachable"
    )
    if reason is None and (cell.state, cell.sender) == ("idle", "callee"):
        return "no call, no caller: whoever sends in idle is looked up as the caller"
    return reason


reached = Reached()
"""What this process has reached."""
