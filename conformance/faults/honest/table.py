"""The life of a call as `call.json` has it."""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple

from iptc_conformance import _specdata

ACKS = {"asyncfunc": "ACK_ASYNCFUNC", "asyncgen": "ACK_ASYNCGEN", "context": "ACK_CONTEXT"}
WORDS = {
    "STARTED": "started",
    "ITEM": "yield",
    "END": "stop",
    "RESULT": "return",
    "FAIL": "error",
    "OVERRUN": "error",
    **dict.fromkeys(ACKS.values(), "functype"),
}


class Cell(NamedTuple):
    """What a message means in a state: a legal move, or a violation with its reaction, or neither: a race."""

    legal: bool
    next: str
    reaction: str | None = None
    clause: str | None = None


@cache
def cell(state: str, sender: str, event: str) -> Cell:
    """Return one cell of the table."""
    raw: dict[str, Any] = _specdata.call_table()["cells"][state][sender][event]
    following = raw.get("next", "failed" if raw.get("reaction") == "fail-call" else state)
    return Cell("keeps" in raw, following, raw.get("reaction"), raw.get("violates"))


@cache
def live(state: str) -> bool:
    """Whether a call in this state has a terminal to come."""
    alive: bool = _specdata.call_table()["states"][state]["live"]
    return alive
