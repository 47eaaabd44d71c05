"""One run of any role: its options, its progress, its report, its baseline, its exit code."""

from __future__ import annotations

import shlex
import signal
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Protocol

import trio
from rich.console import Console

from iptc_conformance.cli.errors import EXIT_INTERRUPTED, UsageError
from iptc_conformance.cli.writing import Reports
from iptc_conformance.driving.process import NothingJudgedError
from iptc_conformance.reporting.baseline import Baseline, BaselineError, read_baseline, write_baseline
from iptc_conformance.reporting.console import print_report
from iptc_conformance.reporting.jsonl import JsonLines
from iptc_conformance.reporting.progress import Watcher
from iptc_conformance.reporting.summary import EXIT_FINDINGS, Summary, select, summarize
from iptc_conformance.reporting.words import clean

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from iptc_conformance.cases import Case
    from iptc_conformance.driving.result import Result

_PLAIN_WIDTH = 160


class Options(Protocol):
    """What the command line says about a run (`cli.app.ConformOptions`)."""

    @property
    def namespace(self) -> str:
        """Where the fixture functions are."""

    @property
    def only(self) -> tuple[str, ...]:
        """Globs of case ids."""

    @property
    def area(self) -> tuple[str, ...]:
        """Areas."""

    @property
    def cases(self) -> tuple[Path, ...]:
        """Files to take the cases from, instead of the suite's own."""

    @property
    def timeout(self) -> float:
        """Seconds for each expectation."""

    @property
    def strict(self) -> bool:
        """Whether a SHOULD counts."""

    @property
    def jsonl(self) -> Path | None:
        """Where the results go as JSON Lines."""

    @property
    def html(self) -> Path | None:
        """Where the page goes."""

    @property
    def junit(self) -> Path | None:
        """Where the JUnit XML goes."""

    @property
    def peer(self) -> str | None:
        """What the page calls the implementation."""

    @property
    def expect(self) -> Path | None:
        """The baseline."""

    @property
    def write_baseline(self) -> Path | None:
        """Where to write a baseline."""


class Suite(Protocol):
    """What the suite of each role offers."""

    @property
    def results(self) -> list[Result]:
        """One for each case that has ended."""

    @property
    def missing(self) -> dict[str, str]:
        """Functions of the fixture that are not served, and what was answered instead."""

    @property
    def deaths(self) -> int:
        """How often the testee died under several cases at once, and under none of them alone."""

    async def run(self) -> object:
        """Run every case and report each as it ends."""


def chosen(everything: Sequence[Case], options: Options) -> list[Case]:
    """The cases that the options choose.  Raises UsageError."""
    if not options.timeout > 0:
        raise UsageError("--timeout must be above 0")
    cases = select(everything, options.only, options.area)
    if not cases:
        raise UsageError("no case fits --only and --area; `iptc list` shows them all")
    return cases


def judge(
    suite_of: Callable[[Callable[[Result], None]], Suite],
    options: Options,
    rerun: Rerun,
    *,
    count: int,
    whole: bool,
) -> int:
    """Run the suite that `suite_of` makes and report it; the exit code.

    `count`: how many cases it has. `whole`: these are all there are. Raises UsageError.
    """
    expected = _read(options.expect)
    old = _old_baseline(options.write_baseline, expected)
    with Reports(options) as reports:
        summary, unwritten = _run(suite_of, options, expected, count=count, whole=whole)
        print_report(report_console(), summary, expected, rerun.line)
        reports.write(summary, expected, rerun)
    if unwritten is not None:
        raise UsageError(f"{options.jsonl}: {unwritten.strerror}")
    if options.write_baseline is None:
        return summary.exit_code
    try:
        written = write_baseline(options.write_baseline, summary.results, old, "unnamed")
    except OSError as error:
        raise UsageError(f"{options.write_baseline}: {error.strerror}") from error
    print(f"{options.write_baseline}: {written} entries")
    return 0 if summary.exit_code == EXIT_FINDINGS else summary.exit_code


