"""What `iptc fuzz` does with the targets that need no network: run them, tell what was found and reached."""

from __future__ import annotations

from typing import TYPE_CHECKING

from iptc_conformance import _specdata
from iptc_fuzz.cells import every_cell, reached, unreachable
from iptc_fuzz.parallel import run_targets
from iptc_fuzz.running import Finding, Outcome, Profile, write_finding
from iptc_fuzz.targets.registry import TARGETS, Target

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from typing import TextIO

EXIT_CLEAN = 0
EXIT_FINDINGS = 1


def fuzz(names: Sequence[str], profile: Profile, findings: Path, out: TextIO, *, jobs: int = 1) -> int:
    """Run targets, and print per target its executions and findings, and which cells were reached."""
    print(f"seed {profile.seed}", file=out, flush=True)
    live = out.isatty()

    def progress(outcome: Outcome) -> None:
        if live:
            print(f"\r{_line(outcome)}", end="", file=out, flush=True)

    outcomes = []
    for outcome in run_targets(names, profile, jobs, progress):
        outcomes.append(outcome)
        print(f"\r{_line(outcome)}" if live else _line(outcome), file=out, flush=True)
    found = [finding for outcome in outcomes for finding in outcome.findings.values()]
    for finding in found:
        _tell(finding, write_finding(finding, findings), out)
    _tell_reached(names, out)
    return EXIT_FINDINGS if found else EXIT_CLEAN


def _line(outcome: Outcome) -> str:
    count = len(outcome.findings)
    return (
        f"{outcome.target:10} {outcome.executions:8} executions {outcome.seconds:7.1f} s "
        f"{count:3} {'finding' if count == 1 else 'findings'}"
    )


def _tell(finding: Finding, path: Path, out: TextIO) -> None:
    print(f"\n{finding.target}: {finding.place}", file=out)
    print(f"  {finding.error[:2000]}", file=out)
    for line in TARGETS[finding.target].show(finding.data).splitlines()[:40]:
        print(f"  {line[:400]}", file=out)
    print(f"  again: iptc fuzz --replay {path}", file=out)


def _tell_reached(names: Sequence[str], out: TextIO) -> None:
    """Print the cells of the call table that were reached out of all, and the clauses seen broken."""
    if not {"dialogues"} & set(names):
        return
    cells = every_cell()
    never = [cell for cell in cells if unreachable(cell) is not None]
    met = [cell for cell in cells if cell in reached.cells]
    print(f"cells of call.json: {len(met)} of {len(cells)} reached", file=out)
    for reason in sorted({unreachable(cell) or "" for cell in never}):
        which = [f"{cell.state} {cell.sender} {cell.event}" for cell in never if unreachable(cell) == reason]
        print(f"  cannot be met ({reason}): {', '.join(which)}", file=out)
    for cell in reached.missing():
        print(f"  not reached: {cell.state} {cell.sender} {cell.event}", file=out)
    every = _specdata.clauses()
    print(
        f"clauses seen broken, and found by codec and judge alike: {len(reached.clauses)} of",
        end=" ",
        file=out,
    )
    print(f"{sum(clause.endswith('s') for clause in every)} duties of senders", file=out)
    print(f"  {', '.join(sorted(reached.clauses))}", file=out)


def replay(paths: Sequence[Path], out: TextIO) -> int:
    """Run inputs again, each by the target that its name begins with, or that of its folder."""
    code = EXIT_CLEAN
    for path in paths:
        target = _target_of(path)
        outcome = Outcome(target.name)
        data = path.read_bytes()
        try:
            target.check(data)
        except Exception as error:  # noqa: BLE001  (a finding, whatever it is)
            outcome.note(data, error)
        for finding in outcome.findings.values():
            _tell(finding, path, out)
            code = EXIT_FINDINGS
        if not outcome.findings:
            print(f"{path}: {target.name} holds", file=out)
    return code


def _target_of(path: Path) -> Target:
    """Raises LookupError."""
    for name in (path.name.split("-")[0], path.resolve().parent.name):
        if name in TARGETS:
            return TARGETS[name]
    raise LookupError(f"{path}: no target is named so, nor its folder")
