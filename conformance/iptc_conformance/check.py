"""`iptc check TRACE`: judge a recorded trace, and say what was violated, by whom and where."""

from __future__ import annotations

import json
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from rich.console import Console
from rich.text import Text

from iptc_conformance import _specdata, trace
from iptc_conformance.judge import Finding, Note, Report, judge

if TYPE_CHECKING:
    from collections.abc import Iterable

EXIT_KEPT = 0
EXIT_FINDINGS = 1
EXIT_UNREADABLE = 2
EXIT_INTERNAL = 3
_STYLES = {"MUST": "bold red", "SHOULD": "yellow", "MAY": "dim"}


def shown(text: str) -> str:
    """Return text with everything that a terminal might obey written as an escape."""
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in text)


def exit_code(report: Report, *, strict: bool) -> int:
    """Return 0 where nothing was violated, 1 for findings, 2 where no frame was judged.

    A SHOULD counts as a finding only if `strict`.
    """
    if report.verdict == "nothing-judged":
        return EXIT_UNREADABLE
    if report.verdict == "fail" or (strict and report.verdict == "warn"):
        return EXIT_FINDINGS
    return EXIT_KEPT


def _place(finding: Finding) -> str:
    """Return where a finding stands: seq, connection, side and call."""
    call = "" if finding.cid is None else f"  call {shown(finding.cid)}"
    return f"seq {finding.seq}  conn {shown(finding.conn)}  {finding.side}{call}"


def print_finding(console: Console, finding: Finding) -> None:
    """Print a finding and the sentence of its clause, two lines."""
    style = _STYLES[finding.level]
    console.print(
        Text.assemble(
            (_place(finding), "bold"),
            "  ",
            (f"{finding.clause} {finding.level}", style),
            f"  {shown(finding.detail)}",
        )
    )
    console.print(Text(f"    {_specdata.clause_text(finding.clause)}  reaction {finding.reaction}", "dim"))


def _print_note(console: Console, note: Note) -> None:
    where = "" if note.seq is None else f"  seq {note.seq}"
    side = "" if note.side is None else f"  {note.side}"
    call = "" if note.cid is None else f"  call {shown(note.cid)}"
    console.print(Text(f"note{where}  conn {shown(note.conn)}{side}{call}  {shown(note.text)}", "dim"))


def clause_counts(report: Report) -> str:
    """Return how many clauses were kept, broken and not observed."""
    statuses: list[str] = list(report.clauses.values())
    return ", ".join(f"{statuses.count(status)} {status}" for status in ("pass", "fail", "not-observed"))


def plain_console(out: TextIO) -> Console:
    """Return a console that wraps nothing and takes no text for markup."""
    return Console(file=out, soft_wrap=True, highlight=False, markup=False, emoji=False)


def _summary(report: Report) -> str:
    findings = "1 finding" if len(report.findings) == 1 else f"{len(report.findings)} findings"
    counts = f"of {len(report.clauses)} clauses {clause_counts(report)}"
    return f"{report.verdict}: {findings} in {report.judged} frames; {counts}"


def print_report(report: Report, out: TextIO) -> None:
    """Write a report for people: each finding with its clause's sentence, then notes and a summary."""
    console = plain_console(out)
    for finding in report.findings:
        print_finding(console, finding)
    for note in report.notes:
        _print_note(console, note)
    console.print(Text(_summary(report)))


def _judge_lines(lines: Iterable[bytes]) -> Report:
    return judge(trace.read(lines))


def _read(path: str) -> Report:
    """Judge the trace in a file, or from the standard input for `-`. Raises OSError and TraceError."""
    if path == "-":
        return _judge_lines(sys.stdin.buffer)
    with Path(path).open("rb") as lines:
        return _judge_lines(lines)


def _complain(path: str, reason: str) -> int:
    print(f"iptc check: {shown(path)}: {shown(reason)}", file=sys.stderr)
    return EXIT_UNREADABLE


def _check(path: str, *, as_json: bool, strict: bool) -> int:
    try:
        report = _read(path)
    except trace.TraceError as error:
        return _complain(path, str(error))
    except (OSError, ValueError) as error:  # ValueError: a path with a NUL
        return _complain(path, getattr(error, "strerror", None) or str(error))
    code = exit_code(report, strict=strict)
    if as_json:
        print(json.dumps({**report.as_json(), "exit": code}, indent=2))
    elif code != EXIT_UNREADABLE:
        print_report(report, sys.stdout)
    if code == EXIT_UNREADABLE:
        return _complain(path, "no frame was judged: the trace holds no whole frame")
    return code


def run(path: str, *, as_json: bool, strict: bool) -> int:
    """Check a trace file (`-`: the standard input), print the verdict, and return the exit code.

    0: nothing violated. 1: findings (a SHOULD alone only if `strict`). 2: not readable, or no frame judged.
    3: a fault of the judge itself.
    """
    try:
        return _check(path, as_json=as_json, strict=strict)
    except Exception:  # noqa: BLE001  (the last line of defence: a fault of ours is no verdict on a peer)
        traceback.print_exc()
        return EXIT_INTERNAL
