"""Baselines: the verdicts that are expected of one implementation, so that only what changes is news."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from iptc_conformance.cases.load import first_schema_error, schema_validator
from iptc_conformance.reporting.words import clean

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from iptc_conformance.driving.result import Result

_KEPT = frozenset({"pass", "harness-fault", "untestable"})
"""Verdicts that no baseline can expect: what was not asked is not known."""
_DETAIL_CHARS = 160


class BaselineError(Exception):
    """A baseline file can't be read, or is not as its schema says."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What is expected of one case, and why."""

    verdicts: tuple[str, ...]
    reason: str
    refs: tuple[str, ...] = ()
    detail: str | None = None

    def covers(self, result: Result) -> bool:
        """Whether the result is as expected."""
        return result.verdict in self.verdicts and (self.detail is None or self.detail in result.detail)


@dataclass(frozen=True, slots=True)
class Baseline:
    """The expectations of one peer; a case that is not listed is expected to pass."""

    peer: str = ""
    entries: dict[str, Entry] = field(default_factory=dict)
    document: dict[str, Any] = field(default_factory=dict)


def read_baseline(path: Path) -> Baseline:
    """Read and check a file.  Raises BaselineError."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BaselineError(f"{path}: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise BaselineError(f"{path}: not JSON: {error}") from error
    complaint = first_schema_error(schema_validator("baseline.schema.json"), document)
    if complaint is not None:
        raise BaselineError(f"{path}: {complaint}")
    entries = {case: _entry(entry) for case, entry in document["cases"].items()}
    return Baseline(document["peer"], entries, document)


def write_baseline(path: Path, results: Iterable[Result], old: Baseline, peer: str) -> int:
    """Write what was seen as what is expected; the number of entries.

    Reasons, references and details of `old` are kept as long as the verdict is still among those expected.
    Cases that did not run keep their entry.
    """
    cases: dict[str, Any] = dict(old.document.get("cases", {}))
    for result in results:
        known = old.entries.get(result.case.id)
        if known is not None and known.covers(result):
            continue
        cases.pop(result.case.id, None)
        if result.verdict not in _KEPT:
            cases[result.case.id] = _written(result, old)
    document = {
        **({"about": old.document["about"]} if "about" in old.document else {}),
        "version": 1,
        "peer": old.peer or peer,
        "cases": dict(sorted(cases.items())),
    }
    path.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return len(cases)


def _written(result: Result, old: Baseline) -> dict[str, Any]:
    known = old.entries.get(result.case.id)
    if known is not None:
        kept: dict[str, Any] = dict(old.document["cases"][result.case.id])
        if not known.covers(result):
            kept["verdict"] = result.verdict
            kept.pop("detail", None)
        return kept
    return {"verdict": result.verdict, "reason": f"not explained yet: {_short(result.detail)}"}


def _short(detail: str) -> str:
    line = clean(" ".join(detail.split()))
    return line if len(line) <= _DETAIL_CHARS else line[: _DETAIL_CHARS - 1] + "…"


def _entry(entry: dict[str, Any]) -> Entry:
    verdict, ref = entry["verdict"], entry.get("ref", [])
    return Entry(
        verdicts=(verdict,) if isinstance(verdict, str) else tuple(verdict),
        reason=entry["reason"],
        refs=(ref,) if isinstance(ref, str) else tuple(ref),
        detail=entry.get("detail"),
    )
