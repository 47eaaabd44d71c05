"""The tables are total, closed, and cite clauses that exist."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

V1 = Path(__file__).resolve().parents[2] / "spec/v1"


def load(name: str) -> Any:
    """Read a table of version 1."""
    return json.loads((V1 / f"{name}.json").read_text(encoding="utf-8"))


CALL = load("call")
CONNECTION = load("connection")
LIMITS = load("limits")
CLAUSES = {clause["id"]: clause for clause in load("clauses")["clauses"]}


def call_cells() -> Iterator[tuple[str, str, str, Any]]:
    """Each cell that the call table has."""
    for state, senders in CALL["cells"].items():
        for sender, row in senders.items():
            for event, cell in row.items():
                yield state, sender, event, cell


def connection_cells() -> Iterator[tuple[str, str, Any]]:
    """Each cell that the connection table has."""
    for state, row in CONNECTION["cells"].items():
        for event, cell in row.items():
            yield state, event, cell


def test_call_table_is_total() -> None:
    """Each state, sender and event of the file's own lists has a cell, and nothing else has one."""
    wanted = set(itertools.product(CALL["states"], CALL["senders"], CALL["events"]))
    assert {cell[:3] for cell in call_cells()} == wanted


def test_connection_table_is_total() -> None:
    """Each state and event of the file's own lists has a cell, and nothing else has one."""
    wanted = set(itertools.product(CONNECTION["states"], CONNECTION["events"]))
    assert {cell[:2] for cell in connection_cells()} == wanted


def test_next_states_exist() -> None:
    """A move leads to a state of its own table, and a life begins in one."""
    assert CALL["initial"] in CALL["states"]
    assert CONNECTION["initial"] in CONNECTION["states"]
    assert {cell["next"] for *_, cell in call_cells() if "next" in cell} <= set(CALL["states"])
    assert {cell["next"] for *_, cell in connection_cells() if "next" in cell} <= set(CONNECTION["states"])


def test_every_state_is_reachable() -> None:
    """No state is left over: the cells that can be reached lead to each of them."""
    for initial, cells, states in (
        (CALL["initial"], [(c[0], c[-1]) for c in call_cells()], CALL["states"]),
        (CONNECTION["initial"], [(c[0], c[-1]) for c in connection_cells()], CONNECTION["states"]),
    ):
        reached = {initial}
        for _ in states:
            reached |= {
                cell["next"]
                for state, cell in cells
                if state in reached and "next" in cell and "unreachable" not in cell
            }
        assert reached == set(states)


def test_reactions_exist() -> None:
    """A violation has one of the reactions that the table explains."""
    used = {cell["reaction"] for *_, cell in call_cells() if "violates" in cell}
    assert used == set(CALL["reactions"])


def test_effects_exist() -> None:
    """An effect on calls is one of those that the table explains."""
    for key in ("call", "calls"):
        used = {cell[key] for *_, cell in connection_cells() if key in cell}
        assert used == set(CONNECTION["effects"][key])


def all_cells() -> Iterator[tuple[str, Any]]:
    """Each cell of both tables, and where it stands."""
    for state, sender, event, cell in call_cells():
        yield f"{state} {sender} {event}", cell
    for state, event, cell in connection_cells():
        yield f"{state} {event}", cell


def clauses_of(cell: Any) -> list[str]:
    """The clauses that a cell cites; `frame` stands for one of the frame's own and is left out."""
    return [clause for clause in (*cell.get("keeps", ()), cell.get("violates", "frame")) if clause != "frame"]


def cited() -> Iterator[tuple[str, str]]:
    """Each clause that a table cites, and where."""
    for where, cell in all_cells():
        for clause in clauses_of(cell):
            yield clause, where
    for name, limit in LIMITS["limits"].items():
        yield limit["clause"], name


def test_cited_clauses_exist() -> None:
    """Every clause that a table names is in clauses.json."""
    assert [(clause, where) for clause, where in cited() if clause not in CLAUSES] == []


def test_tables_cite_duties_of_senders() -> None:
    """What a message keeps or violates is a duty of its sender."""
    for where, cell in all_cells():
        for clause in clauses_of(cell):
            assert CLAUSES[clause]["side"] == "sender", where


def test_a_clause_of_a_table_fits_its_sender() -> None:
    """A callee's message violates no clause of the caller, and the reverse."""
    for state, sender, event, cell in call_cells():
        for clause in clauses_of(cell):
            assert CLAUSES[clause]["role"] in (sender, "any"), (state, sender, event, clause)


def test_ignored_states_why() -> None:
    """A silent cell is a legal race and says which one."""
    for state, sender, event, cell in call_cells():
        if "ignore" in cell:
            assert len(cell["ignore"].split()) > 2, (state, sender, event)


def test_default_keeps_its_floor() -> None:
    """The reference accepts what every peer has to accept."""
    for name, limit in LIMITS["limits"].items():
        assert limit["floor"] is None or limit["default"] >= limit["floor"], name
