"""One pytest run that judges a peer: its options, its baseline, its suite and its summary."""

from __future__ import annotations

import shlex
import signal
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from iptc_conformance.cli.addresses import address_of
from iptc_conformance.cli.conform import BothRoles
from iptc_conformance.cli.errors import UsageError
from iptc_conformance.cli.judging import Rerun
from iptc_conformance.driving.callee import suite as callee
from iptc_conformance.driving.callee.testee import Attached, Command, Testee
from iptc_conformance.driving.caller import suite as caller
from iptc_conformance.driving.caller.driver import Command as Driver
from iptc_conformance.driving.session import Settings
from iptc_conformance.pytest_running import Runner
from iptc_conformance.reporting.baseline import Baseline, BaselineError, read_baseline
from iptc_conformance.reporting.summary import Summary, summarize
from iptc_conformance.reporting.words import clean

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from iptc_conformance.cases import Case
    from iptc_conformance.cli.judging import Suite
    from iptc_conformance.driving.result import Result

NOBODY = (
    "there is nobody to judge: say --iptc-callee HOST:PORT, --iptc-callee-command COMMAND "
    "or --iptc-caller COMMAND"
)


@dataclass
class Judging:
    """What the options ask for."""

    roles: tuple[str, ...]
    testee: Testee | None
    driver: Driver | None
    settings: Settings
    reruns: dict[str, Rerun]
    baseline: Baseline
    strict: bool
    runner: Runner = field(init=False)
    old_handler: Any = None

    def __post_init__(self) -> None:
        self.runner = Runner(self._suite_of)

    def summary(self, results: Sequence[Result]) -> Summary:
        """Hold results against the baseline."""
        suite = self.runner.suite
        missing, deaths = (suite.missing, suite.deaths) if suite is not None else ({}, 0)
        return summarize(results, self.baseline, missing, deaths, whole=False, strict=self.strict)

    def rerun(self, case: Case) -> str:
        """The command line that runs one case again, without pytest."""
        return self.reruns[case.role].line(case.id)

    def _suite_of(self, cases: Sequence[Case], report: Callable[[Result], None]) -> Suite:
        parts: list[Suite] = []
        called = [case for case in cases if case.role == "callee"]
        calling = [case for case in cases if case.role == "caller"]
        if self.testee is not None and called:
            parts.append(callee.Suite(self.testee, called, self.settings, report))
        if self.driver is not None and calling:
            parts.append(caller.Suite(self.driver, calling, self.settings, report))
        return BothRoles(parts)


KEY = pytest.StashKey[Judging]()


def configure(config: pytest.Config) -> None:
    """Read the options.  Raises pytest.UsageError."""
    try:
        config.stash[KEY] = _judging(config)
    except (UsageError, BaselineError, ValueError) as error:
        raise pytest.UsageError(f"iptc: {error}") from error
    if signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:  # else a peer's process would stay behind
        config.stash[KEY].old_handler = signal.signal(signal.SIGTERM, _interrupt)


def refuse(config: pytest.Config) -> None:
    """Refuse to judge nobody; a list of the cases alone needs nobody.  Raises pytest.UsageError."""
    if not config.option.collectonly:
        raise pytest.UsageError(f"iptc: {NOBODY}")


def summarize_run(judging: Judging) -> list[str]:
    """The lines below the tests: verdicts, broken clauses, functions that are not served."""
    summary = judging.summary(judging.runner.results)
    counts = ", ".join(f"{count} {verdict}" for verdict, count in summary.verdicts.items())
    lines = [f"{len(summary.results)} cases: {counts or 'none'}"]
    for word in ("fail", "warn", "not-observed"):
        clauses = [clause for clause, came_to in summary.clauses.items() if came_to == word]
        if clauses:
            lines.append(f"clauses, {word}: {' '.join(clauses)}")
    lines.extend(clean(f"not served: {func}: {answer}") for func, answer in summary.missing.items())
    if _died(summary):
        lines.append(f"it died {summary.deaths} times under several cases at once, and under none alone")
    return lines


def summarize_terminal(reporter: pytest.TerminalReporter) -> None:
    """Print those lines."""
    judging = reporter.config.stash.get(KEY, None)
    if judging is not None and judging.runner.results:
        reporter.section("IPTC conformance")
        for line in summarize_run(judging):
            reporter.line(line)


def finish(session: pytest.Session) -> None:
    """End the suite; a death that no case alone explains fails the run."""
    judging = session.config.stash.get(KEY, None)
    if judging is None:
        return
    judging.runner.stop()
    if judging.old_handler is not None:
        signal.signal(signal.SIGTERM, judging.old_handler)
        judging.old_handler = None
    if session.exitstatus == pytest.ExitCode.OK and _died(judging.summary(judging.runner.results)):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def _died(summary: Summary) -> bool:
    return summary.deaths > 0 and not summary.known


def _interrupt(_signal: int, _frame: object) -> None:
    raise KeyboardInterrupt


def _judging(config: pytest.Config) -> Judging:
    attach, command = config.getoption("iptc_callee"), config.getoption("iptc_callee_command")
    driver: str | None = config.getoption("iptc_caller")
    namespace, timeout = config.getoption("iptc_namespace"), config.getoption("iptc_timeout")
    if attach and command:
        raise UsageError("say either --iptc-callee or --iptc-callee-command")
    if not timeout > 0:
        raise UsageError("--iptc-timeout must be above 0")
    if getattr(config.option, "numprocesses", None):
        raise UsageError("the cases run side by side by themselves: leave -n away")
    testee: Testee | None = None
    reruns: dict[str, Rerun] = {}
    if attach:
        testee = Attached(address_of(attach))
        reruns["callee"] = Rerun(f"iptc conform callee --attach {attach}", namespace, "")
    elif command:
        testee = Command(_words(command))
        reruns["callee"] = Rerun("iptc conform callee", namespace, f" -- {command}")
    if driver:
        reruns["caller"] = Rerun("iptc conform caller", namespace, f" -- {driver}")
    return Judging(
        roles=tuple(reruns),
        testee=testee,
        driver=Driver(_words(driver), namespace) if driver else None,
        settings=Settings(namespace, timeout),
        reruns=reruns,
        baseline=_baseline(config.getoption("iptc_expect"), config.invocation_params.dir),
        strict=config.getoption("iptc_strict"),
    )


def _words(command: str) -> list[str]:
    words = shlex.split(command)
    if not words:
        raise UsageError("the command is empty")
    return words


def _baseline(names: Sequence[str], folder: Path) -> Baseline:
    """Read the baselines, one for each role perhaps, as one."""
    whole = Baseline()
    for name in names:
        one = read_baseline(folder / name)
        whole = Baseline(one.peer, {**whole.entries, **one.entries})
    return whole
