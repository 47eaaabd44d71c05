"""The derived block of `PROTOCOL.md` that says who can reach a cell, from the model's `reachability.json`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tools.generation.markdown import table

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

SHORT = {
    "caller": "c",
    "callee": "e",
    "observer": "o",
    "sender": "s",
    "receiver": "r",
    "violator": "*",
    "unreachable": "-",
}


def blocks(spec: Path) -> dict[str, str]:
    """Derive the blocks `reachability-…`: one table for each sender of a call, and one for a half."""
    found: Any = json.loads((spec / "model" / "reachability.json").read_text(encoding="utf-8"))
    return {
        "reachability-caller": _matrix({state: row["caller"] for state, row in found["call"].items()}),
        "reachability-callee": _matrix({state: row["callee"] for state, row in found["call"].items()}),
        "reachability-half": _matrix(found["half"]),
    }


def _matrix(rows: Mapping[str, Mapping[str, str]]) -> str:
    events = next(iter(rows.values()))
    return table(["State", *events], ([*_line(state, row)] for state, row in rows.items()))


def _line(state: str, row: Mapping[str, str]) -> Iterator[str]:
    yield f"`{state}`"
    for who in row.values():
        yield " ".join(SHORT[word] for word in who.split())
