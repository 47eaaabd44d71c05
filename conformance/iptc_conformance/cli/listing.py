"""`iptc list` and `iptc versions`."""

from __future__ import annotations

import json
import platform
from collections import Counter
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table

from iptc_conformance import _specdata
from iptc_conformance.cases import Case, load_cases
from iptc_conformance.cli.errors import UsageError
from iptc_conformance.coverage import ROLES, Coverage, coverage
from iptc_conformance.reporting.summary import select

if TYPE_CHECKING:
    from collections.abc import Sequence

_DISTRIBUTION = "iptc-codec"
_CASE_KEYS = (
    "id",
    "area",
    "title",
    "clauses",
    "level",
    "role",
    "needs",
    "twin",
    "hostile",
    "violates",
    "hint",
)


def list_cases(areas: Sequence[str], role: str | None, *, as_json: bool) -> int:
    """Print the cases, of one role or of all.  Raises UsageError if there are none in these areas."""
    everything = load_cases()
    if role not in {None, *(case.role for case in everything)}:
        raise UsageError(f"no case is for the role {role}")
    cases = [case for case in select(everything, (), areas) if role in {None, case.role}]
    if not cases:
        raise UsageError(f"no case is in area {', '.join(areas)}")
    if as_json:
        print(json.dumps([case_summary(case) for case in cases], indent=2))
        return 0
    table = Table(box=None, pad_edge=False)
    for column in ("case", "role", "level", "clauses", "title"):
        table.add_column(column, overflow="fold")
    for case in cases:
        table.add_row(case.id, case.role, case.level, " ".join(case.clauses), case.title)
    _console().print(table)
    print(f"{len(cases)} cases")
    return 0


def list_clauses(areas: Sequence[str], *, as_json: bool) -> int:
    """Print the clauses and how many cases name each.  Raises UsageError if no clause is in these areas."""
    wanted = {area.upper() for area in areas}
    count = Counter(clause for case in load_cases() for clause in case.clauses)
    clauses = [clause for clause in _specdata.clauses().values() if not wanted or clause["area"] in wanted]
    if not clauses:
        raise UsageError(f"no clause is in area {', '.join(areas)}")
    if as_json:
        print(json.dumps([{**clause, "cases": count[clause["id"]]} for clause in clauses], indent=2))
        return 0
    table = Table(box=None, pad_edge=False)
    for column in ("clause", "level", "role", "cases", "sentence"):
        table.add_column(column, overflow="fold")
    for clause in clauses:
        table.add_row(
            clause["id"], clause["level"], clause["role"], str(count[clause["id"]] or "-"), clause["text"]
        )
    _console().print(table)
    return 0


def list_coverage(areas: Sequence[str], *, as_json: bool) -> int:
    """Print the cases of each clause by role, or why it has none; 1 if a clause has neither.

    Raises UsageError if no clause is in these areas.
    """
    wanted = {area.upper() for area in areas}
    found = [one for one in coverage() if not wanted or one.clause.partition("-")[0] in wanted]
    if not found:
        raise UsageError(f"no clause is in area {', '.join(areas)}")
    missing = [one.clause for one in found if one.missing]
    if as_json:
        print(json.dumps([{**asdict(one), "missing": one.missing} for one in found], indent=2))
    else:
        _print_coverage(found)
        for clause in missing:
            print(f"{clause} has neither a case nor an exclusion")
    return 1 if missing else 0


def _print_coverage(found: Sequence[Coverage]) -> None:
    table = Table(box=None, pad_edge=False)
    table.add_column("clause")
    table.add_column("level")
    for role in ROLES:
        table.add_column(role, justify="right")
    table.add_column("not judged, for", overflow="fold")
    for one in found:
        counts = (str(len(one.cases[role]) or "-") for role in ROLES)
        table.add_row(one.clause, one.level, *counts, one.exclusion or "")
    _console().print(table)
    covered = sum(bool(one.total) for one in found)
    excluded = sum(one.exclusion is not None for one in found)
    print(f"{len(found)} clauses: {covered} with cases, {excluded} excluded")


def print_versions(*, as_json: bool) -> int:
    """Print the versions of the package, the protocol, the suite's cases and Python."""
    found: dict[str, Any] = {
        "package": package_version(),
        "protocol": [_specdata.PROTOCOL_VERSION],
        "cases": len(load_cases()),
        "clauses": len(_specdata.clauses()),
        "python": platform.python_version(),
    }
    if as_json:
        print(json.dumps(found, indent=2))
        return 0
    for name, value in found.items():
        shown = ", ".join(map(str, value)) if isinstance(value, list) else value
        print(f"{name:<9} {shown}")
    return 0


def package_version() -> str:
    """The version of the installed distribution."""
    try:
        return version(_DISTRIBUTION)
    except PackageNotFoundError:
        return "unknown"


def case_summary(case: Case) -> dict[str, Any]:
    """A case as JSON, without its steps."""
    return {key: getattr(case, key) for key in _CASE_KEYS}


def _console() -> Console:
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=240)
