"""The report for people: failures first, each with what happened, what it breaks and how to see it again."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from rich.console import Group
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from iptc_conformance.driving.result import VERDICTS, Result
from iptc_conformance.reporting.grouping import what_to_fix
from iptc_conformance.reporting.words import clean, counted, level, sentence

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import Console

    from iptc_conformance.reporting.baseline import Baseline
    from iptc_conformance.reporting.summary import Summary

_COLOURS = {
    "pass": "green",
    "fail": "red",
    "crash": "bold red",
    "hang": "bold red",
    "warn": "yellow",
    "untestable": "red",
}
_TALK_LINES = 14


def styled(verdict: str) -> Text:
    """A verdict in its colour."""
    return Text(verdict, style=_COLOURS.get(verdict, "magenta"))


def print_report(console: Console, summary: Summary, baseline: Baseline, rerun: Callable[[str], str]) -> None:
    """Print the whole report. `rerun` gives the command line that runs one case again."""
    for result in summary.new:
        console.print(finding(result, rerun))
    _print_stale(console, summary)
    _print_known(console, summary, baseline)
    _print_warnings(console, summary)
    _print_missing(console, summary)
    console.print(_areas(summary))
    console.print(_clauses(summary))
    for line in _next_steps(summary, baseline, rerun):
        console.print(line)
    console.print(_last_line(summary))


def finding(result: Result, rerun: Callable[[str], str]) -> Group:
    """One case that did not pass: what happened, what it breaks, how to see it again, what was said."""
    head = Text.assemble(styled(result.verdict), "  ", (result.case.id, "bold"), f"  {result.case.title}")
    parts: list[Text] = [Text(line) for line in clean(result.detail).splitlines()]
    parts.extend(
        Text.assemble((f"{clause} ", "bold"), f"({level(clause)}) ", sentence(clause))
        for clause in result.failed or result.warned
    )
    if result.verdict != "harness-fault":
        parts.append(Text.assemble(("usually: ", "bold"), result.case.hint))
    if result.case.twin:
        parts.append(Text.assemble(("twin:    ", "bold"), result.case.twin))
    parts.append(Text.assemble(("again:   ", "bold"), rerun(result.case.id)))
    talk = result.conversation[-_TALK_LINES:]
    if len(result.conversation) > _TALK_LINES:
        talk = ("  …", *talk)
    parts.extend(Text(clean(line), style="dim", no_wrap=True, overflow="ellipsis") for line in talk)
    return Group(head, Padding(Group(*parts), (0, 0, 1, 6)))


def _print_stale(console: Console, summary: Summary) -> None:
    for case in summary.stale:
        console.print(
            Text.assemble(
                ("stale", "bold red"), f"  {case}  the baseline expects otherwise: remove its entry"
            )
        )


def _print_known(console: Console, summary: Summary, baseline: Baseline) -> None:
    if not summary.known:
        return
    table = Table(title="known, as the baseline says", title_justify="left", box=None, pad_edge=False)
    for column in ("verdict", "case", "ref", "reason"):
        table.add_column(column, overflow="fold")
    for result in summary.known:
        entry = baseline.entries[result.case.id]
        table.add_row(styled(result.verdict), result.case.id, " ".join(entry.refs), entry.reason)
    console.print(table, "")


def _print_warnings(console: Console, summary: Summary) -> None:
    shown = {result.case.id for result in (*summary.new, *summary.known)}
    for result in summary.results:
        if result.verdict == "warn" and result.case.id not in shown:
            console.print(
                Text.assemble(styled("warn"), "  ", (result.case.id, "bold"), f"  {clean(result.detail)}")
            )


def _print_missing(console: Console, summary: Summary) -> None:
    if not summary.missing:
        return
    count = sum(result.verdict == "unsupported" for result in summary.results)
    console.print(Text(f"{count} cases are unsupported, for the testee does not serve:", style="magenta"))
    for func, answer in summary.missing.items():
        console.print(Text(clean(f"      {func}: {answer}")))


def _areas(summary: Summary) -> Table:
    counts: dict[str, Counter[str]] = {}
    for result in summary.results:
        counts.setdefault(result.case.area, Counter())[result.verdict] += 1
    given = [verdict for verdict in VERDICTS if verdict in summary.verdicts]
    table = Table(title="cases by area", title_justify="left", box=None, pad_edge=False)
    table.add_column("area")
    for verdict in given:
        table.add_column(styled(verdict), justify="right")
    for area, count in counts.items():
        table.add_row(area, *(str(count[verdict] or "") for verdict in given))
    return table


def _clauses(summary: Summary) -> Group:
    by_word: dict[str, list[str]] = {}
    for clause, word in summary.clauses.items():
        by_word.setdefault(word, []).append(clause)
    lines = [Text("clauses", style="italic")]
    lines.extend(
        Text.assemble(styled(word), f" {len(by_word[word])}: {' '.join(by_word[word])}")
        for word in ("fail", "warn", "not-observed", "pass")
        if word in by_word
    )
    return Group(*lines)


def _last_line(summary: Summary) -> Text:
    words = {
        0: ("as expected", "bold green"),
        1: ("findings", "bold red"),
        2: ("nothing judged", "bold magenta"),
        3: ("fault of the harness", "bold magenta"),
    }
    counts = ", ".join(f"{count} {verdict}" for verdict, count in summary.verdicts.items())
    news = f"; {len(summary.new)} new, {len(summary.known)} known, {len(summary.stale)} stale"
    if summary.deaths:
        news += f"; it died {summary.deaths} times under several cases at once, under none alone"
    return Text.assemble(
        words[summary.exit_code], f": {len(summary.results)} cases: {counts or 'none'}{news}"
    )


def _next_steps(summary: Summary, baseline: Baseline, rerun: Callable[[str], str]) -> list[Text]:
    """What to do next: one line each, the most urgent first."""
    steps: list[tuple[str, str]] = []
    new = [group for group in what_to_fix(summary, baseline) if group.new]
    if new:
        clause = f"{new[0].clause}: " if new[0].clause else ""
        steps.append(("fix first", f"{clause}{new[0].text} ({counted(len(new[0].new), 'new case')})"))
        steps.append(("try again", rerun(new[0].first.case.id)))
    if summary.stale:
        what = counted(len(summary.stale), "entry", "entries")
        steps.append(("take out", f"{what} of the baseline, or write it anew with --write-baseline"))
    if new and not baseline.entries:
        steps.append(("or", "accept what was seen for now: --write-baseline FILE, then --expect FILE"))
    return [Text.assemble((f"{word:<10}", "bold"), clean(text)) for word, text in steps]