def report_console() -> Console:
    """A console that keeps to a terminal's width, and wraps nothing elsewhere."""
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=_PLAIN_WIDTH, soft_wrap=True)


class Rerun:
    """The command line that runs one case again, with a place for its id."""

    def __init__(self, start: str, namespace: str, tail: str) -> None:
        option = "" if namespace == "iptc_testee" else f" --namespace {shlex.quote(namespace)}"
        self._start, self._tail = start + option, tail

    @property
    def peer(self) -> str:
        """What is judged, for want of a better name: its command, its address, or the reference peer."""
        words = self._start.split()
        where = words[words.index("--attach") + 1] if "--attach" in words else "reference peer"
        return self._tail.removeprefix(" -- ") or where

    def line(self, case_id: str) -> str:
        """The whole line."""
        return f"{self._start} --only {case_id}{self._tail}"


def _run(
    suite_of: Callable[[Callable[[Result], None]], Suite],
    options: Options,
    expected: Baseline,
    *,
    count: int,
    whole: bool,
) -> tuple[Summary, OSError | None]:
    """The summary, and why the JSON Lines could not be written to their end, if so."""
    with ExitStack() as stack:
        lines = stack.enter_context(_jsonl(options.jsonl)) if options.jsonl is not None else None
        watcher = stack.enter_context(Watcher(Console(stderr=True), count, expected))

        def report(result: Result) -> None:
            watcher.saw(result)
            if lines is not None:
                lines.write(result.line())

        suite = suite_of(report)
        try:
            trio.run(_until_terminated, suite)
        except NothingJudgedError as error:
            raise UsageError(f"nothing judged: {clean(str(error))}") from error
        except BaseException:
            if lines is not None:  # whoever reads along learns that nothing more comes
                lines.write(_cut_short(_summary(suite, expected, options, whole=False).line()))
            raise
        summary = _summary(suite, expected, options, whole=whole)
        if lines is not None:
            lines.write(summary.line())
    return summary, None if lines is None else lines.failure


def _summary(suite: Suite, expected: Baseline, options: Options, *, whole: bool) -> Summary:
    return summarize(suite.results, expected, suite.missing, suite.deaths, whole=whole, strict=options.strict)


def _cut_short(line: dict[str, Any]) -> dict[str, Any]:
    return {"summary": {**line["summary"], "interrupted": True, "exit": EXIT_INTERRUPTED}}


async def _until_terminated(suite: Suite) -> None:
    """Run the suite; SIGTERM ends it as Ctrl-C does, so that no process of a testee stays behind."""
    terminated = False
    failure: NothingJudgedError | None = None

    async def watch(scope: trio.CancelScope) -> None:
        nonlocal terminated
        with trio.open_signal_receiver(signal.SIGTERM) as signals:
            async for _ in signals:
                terminated = True
                scope.cancel()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(watch, nursery.cancel_scope)
        try:
            await suite.run()
        except NothingJudgedError as error:  # kept out of the nursery, which would wrap it
            failure = error
        nursery.cancel_scope.cancel()
    if failure is not None:
        raise failure
    if terminated:
        raise KeyboardInterrupt


def _jsonl(path: Path) -> JsonLines:
    try:
        return JsonLines(path)
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}") from error


def _read(path: Path | None) -> Baseline:
    if path is None:
        return Baseline()
    try:
        return read_baseline(path)
    except BaselineError as error:
        raise UsageError(str(error)) from error


def _old_baseline(path: Path | None, expected: Baseline) -> Baseline:
    """Whose reasons a new baseline keeps: those of the file that it replaces, else of the one expected.

    A file without a byte (`mktemp`), a device or a pipe holds none.
    """
    if path is not None and path.is_file() and path.stat().st_size:
        return _read(path)
    return expected
