"""`iptc conform`: which implementation, in which role, by which cases."""

from __future__ import annotations

import shlex
import sys
from typing import TYPE_CHECKING

from iptc_conformance.cases import load_cases
from iptc_conformance.cases.load import CaseFileError, load_files
from iptc_conformance.cli.addresses import address_of
from iptc_conformance.cli.errors import UsageError
from iptc_conformance.cli.judging import Options, Rerun, chosen, judge
from iptc_conformance.cli.judging import Suite as RoleSuite
from iptc_conformance.driving.callee.suite import Suite
from iptc_conformance.driving.callee.testee import Attached, Command, Testee
from iptc_conformance.driving.caller.driver import Command as Driver
from iptc_conformance.driving.caller.suite import Suite as CallerSuite
from iptc_conformance.driving.session import Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from iptc_conformance.cases import Case
    from iptc_conformance.driving.result import Result


def reference_command() -> list[str]:
    """How the embedded reference peer is started."""
    return [sys.executable, "-m", "iptc_codec.peer.testee"]


def driver_command() -> list[str]:
    """How the driver of the embedded reference peer is started."""
    return [sys.executable, "-m", "iptc_codec.peer.driver"]


def conform_attached(where: str, options: Options) -> int:
    """Judge a testee that is running.  Raises UsageError."""
    return _conform(Attached(address_of(where)), options, f"iptc conform callee --attach {where}", "")


def conform_command(command: Sequence[str], options: Options) -> int:
    """Judge a testee that the suite starts.  Raises UsageError."""
    return _conform(Command(command), options, "iptc conform callee", f" -- {shlex.join(command)}")


def conform_caller(command: Sequence[str], options: Options) -> int:
    """Judge a caller by the driver that the suite starts.  Raises UsageError."""
    everything = cases_of("caller", options.cases)
    cases = chosen(everything, options)
    driver = Driver(command, options.namespace)
    return judge(
        lambda report: CallerSuite(driver, cases, Settings(options.namespace, options.timeout), report),
        options,
        Rerun("iptc conform caller", options.namespace, f" -- {shlex.join(command)}"),
        count=len(cases),
        whole=len(cases) == len(everything),
    )


def conform_reference(options: Options) -> int:
    """Judge the reference peer in both roles, one after the other.  Raises UsageError."""
    everything = [*cases_of("callee", options.cases), *cases_of("caller", options.cases)]
    cases = chosen(everything, options)
    settings = Settings(options.namespace, options.timeout)

    def suite_of(report: Callable[[Result], None]) -> BothRoles:
        called = [case for case in cases if case.role == "callee"]
        calling = [case for case in cases if case.role == "caller"]
        parts: list[RoleSuite] = []
        if called:
            parts.append(Suite(Command(reference_command()), called, settings, report))
        if calling:
            parts.append(CallerSuite(Driver(driver_command(), options.namespace), calling, settings, report))
        return BothRoles(parts)

    return judge(
        suite_of,
        options,
        Rerun("iptc conform", options.namespace, ""),
        count=len(cases),
        whole=len(cases) == len(everything),
    )


class BothRoles:
    """The suites of several roles, one after the other, as one."""

    def __init__(self, parts: Sequence[RoleSuite]) -> None:
        self._parts = parts

    @property
    def results(self) -> list[Result]:
        """One for each case that has ended."""
        return [result for part in self._parts for result in part.results]

    @property
    def missing(self) -> dict[str, str]:
        """What is not served, and what was answered instead."""
        return {name: answer for part in self._parts for name, answer in part.missing.items()}

    @property
    def deaths(self) -> int:
        """How often a testee died under several cases at once, and under none of them alone."""
        return sum(part.deaths for part in self._parts)

    async def run(self) -> None:
        """Run all of them."""
        for part in self._parts:
            await part.run()


def cases_of(role: str, files: Sequence[Path] = ()) -> list[Case]:
    """All cases of one role: the suite's own, or those of `files`.  Raises UsageError."""
    try:
        every = load_files(files) if files else load_cases()
    except (CaseFileError, OSError) as error:
        raise UsageError(str(error)) from error
    return [case for case in every if case.role == role]


def _conform(testee: Testee, options: Options, rerun: str, tail: str) -> int:
    everything = cases_of("callee", options.cases)
    cases = chosen(everything, options)
    settings = Settings(options.namespace, options.timeout)
    return judge(
        lambda report: Suite(testee, cases, settings, report),
        options,
        Rerun(rerun, options.namespace, tail),
        count=len(cases),
        whole=len(cases) == len(everything),
    )
