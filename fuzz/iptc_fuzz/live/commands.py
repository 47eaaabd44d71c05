"""What `iptc fuzz callee` prints and writes."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, TextIO

from iptc_conformance import _specdata
from iptc_fuzz.live.hunting import Caught, Hunt, write

if TYPE_CHECKING:
    from pathlib import Path

EXIT_CLEAN = 0
EXIT_FINDINGS = 1
EXIT_GONE = 2
"""The testee went away, and nothing says that it was us."""
EXIT_OWN_FAULT = 3


def hunt(hunting: Hunt, folder: Path, again: str, out: TextIO = sys.stdout) -> int:
    """Run a hunt, and print what it came to. `again`: the command that replays the case file FILE."""
    print(f"seed {hunting.seed}", file=out, flush=True)
    live = out.isatty()
    known: set[tuple[str, str, str]] = set()

    def on_change(now: Hunt) -> None:
        found = {**now.caught, **now.warned}
        for key in [key for key in found if key not in known]:
            known.add(key)
            _tell(found[key], folder, again, out)
        if live:
            print(f"\r{line(now)}", end="", file=out, flush=True)

    hunting.on_change = on_change
    hunting.run()
    on_change(hunting)
    print(f"\r{line(hunting)}" if live else line(hunting), file=out, flush=True)
    if hunting.gone is not None:
        print(f"ended early: {hunting.gone}", file=out)
    for fault in hunting.faults:
        print(f"a fault of the fuzzer itself, please report it:\n{fault}", file=out)
    if hunting.faults:
        return EXIT_OWN_FAULT
    if hunting.gone is not None and not hunting.caught:
        return EXIT_GONE
    return EXIT_FINDINGS if hunting.caught else EXIT_CLEAN


def line(hunting: Hunt) -> str:
    """How far it is."""
    count = len(hunting.caught)
    findings = "finding" if count == 1 else "findings"
    return (
        f"{hunting.executions:7} executions {hunting.seconds:7.1f} s {count:3} {findings}, "
        f"{len(hunting.warned)} of SHOULDs, "
        f"{len(hunting.clauses)} of {len(_specdata.clauses())} clauses reached"
    )


def _tell(caught: Caught, folder: Path, again: str, out: TextIO) -> None:
    path = write(caught, folder)
    flaky = ", but not each time" if caught.flaky else ""
    print(f"\n{caught.case.title}{flaky} ({len(caught.case.steps)} steps)", file=out)
    print(f"  again: {again.replace('FILE', str(path))}", file=out, flush=True)
