"""The pytest plugin: `pytest --pyargs iptc_conformance --iptc-callee HOST:PORT` runs the cases as tests.

pytest loads this module in every run of everybody who has installed the package. So it imports nothing but
pytest, and does nothing unless one of its options is given or its own cases are collected.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

CASES = Path(__file__).with_name("pytest_cases.py")
_MET = pytest.StashKey[bool]()
_OPTIONS = ("iptc_callee", "iptc_callee_command", "iptc_caller")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options, all of which begin with `--iptc-`."""
    group = parser.getgroup("iptc", "IPTC conformance (pytest --pyargs iptc_conformance)")
    group.addoption("--iptc-callee", metavar="HOST:PORT", help="judge the callee that listens here")
    group.addoption(
        "--iptc-callee-command", metavar="COMMAND", help="judge the callee that this starts (IPTC_PORT)"
    )
    group.addoption("--iptc-caller", metavar="COMMAND", help="judge the caller that this driver is")
    group.addoption(
        "--iptc-expect",
        metavar="BASELINE",
        action="append",
        default=[],
        help="what this baseline lists is expected to fail; repeatable",
    )
    group.addoption("--iptc-namespace", metavar="NAME", default="iptc_testee", help="of the fixture")
    group.addoption(
        "--iptc-timeout", metavar="SECONDS", type=float, default=2.0, help="for each expectation (2)"
    )
    group.addoption("--iptc-strict", action="store_true", help="a SHOULD that is not kept fails")


def is_wanted(config: pytest.Config) -> bool:
    """Tell whether an implementation to be judged was named."""
    return any(config.getoption(name) for name in _OPTIONS)


def pytest_configure(config: pytest.Config) -> None:
    """Have the options checked before anything is collected.  Raises pytest.UsageError."""
    if is_wanted(config):
        _session().configure(config)


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> Any:
    """Collect the cases where their own file is met, and no other file."""
    if file_path.name != CASES.name or file_path != CASES:
        return None
    from iptc_conformance.pytest_cases import CaseFile  # noqa: PLC0415  (needs the extra)

    parent.config.stash[_MET] = True
    return CaseFile.from_parent(parent, path=file_path)


def pytest_collection_modifyitems(config: pytest.Config) -> None:
    """Refuse to judge nobody.  Raises pytest.UsageError."""
    if not is_wanted(config) and config.stash.get(_MET, False):
        _session().refuse(config)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say what each clause came to."""
    if is_wanted(terminalreporter.config):
        _session().summarize_terminal(terminalreporter)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """End what still runs."""
    if is_wanted(session.config):
        _session().finish(session)


def _session() -> Any:
    from iptc_conformance import pytest_session  # noqa: PLC0415  (needs the extra)

    return pytest_session
