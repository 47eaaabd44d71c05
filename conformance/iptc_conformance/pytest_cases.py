"""The cases as pytest sees them: one item for each, whose name is the id of the case.

`pytest --pyargs iptc_conformance` finds this file; the plugin collects it.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import pytest
from rich.console import Console

from iptc_conformance.cases import Case, load_cases
from iptc_conformance.pytest_running import SuiteBroken
from iptc_conformance.pytest_session import KEY, Judging
from iptc_conformance.reporting.console import finding

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from iptc_conformance.driving.result import Result

_WIDTH = 160
_SKIPPED = frozenset({"not-applicable", "not-observed"})


class CaseFailed(Exception):  # noqa: N818  (a verdict)
    """A verdict that fails the test; its text is the whole report."""


class CaseFile(pytest.File):
    """All cases of the roles that are judged; without anybody to judge, of all roles."""

    def collect(self) -> Iterator[pytest.Item]:
        """Yield an item for each case, and one for each entry of the baseline that has none."""
        judging = self.config.stash.get(KEY, None)
        cases = load_cases()
        for case in cases:
            if judging is None or case.role in judging.roles:
                yield CaseItem.from_parent(self, name=case.id, case=case)
        known = {case.id for case in cases}
        for name in judging.baseline.entries if judging is not None else ():
            if name not in known:
                yield StaleItem.from_parent(self, name=name)


class CaseItem(pytest.Item):
    """One case."""

    def __init__(self, *, case: Case, **more: Any) -> None:
        super().__init__(**more)
        self.case = case
        self.user_properties.append(("clauses", " ".join(case.clauses)))

    def runtest(self) -> None:
        """Take the result of the case; the first item starts the suite for all that were selected."""
        judging = self.config.stash[KEY]
        if not judging.runner.started:
            judging.runner.start([item.case for item in self.session.items if isinstance(item, CaseItem)])
        try:
            result = judging.runner.result(self.case)
        except SuiteBroken as broken:
            if broken.ours:
                raise
            pytest.exit(f"iptc: {broken}", returncode=pytest.ExitCode.USAGE_ERROR)
        self.user_properties.append(("verdict", result.verdict))
        self.user_properties.append(("seconds", round(result.seconds, 3)))
        self._decide(judging, result)

    def _decide(self, judging: Judging, result: Result) -> None:
        summary = judging.summary([result])
        if summary.stale:
            raise CaseFailed(
                f"stale: it is a {result.verdict}, the baseline expects otherwise: remove its entry"
            )
        if summary.known:
            entry = judging.baseline.entries[self.case.id]
            pytest.xfail(" ".join((result.verdict, *entry.refs, entry.reason)))
        if summary.new:
            raise CaseFailed(_text(result, judging))
        if result.verdict in _SKIPPED:
            pytest.skip(f"{result.verdict}: {result.detail}")
        if result.verdict == "warn":
            self.add_report_section("call", "iptc warns", result.detail)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """Show a verdict as the suite does, without a traceback of the suite's own code."""
        if isinstance(excinfo.value, CaseFailed | SuiteBroken):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, None, str]:
        """Head a failure with the id of its case."""
        return self.path, None, self.name


class StaleItem(pytest.Item):
    """An entry of the baseline for a case that does not exist."""

    def runtest(self) -> None:
        """Fail."""
        raise CaseFailed("stale: the baseline names a case that does not exist: remove its entry")

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """Show the sentence alone."""
        return str(excinfo.value) if style is None or excinfo.errisinstance(CaseFailed) else ""

    def reportinfo(self) -> tuple[Path, None, str]:
        """Head the failure with the id."""
        return self.path, None, self.name


def _text(result: Result, judging: Judging) -> str:
    out = io.StringIO()
    console = Console(file=out, width=_WIDTH, highlight=False, soft_wrap=True, color_system=None)
    console.print(finding(result, lambda _: judging.rerun(result.case)))
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines())
