"""The derived blocks of `PROTOCOL.md`: name of the block -> Markdown text."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tools.generation import diagrams, message_tables
from tools.generation.clauses import Clause, deviation_number
from tools.generation.markdown import slug, table

if TYPE_CHECKING:
    from pathlib import Path

Table = Mapping[str, Any]


def blocks(spec: Path, clauses: Sequence[Clause], headings: Mapping[str, str]) -> dict[str, str]:
    """Derive every block from the tables in `spec` (a version's folder) and the clauses.

    `headings` says under which heading a clause stands.
    """
    call, connection, limits = (_load(spec / f"{name}.json") for name in ("call", "connection", "limits"))
    return {
        "messages": message_tables.render(_load(spec / "messages.schema.json")),
        "call-states": _states({name: state["about"] for name, state in call["states"].items()}),
        "call-diagram": diagrams.call_diagram(call),
        "call-caller": _call_matrix(call, "caller"),
        "call-callee": _call_matrix(call, "callee"),
        "connection-states": _states(connection["states"]),
        "connection-events": table(["Event", "Meaning"], connection["events"].items()),
        "connection-diagram": diagrams.connection_diagram(connection),
        "connection-table": _connection_matrix(connection),
        "limits": _limits(limits["limits"]),
        "clauses": _index(clauses, headings),
        "deviations": _answers(clauses),
    }


def _load(path: Path) -> Table:
    loaded: Table = json.loads(path.read_text(encoding="utf-8"))
    return loaded


def _states(about: Mapping[str, str]) -> str:
    return table(["State", "Meaning"], ((f"`{name}`", text) for name, text in about.items()))


def _call_matrix(call: Table, sender: str) -> str:
    cells, events = call["cells"], call["events"]
    rows = (
        [f"`{state}`", *(cell_text(state, cells[state][sender][event]) for event in events)]
        for state in call["states"]
    )
    return table(["State", *events], rows)


def _connection_matrix(connection: Table) -> str:
    cells, events = connection["cells"], connection["events"]
    rows = (
        [f"`{state}`", *(cell_text(state, cells[state][event]) for event in events)]
        for state in connection["states"]
    )
    return table(["State", *events], rows)


def cell_text(state: str, cell: Table) -> str:
    """Write a cell in a few words: `→ next`, `ignored`, or the clause and the reaction.

    The next state is written where it is not the one that the reaction implies.
    """
    if "unreachable" in cell:
        return "unreachable"
    if "keeps" in cell:
        effect = cell.get("calls")
        return f"→ `{cell['next']}`" + (f", {effect}" if effect else "")
    if "ignore" in cell:
        return "ignored" + (f" → `{cell['next']}`" if "next" in cell else "")
    implied = "failed" if cell["reaction"] == "fail-call" else state
    text = f"{cell['violates']} {cell['reaction']}"
    return text if cell["next"] == implied else f"{text} → `{cell['next']}`"


def _limits(limits: Mapping[str, Table]) -> str:
    rows = (
        [f"`{name}`", f"{limit['default']}", _floor(limit), limit["unit"], limit["clause"], limit["about"]]
        for name, limit in limits.items()
    )
    return table(["Limit", "Default", "Floor", "Unit", "Clause", "Meaning"], rows)


def _floor(limit: Table) -> str:
    return "none" if limit["floor"] is None else f"{limit['floor']}"


def _index(clauses: Sequence[Clause], headings: Mapping[str, str]) -> str:
    rows = (
        [
            clause.id,
            clause.level,
            clause.role,
            f"[{headings[clause.id]}](#{slug(headings[clause.id])})",
            ", ".join(clause.answers),
        ]
        for clause in clauses
    )
    return table(["Clause", "Level", "Role", "Section", "Answers"], rows)


def _answers(clauses: Sequence[Clause]) -> str:
    answered: dict[str, list[str]] = {}
    for clause in clauses:
        for deviation in clause.answers:
            answered.setdefault(deviation, []).append(clause.id)
    rows = ((name, ", ".join(answered[name])) for name in sorted(answered, key=deviation_number))
    return table(["Deviation", "Answered by"], rows)
