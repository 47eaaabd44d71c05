"""The vectors of the specification as cases of the codec role."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from iptc_conformance import _specdata
from iptc_conformance.cases.model import Case

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

PREFIX = "codec-"
"""What a vector's id begins with as a case."""

_ACCEPTING = {
    "encoding-forms": "ENC-10r",
    "nesting": "ENC-06r",
    "values": "ENC-11r",
}
"""By file: the clause that a legal frame of it holds a receiver to, besides FRM-06r."""
_ANY_LEGAL, _ANY_ORDER, _HELLO_EXTRA = "FRM-06r", "ENC-09r", "EXT-01r"
_ENVELOPE_HEAD = 10
"""Hex digits of a frame before the first key: the length, and the map's header of one byte."""
_CID_FIRST = "a3636964"
_HELLO_WORDS = 2
_LEGAL_HINT = "A decoder that is stricter than the specification, or that changes what it reads."
_ILLEGAL_HINT = "A decoder that takes whatever its msgpack library takes."


@dataclass(frozen=True, slots=True)
class Vector:
    """One frame, and what a receiver has to make of it."""

    case: Case
    phase: str
    parts: tuple[tuple[str, int], ...]
    """Hex, and how often it is repeated."""
    accept: Mapping[str, Any] | None
    """What it is, if it has to be accepted."""
    refuse: Mapping[str, Any] | None
    """How it has to be refused, if it is."""
    may_accept: bool
    """Whether it may be accepted although a receiver may refuse it as well."""

    @property
    def size(self) -> int:
        """Bytes of the frame, its header included."""
        return sum(len(hexed) // 2 * times for hexed, times in self.parts)

    def head(self, most: int) -> bytes:
        """The first bytes of the frame."""
        data = b""
        for hexed, times in self.parts:
            needed = max(0, most - len(data)) * 2 // len(hexed) + 1
            data += bytes.fromhex(hexed * min(times, needed))
        return data[:most]

    @property
    def hex(self) -> str:
        """The whole frame."""
        return "".join(hexed * times for hexed, times in self.parts)


@cache
def load_vectors() -> tuple[Vector, ...]:
    """Every vector of version 1, in the order of the files."""
    folder = _specdata.spec_root() / f"v{_specdata.PROTOCOL_VERSION}" / "vectors"
    return tuple(vector for path in sorted(folder.glob("*.json")) for vector in _read(path))


def _read(path: Path) -> Iterator[Vector]:
    for entry in json.loads(path.read_text(encoding="utf-8"))["vectors"]:
        yield Vector(
            case=_case(path.stem, entry),
            phase=entry["phase"],
            parts=tuple(_part(part) for part in entry.get("parts", [entry.get("frame")])),
            accept=entry.get("accept"),
            refuse=entry.get("refuse") or entry.get("accept_or"),
            may_accept="accept_or" in entry,
        )


def _part(part: str | Mapping[str, Any]) -> tuple[str, int]:
    return (part, 1) if isinstance(part, str) else (part["hex"], part["times"])


def _case(topic: str, entry: Mapping[str, Any]) -> Case:
    refused = entry.get("refuse") or entry.get("accept_or")
    clauses = (receiving(refused["clause"]),) if refused else _accepting(topic, entry)
    return Case(
        id=PREFIX + entry["id"],
        area=clauses[0].partition("-")[0],
        title=entry["title"],
        clauses=clauses,
        level=_specdata.clause_level(clauses[0]),
        role="codec",
        needs=(),
        steps=(),
        connections=(),
        hint=_ILLEGAL_HINT if refused else _LEGAL_HINT,
    )


def _accepting(topic: str, entry: Mapping[str, Any]) -> tuple[str, ...]:
    message = entry["accept"].get("message")
    if isinstance(message, list) and len(message) > _HELLO_WORDS:
        return _HELLO_EXTRA, _ANY_LEGAL
    if entry.get("frame", "").startswith(_CID_FIRST, _ENVELOPE_HEAD):
        return _ANY_ORDER, _ANY_LEGAL
    return (_ACCEPTING[topic], _ANY_LEGAL) if topic in _ACCEPTING else (_ANY_LEGAL,)


def receiving(clause: str) -> str:
    """The receiver's side of a clause that a sender breaks; the clause itself if it has none."""
    other = clause[:-1] + "r"
    return other if other in _specdata.clauses() else clause
