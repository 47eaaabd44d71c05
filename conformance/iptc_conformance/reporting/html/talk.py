"""Conversations as data for the page: floods folded, bytes cut, and all of them within one budget.

A conversation is a list of rows. A message is
`{"s": seq, "c": connection, "d": 0 from the suite or 1 from the testee, "k": kind, "i": cid, "v": value,
"n": bytes in all, "b": the first of them in base64, "f": findings}`; `{"fold": n, "k": kind, …}` stands for n
messages like the one before it, `{"cut": n}` for n lines of any kind, `{"x": text, "cl": clause, "at": seq}`
for the place where the case failed.
"""

from __future__ import annotations

import base64
from collections import defaultdict
from dataclasses import dataclass, field
from itertools import groupby
from typing import TYPE_CHECKING, Any

from iptc_conformance.driving.conversation import EOF, FAILED, Line
from iptc_conformance.reporting.words import clean, shortened

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from iptc_conformance.driving.result import Result
    from iptc_conformance.judge import Finding

_RUN = 6
"""A run of more messages of one kind is folded: its first ones and its last stay."""
_RUN_HEAD = 3
_ROWS_HEAD = 60
_ROWS_TAIL = 60
_VALUE_CHARS = 200
_TEXT_CHARS = 600
_SPARE_BYTES = 64
"""Bytes of a frame that are kept once half the budget is spent."""


@dataclass(slots=True)
class Budget:
    """How many characters the conversations of a whole page may still take."""

    left: int
    whole: int = field(init=False)

    def __post_init__(self) -> None:
        self.whole = self.left

    @property
    def tight(self) -> bool:
        """Whether half of it is spent."""
        return self.left * 2 < self.whole

    def take(self, size: int) -> bool:
        """Spend some; False if it does not suffice."""
        if size > self.left:
            return False
        self.left -= size
        return True


def rows_of(result: Result, budget: Budget) -> list[dict[str, Any]]:
    """The conversation of a case; `[{"cut": n}]` alone where the budget does not suffice."""
    flagged = _by_seq(result.findings)
    bytes_kept = _SPARE_BYTES if budget.tight else None
    shown = list(_folded(result.lines, flagged))
    rows = [_row(entry, flagged, bytes_kept) for entry in _cut(shown, result.left_out)]
    size = sum(_size(row) for row in rows)
    return rows if budget.take(size) else [{"cut": len(result.lines) + result.left_out, "full": True}]


def _by_seq(findings: Iterable[Finding]) -> dict[int, list[Finding]]:
    flagged: dict[int, list[Finding]] = defaultdict(list)
    for finding in findings:
        flagged[finding.seq].append(finding)
    return flagged


def _folded(lines: Sequence[Line], flagged: dict[int, list[Finding]]) -> Iterator[Line | dict[str, Any]]:
    wrong = {line.at for line in lines if line.at is not None}

    def alike(line: Line) -> tuple[object, ...]:
        special = line.seq in flagged or line.seq in wrong or line.kind in {FAILED, EOF}
        return line.conn, line.sender, line.kind, line.cid, (line.seq, line.kind) if special else None

    for _, group in groupby(lines, alike):
        run = list(group)
        if len(run) <= _RUN:
            yield from run
            continue
        yield from run[:_RUN_HEAD]
        first = run[0]
        between = len(run) - _RUN_HEAD - 1
        yield {"fold": between, "k": first.kind, "c": first.conn, "d": _direction(first), "i": first.cid}
        yield run[-1]


def _cut(rows: list[Line | dict[str, Any]], missing: int) -> Iterator[Line | dict[str, Any]]:
    """The first and the last rows. `missing` lines were not even kept, about where the middle is."""
    if len(rows) <= _ROWS_HEAD + _ROWS_TAIL and not missing:
        yield from rows
        return
    dropped = rows[_ROWS_HEAD:-_ROWS_TAIL] if len(rows) > _ROWS_HEAD + _ROWS_TAIL else []
    count = missing + sum(row["fold"] if isinstance(row, dict) else 1 for row in dropped)
    head = rows[:_ROWS_HEAD]
    yield from head
    yield {"cut": count}
    yield from rows[len(head) + len(dropped) :]


def _row(
    entry: Line | dict[str, Any], flagged: dict[int, list[Finding]], bytes_kept: int | None
) -> dict[str, Any]:
    if isinstance(entry, dict):
        return {key: clean(value) if isinstance(value, str) else value for key, value in entry.items()}
    if entry.kind == FAILED:
        failure = {"x": shortened(clean(entry.text), _TEXT_CHARS), "cl": entry.clause, "at": entry.at}
        return {key: value for key, value in failure.items() if value is not None}
    row: dict[str, Any] = {"s": entry.seq, "c": clean(entry.conn), "d": _direction(entry), "k": entry.kind}
    if entry.cid is not None:
        row["i"] = clean(entry.cid)
    if entry.value or entry.kind == "note":
        row["v"] = shortened(clean(entry.value or entry.text), _VALUE_CHARS)
    if entry.size:
        row["n"] = entry.size
        row["b"] = base64.b64encode(entry.head[:bytes_kept]).decode("ascii")
    if entry.seq in flagged:
        row["f"] = [_flag(finding) for finding in flagged[entry.seq]]
    return row


def _direction(line: Line) -> int:
    """0 for what the initiator says, 1 for the acceptor; the page knows which of them is the suite."""
    return int(line.sender != "initiator")


def _flag(finding: Finding) -> dict[str, Any]:
    return {
        "cl": finding.clause,
        "l": finding.level,
        "d": int(finding.side != "initiator"),
        "t": shortened(clean(finding.detail), _TEXT_CHARS),
    }


def _size(row: dict[str, Any]) -> int:
    """About how long a row is when it is written."""
    texts = sum(len(value) for value in row.values() if isinstance(value, str))
    return 40 + texts + sum(80 + len(flag["t"]) for flag in row.get("f", ()))
