"""Where the specification's data lie, and its tables as plain Python values.

The judge walks these files as they are: it holds no second copy of any fact.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

_HERE = Path(__file__).resolve()
PROTOCOL_VERSION = 1


def _is_installed() -> bool:
    """Tell whether this file lies in an installed package, not in a checkout."""
    return any(part in {"site-packages", "dist-packages"} for part in _HERE.parts)


def _folder(packaged: str, checkout: Path) -> Path:
    """Find a data folder: the checkout's own, or the copy inside an installed package.

    An editable install may hold an old copy, so a checkout never looks at it.
    """
    inside = _HERE.parent / packaged
    found = inside if _is_installed() or not checkout.is_dir() else checkout
    if not found.is_dir():
        message = f"the data of the specification are missing: {found}"
        raise FileNotFoundError(message)
    return found


@cache
def spec_root() -> Path:
    """Return the folder that holds `schema/` and `v1/`. Raises FileNotFoundError."""
    return _folder("_spec", _HERE.parents[2] / "spec")


@cache
def cases_root() -> Path:
    """Return the folder that holds the cases, by version. Raises FileNotFoundError."""
    return _folder("_cases", _HERE.parents[1] / "cases")


@cache
def _load(name: str) -> Any:
    return json.loads((spec_root() / f"v{PROTOCOL_VERSION}" / name).read_text(encoding="utf-8"))


def call_table() -> dict[str, Any]:
    """Return `call.json`: the life of one call, state x sender x event."""
    table: dict[str, Any] = _load("call.json")
    return table


def connection_table() -> dict[str, Any]:
    """Return `connection.json`: the life of one half of a connection, state x event."""
    table: dict[str, Any] = _load("connection.json")
    return table


def limit(name: str) -> int:
    """Return the default of a limit, in the unit that `limits.json` names. Raises KeyError."""
    value: int = _load("limits.json")["limits"][name]["default"]
    return value


@cache
def clauses() -> dict[str, dict[str, Any]]:
    """Return every clause by its id, with `level`, `role` and `text` among its members."""
    return {clause["id"]: clause for clause in _load("clauses.json")["clauses"]}


def clause_level(clause: str) -> str:
    """Return MUST, SHOULD or MAY. Raises KeyError for an id that the specification lacks."""
    level: str = clauses()[clause]["level"]
    return level


def clause_text(clause: str) -> str:
    """Return the clause's one sentence. Raises KeyError for an id that the specification lacks."""
    text: str = clauses()[clause]["text"]
    return text
