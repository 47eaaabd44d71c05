"""The reports that are written to files once a run is over."""

from __future__ import annotations

import shlex
import sys
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol, Self

from iptc_conformance import _specdata
from iptc_conformance.cli.errors import UsageError
from iptc_conformance.cli.listing import package_version
from iptc_conformance.reporting.html import write_html
from iptc_conformance.reporting.junit import write_junit
from iptc_conformance.reporting.run import Run

if TYPE_CHECKING:
    from pathlib import Path

    from iptc_conformance.cli.judging import Rerun
    from iptc_conformance.reporting.baseline import Baseline
    from iptc_conformance.reporting.summary import Summary


class Wanted(Protocol):
    """Which reports the command line asks for."""

    @property
    def html(self) -> Path | None:
        """Where the page goes."""

    @property
    def junit(self) -> Path | None:
        """Where the JUnit XML goes."""

    @property
    def write_baseline(self) -> Path | None:
        """Where the baseline goes, which is written by others."""

    @property
    def peer(self) -> str | None:
        """What the page calls the implementation."""


class Reports:
    """Knows when the run began, and writes its reports.  Raises UsageError for a file that can't be written.

    Entering it tries the files first: nobody waits for a whole run to learn that its report can't be kept.
    """

    def __init__(self, wanted: Wanted) -> None:
        self._wanted = wanted
        self._started = datetime.now(UTC)
        self._clock = time.monotonic()

    def __enter__(self) -> Self:
        wanted = self._wanted
        for path in filter(None, (wanted.html, wanted.junit, wanted.write_baseline)):
            try:
                path.touch()
            except OSError as error:
                raise UsageError(f"{path}: {error.strerror}") from error
        return self

    def __exit__(self, *_: object) -> None:
        """There is nothing to let go of."""

    def write(self, summary: Summary, baseline: Baseline, rerun: Rerun) -> None:
        """Write what was asked for.  Raises UsageError."""
        run = Run(
            peer=self._wanted.peer or baseline.peer or rerun.peer,
            command=shlex.join(["iptc", *sys.argv[1:]]),
            rerun=rerun.line,
            started=self._started,
            seconds=time.monotonic() - self._clock,
            suite=package_version(),
            protocol=_specdata.PROTOCOL_VERSION,
        )
        for path, write in ((self._wanted.html, write_html), (self._wanted.junit, write_junit)):
            if path is not None:
                try:
                    write(path, summary, baseline, run)
                except OSError as error:
                    raise UsageError(f"{path}: {error.strerror}") from error
