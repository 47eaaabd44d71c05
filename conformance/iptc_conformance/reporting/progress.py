"""The progress of a run: a bar on a terminal, nothing elsewhere."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Self

from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)
from rich.table import Column
from rich.text import Text

from iptc_conformance.driving.under_way import watching
from iptc_conformance.reporting.words import clean

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Task

    from iptc_conformance.driving.result import Result
    from iptc_conformance.reporting.baseline import Baseline

_QUIET = frozenset({"pass", "warn", "not-applicable"})
_BAR_WIDTH = 24


class Watcher:
    """How many cases have ended, how many of them badly, which runs longest now, and how long it may take."""

    def __init__(self, console: Console, total: int, baseline: Baseline) -> None:
        self._baseline = baseline
        self._new = self._known = 0
        self._stack = ExitStack()
        self._running: dict[str, None] = {}
        self._progress = Progress(
            BarColumn(bar_width=_BAR_WIDTH),
            MofNCompleteColumn(),
            TextColumn("{task.description}"),
            TimeRemainingColumn(compact=True),
            _Longest(self),
            console=console,
            transient=True,
            disable=not console.is_terminal,
            expand=False,
        )
        self._task: TaskID = self._progress.add_task("", total=total)

    def __enter__(self) -> Self:
        self._running = self._stack.enter_context(watching())
        self._stack.enter_context(self._progress)
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    @property
    def longest(self) -> str:
        """The case that has been running for the longest time."""
        return next(iter(self._running), "")

    def saw(self, result: Result) -> None:
        """One more case has ended."""
        entry = self._baseline.entries.get(result.case.id)
        if entry is not None and entry.covers(result):
            self._known += result.verdict != "pass"
        elif result.verdict not in _QUIET:
            self._new += 1
        self._progress.update(self._task, advance=1, description=self._counts())

    def refresh(self) -> None:
        """Draw now, without waiting for the next tenth of a second."""
        self._progress.refresh()

    def _counts(self) -> str:
        new = f"[bold red]{self._new} new[/]" if self._new else ""
        known = f"{self._known} known" if self._known else ""
        return ", ".join(filter(None, (new, known)))


class _Longest(ProgressColumn):
    """The case that runs longest, cut to what is left of the line."""

    def __init__(self, watcher: Watcher) -> None:
        self._watcher = watcher
        super().__init__(table_column=Column(no_wrap=True, overflow="ellipsis", ratio=1))

    def render(self, task: Task) -> Text:  # noqa: ARG002  (what it draws is not the task's)
        """Its id."""
        return Text(clean(self._watcher.longest), style="dim", overflow="ellipsis", no_wrap=True)
