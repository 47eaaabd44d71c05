"""The terminal: progress where there is one, nothing but text elsewhere, and what to do next."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING

import pytest
from rich.console import Console

from iptc_conformance.driving.under_way import under_way, watching
from iptc_conformance.reporting.baseline import Baseline
from iptc_conformance.reporting.console import print_report
from iptc_conformance.reporting.progress import Watcher
from tests.reports.reports_support import (
    HOSTILE,
    baseline_of,
    case_of,
    every_verdict,
    result_of,
    summary_of,
    talk,
)

if TYPE_CHECKING:
    from iptc_conformance.driving.result import Result


def watched(
    results: list[Result], *, terminal: bool, width: int = 80, baseline: Baseline | None = None
) -> str:
    """What is written while these cases end."""
    written = io.StringIO()
    console = Console(file=written, force_terminal=terminal, width=width, color_system=None)
    with Watcher(console, len(results) + 1, baseline or Baseline()) as watcher, under_way("str-slow"):
        for result in results:
            watcher.saw(result)
        watcher.refresh()
    return re.sub(r"\x1b\[[0-9?]*[a-zA-Z]", "", written.getvalue())


def test_a_bar_with_counts_and_the_case_that_runs() -> None:
    results = [
        result_of(case_of("one"), "fail"),
        result_of(case_of("two"), "fail"),
        result_of(case_of("three"), "pass"),
    ]
    text = watched(results, terminal=True, baseline=baseline_of(two="fail"))
    (frame,) = {
        frame.strip() for frame in re.split(r"[\r\n]", text) if "3/4" in frame and "str-slow" in frame
    }
    assert "1 new, 1 known" in frame


@pytest.mark.parametrize("width", [20, 40, 79])
def test_the_bar_keeps_to_the_width(width: int) -> None:
    text = watched(every_verdict(), terminal=True, width=width)
    assert max(len(frame) for frame in re.split(r"[\r\n]", text)) <= width


def test_nothing_moves_where_there_is_no_terminal() -> None:
    assert watched(every_verdict(), terminal=False) == ""


def test_who_runs_longest_is_known_only_while_it_runs() -> None:
    with watching() as running:
        with under_way("one"), under_way("two"):
            assert list(running) == ["one", "two"]
        assert list(running) == []
    with under_way("unwatched"):
        assert list(running) == []


def printed(results: list[Result], baseline: Baseline | None = None) -> list[str]:
    """The lines of the report, in a file."""
    written = io.StringIO()
    summary = summary_of(results, baseline)
    console = Console(file=written, highlight=False, width=160, soft_wrap=True)
    print_report(console, summary, baseline or Baseline(), "iptc conform --only {}".format)
    return written.getvalue().splitlines()


def test_the_report_ends_with_what_to_do_next() -> None:
    lines = printed([result_of(case_of("one"), "fail", talk()), result_of(case_of("two"), "pass")])
    fix, again, otherwise, last = lines[-4:]
    assert fix.startswith("fix first STR-03s: A side closes its half at most once")
    assert again == "try again iptc conform --only one"
    assert "--write-baseline FILE" in otherwise
    assert last == "findings: 2 cases: 1 pass, 1 fail; 1 new, 0 known, 0 stale"


def test_new_failures_stand_apart_from_known_ones() -> None:
    baseline = baseline_of(old="fail")
    lines = printed([result_of(case_of("old"), "fail"), result_of(case_of("fresh"), "crash")], baseline)
    known = lines.index("known, as the baseline says")
    assert any(line.startswith("crash  fresh") for line in lines[:known])
    assert not any("old" in line for line in lines[:known])
    assert any("Known reason of old." in line for line in lines[known:])


def test_nothing_is_to_be_done_where_all_is_as_expected() -> None:
    assert not [
        line
        for line in printed([result_of(case_of("one"), "pass")])
        if line.startswith(("fix", "take", "or "))
    ]


def test_what_a_peer_sends_does_not_reach_the_terminal_as_control() -> None:
    text = "\n".join(printed([result_of(case_of("one"), "fail", detail=HOSTILE, conversation=(HOSTILE,))]))
    assert "\x1b" not in text
    assert "\\x1b[31m" in text
