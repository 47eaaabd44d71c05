"""Which cases, of which role, put each clause to the test; or why none can."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from iptc_conformance import _specdata
from iptc_conformance.cases import load_cases
from iptc_conformance.driving.codec.vectors import load_vectors

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from iptc_conformance.cases import Case

ROLES = ("callee", "caller", "codec")
"""The roles in which an implementation can be judged, in the order in which they are shown."""


@dataclass(frozen=True, slots=True)
class Coverage:
    """One clause: the ids of its cases by role, and its exclusion, if the specification states one."""

    clause: str
    level: str
    cases: dict[str, tuple[str, ...]]
    exclusion: str | None

    @property
    def total(self) -> int:
        """How many cases of all roles name the clause."""
        return sum(map(len, self.cases.values()))

    @property
    def missing(self) -> bool:
        """Whether there is neither a case nor a reason why there is none."""
        return not self.total and self.exclusion is None


def coverage(cases: Iterable[Case] | None = None) -> list[Coverage]:
    """Every clause, in the order of the specification. `cases` replaces those of this package."""
    found: dict[str, dict[str, list[str]]] = {}
    for case in _all_cases() if cases is None else cases:
        for clause in case.clauses:
            found.setdefault(clause, {}).setdefault(case.role, []).append(case.id)
    return [
        Coverage(
            clause=name,
            level=clause["level"],
            cases={role: tuple(found.get(name, {}).get(role, ())) for role in ROLES},
            exclusion=clause.get("exclusion"),
        )
        for name, clause in _specdata.clauses().items()
    ]


def _all_cases() -> Iterator[Case]:
    yield from load_cases()
    yield from (vector.case for vector in load_vectors())
