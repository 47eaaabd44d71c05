"""`iptc conform`: the run, its report, its exit code."""

from __future__ import annotations

import shlex
import signal
import sys
from contextlib import ExitStack
from typing import TYPE_CHECKING, Protocol

import trio
from rich.console import Console

from iptc_conformance.cases import Case, load_cases
from iptc_conformance.cli.errors import UsageError
from iptc_conformance.driving.callee.suite import Suite
from iptc_conformance.driving.callee.testee import Attached, Command, Testee, TesteeError
from iptc_conformance.driving.session import Settings
from iptc_conformance.driving.streams import Address
from iptc_conformance.reporting.baseline import Baseline, BaselineError, read_baseline, write_baseline
from iptc_conformance.reporting.console import Watcher, print_report
from iptc_conformance.reporting.jsonl import JsonLines
from iptc_conformance.reporting.summary import EXIT_FINDINGS, Summary, select, summarize

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

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
    def timeout(self) -> float:
        """Seconds for each expectation."""

    @property
    def strict(self) -> bool:
        """Whether a SHOULD counts."""

    @property
    def jsonl(self) -> Path | None:
        """Where the results go as JSON Lines."""

    @property
    def expect(self) -> Path | None:
        """The baseline."""

    @property
    def write_baseline(self) -> Path | None:
        """Where to write a baseline."""


def reference_command() -> list[str]:
    """How the embedded reference peer is started."""
    return [sys.executable, "-m", "iptc_codec.peer.testee"]


def conform_attached(where: str, options: Options) -> int:
    """Judge a testee that is running.  Raises UsageError."""
    return _conform(Attached(address_of(where)), options, f"iptc conform callee --attach {where}", "")


def conform_command(command: Sequence[str], options: Options, rerun: str | None) -> int:
    """Judge a testee that the suite starts. `rerun`: how the user would start it again. Raises UsageError."""
    shown, tail = (rerun, "") if rerun else ("iptc conform callee", f" -- {shlex.join(command)}")
    return _conform(Command(command), options, shown, tail)


def address_of(text: str) -> Address:
    """Read HOST:PORT.  Raises UsageError."""
    host, colon, port = text.removeprefix("tcp://").rpartition(":")
    if not colon or not port.isascii() or not port.isdigit() or not 0 < int(port) < 65536:
        raise UsageError(f"{text!r} is no HOST:PORT")
    return Address(host.strip("[]") or "127.0.0.1", int(port))


def _conform(testee: Testee, options: Options, rerun: str, tail: str) -> int:
    if not options.timeout > 0:
        raise UsageError("--timeout must be above 0")
    everything = load_cases()
    cases = select(everything, options.only, options.area)
    if not cases:
        raise UsageError("no case fits --only and --area; `iptc list` shows them all")
    expected = _read(options.expect)
    old = _old_baseline(options.write_baseline, expected)
    summary = _run(testee, cases, options, expected, whole=len(cases) == len(everything))
    print_report(report_console(), summary, expected, _Rerun(rerun, options.namespace, tail).line)
    if options.write_baseline is None:
        return summary.exit_code
    try:
        count = write_baseline(options.write_baseline, summary.results, old, "unnamed")
    except OSError as error:
        raise UsageError(f"{options.write_baseline}: {error.strerror}") from error
    print(f"{options.write_baseline}: {count} entries")
    return 0 if summary.exit_code == EXIT_FINDINGS else summary.exit_code


def report_console() -> Console:
    """A console that keeps to a terminal's width, and wraps nothing elsewhere."""
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=_PLAIN_WIDTH, soft_wrap=True)


class _Rerun:
    """The command line that runs one case again, with a place for its id."""

    def __init__(self, start: str, namespace: str, tail: str) -> None:
        option = "" if namespace == "iptc_testee" else f" --namespace {shlex.quote(namespace)}"
        self._start, self._tail = start + option, tail

    def line(self, case_id: str) -> str:
        """The whole line."""
        return f"{self._start} --only {case_id}{self._tail}"


def _run(testee: Testee, cases: list[Case], options: Options, expected: Baseline, *, whole: bool) -> Summary:
    with ExitStack() as stack:
        lines = stack.enter_context(_jsonl(options.jsonl)) if options.jsonl is not None else None
        watcher = stack.enter_context(Watcher(Console(stderr=True), len(cases)))

        def report(result: Result) -> None:
            watcher.saw(result)
            if lines is not None:
                lines.write(result.line())

        suite = Suite(testee, cases, Settings(options.namespace, options.timeout), report)
        try:
            trio.run(_until_terminated, suite)
        except TesteeError as error:
            raise UsageError(f"nothing judged: {error}") from error
        summary = summarize(
            suite.results, expected, suite.missing, suite.deaths, whole=whole, strict=options.strict
        )
        if lines is not None:
            lines.write(summary.line())
    return summary


async def _until_terminated(suite: Suite) -> None:
    """Run the suite; SIGTERM ends it as Ctrl-C does, so that no process of a testee stays behind."""
    terminated = False
    failure: TesteeError | None = None

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
        except TesteeError as error:  # kept out of the nursery, which would wrap it
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
    """Whose reasons a new baseline keeps: those of the file that it replaces, else of the one expected."""
    if path is not None and path.exists():
        return _read(path)
    return expected
