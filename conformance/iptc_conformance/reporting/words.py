"""The words of the reports: safe text, names of areas, sentences about a run."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from iptc_conformance import _specdata

if TYPE_CHECKING:
    from iptc_conformance.reporting.summary import Summary

AREAS = {
    "FRM": "Framing",
    "ENC": "Encoding",
    "HSK": "Hello",
    "CID": "Call ids",
    "OPN": "Opening",
    "CTX": "Contexts",
    "STR": "Streams",
    "TRM": "Terminals",
    "CXL": "Cancel",
    "ERR": "Errors",
    "FLW": "Flow",
    "DSC": "Disconnect",
    "RUN": "Runtime namespace",
    "ROB": "Robustness",
    "EXT": "Extension",
}
LETTERS = {
    "pass": "P",
    "fail": "F",
    "crash": "C",
    "hang": "H",
    "warn": "W",
    "unsupported": "U",
    "untestable": "T",
    "not-applicable": "N",
    "not-observed": "O",
    "harness-fault": "S",
}
"""One letter for each verdict, so that none is told by colour alone."""

# Controls but tab and newline, surrogates, non-characters, and what turns the direction of text around it.
_UNSAFE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]"
)


def clean(text: str) -> str:
    r"""Text of a peer with every unsafe character as its escape (`\x1b`), so that it can stand anywhere."""
    return _UNSAFE.sub(lambda found: ascii(found.group())[1:-1], text)


def shortened(text: str, limit: int) -> str:
    """At most `limit` characters, with a note of how many are left out."""
    return text if len(text) <= limit else f"{text[:limit]} … ({len(text) - limit} more characters)"


def area_name(area: str) -> str:
    """An area in words; its code where it has none."""
    return AREAS.get(area, area)


def sentence(clause: str) -> str:
    """A clause's sentence; empty for what is none."""
    return str(_specdata.clauses().get(clause, {}).get("text", ""))


def level(clause: str) -> str:
    """A clause's level; empty for what is none."""
    return str(_specdata.clauses().get(clause, {}).get("level", ""))


def counted(number: int, one: str, many: str | None = None) -> str:
    """A number with its noun: 1 case, 2 cases."""
    return f"{number} {one if number == 1 else many or one + 's'}"


def outcome(summary: Summary) -> str:
    """The whole run in one plain sentence."""
    total = len(summary.results)
    passed = summary.verdicts.get("pass", 0)
    faults = summary.verdicts.get("harness-fault", 0)
    if summary.exit_code == 3:
        return f"A fault of the suite itself in {counted(faults, 'case')}: please report it."
    if summary.exit_code == 2:
        return "Nothing was judged: no case could ask this peer anything."
    if summary.exit_code == 1:
        return f"{_news(summary)}. {passed} of {counted(total, 'case')} passed{_also_known(summary)}."
    if summary.known:
        known = counted(len(summary.known), "known failure")
        return f"Nothing new: {known}, as the baseline says. {passed} of {counted(total, 'case')} passed."
    if passed == total:
        return f"Nothing to fix: {'the one case' if total == 1 else f'all {total} cases'} passed."
    return f"Nothing that counts: {passed} of {counted(total, 'case')} passed, none broke a MUST."


def _news(summary: Summary) -> str:
    parts = []
    if summary.new:
        parts.append(counted(len(summary.new), "new failure"))
    if summary.stale:
        parts.append(f"{counted(len(summary.stale), 'entry', 'entries')} of the baseline out of date")
    if summary.deaths and not summary.known:
        parts.append(f"died {counted(summary.deaths, 'time')} under several cases at once")
    return ", ".join(parts)


def _also_known(summary: Summary) -> str:
    return f"; {counted(len(summary.known), 'known failure')} besides" if summary.known else ""
