"""The line below each clause of `PROTOCOL.md` that names its cases, or counts them where they are many."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tools.generation.clauses import CASES_NOTE, clause_of, is_note

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_NAMED = 3
"""So many cases are named; of more, their number by role says more than a long list."""


def fill(page: str, cases: Mapping[str, Mapping[str, Sequence[str]]]) -> str:
    """Return `page` with the line of each clause that has cases. `cases`: clause -> role -> ids."""
    lines: list[str] = []
    current: str | None = None
    for line in page.splitlines():
        if current is not None and line.startswith(CASES_NOTE):
            continue
        if current is not None and not is_note(line):
            lines.extend(_line(cases.get(current, {})))
            current = None
        current = clause_of(line) or current
        lines.append(line)
    if current is not None:
        lines.extend(_line(cases.get(current, {})))
    return "\n".join(lines) + "\n"


def _line(by_role: Mapping[str, Sequence[str]]) -> list[str]:
    ids = [name for names in by_role.values() for name in names]
    if not ids:
        return []
    if len(ids) <= _NAMED:
        return [CASES_NOTE + ", ".join(f"`{name}`" for name in ids) + "."]
    return [CASES_NOTE + ", ".join(f"{role} {len(names)}" for role, names in by_role.items() if names) + "."]
