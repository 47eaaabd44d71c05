"""`iptc conform`: which implementation, in which role, by which cases."""

from __future__ import annotations

import shlex
import sys
from typing import TYPE_CHECKING

from iptc_conformance.cases import load_cases
from iptc_conformance.cli.addresses import address_of
from iptc_conformance.cli.judging import Options, Rerun, chosen, judge
from iptc_conformance.driving.callee.suite import Suite
from iptc_conformance.driving.callee.testee import Attached, Command, Testee
from iptc_conformance.driving.session import Settings

if TYPE_CHECKING:
    from collections.abc import Sequence


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


def _conform(testee: Testee, options: Options, rerun: str, tail: str) -> int:
    everything = load_cases()
    cases = chosen(everything, options)
    settings = Settings(options.namespace, options.timeout)
    return judge(
        lambda report: Suite(testee, cases, settings, report),
        options,
        Rerun(rerun, options.namespace, tail),
        count=len(cases),
        whole=len(cases) == len(everything),
    )
