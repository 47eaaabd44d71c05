"""Where the time goes: the functions in which server and driver spend it, for each workload of `bench.rpc`.

Time in which a process waits is in the function of its event loop that waits.
"""

from __future__ import annotations

import json
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench import report
from bench.processes import START_SECONDS, Child, System
from bench.report import say
from bench.rpc import OURS, SYSTEMS, WORKLOADS

if TYPE_CHECKING:
    from collections.abc import Sequence

_LONGEST = 120.0
_WAITS = (":EpollIOManager.get_events", ":SelectSelector.select", ":EpollSelector.select")
"""Functions in which an event loop waits."""


@dataclass(frozen=True)
class Profile:
    """Samples of a process, by function: those in it, and those in it or in what it called."""

    own: dict[str, int]
    with_callees: dict[str, int]

    @property
    def waiting(self) -> float:
        """The part of the time in which the process has waited."""
        waited = sum(found for name, found in self.own.items() if name.endswith(_WAITS))
        return waited / max(1, sum(self.own.values()))

    def top(self, count: int) -> list[tuple[str, float, float]]:
        """The functions that were met most often: parts of the work, without and with what they called."""
        working = {name: found for name, found in self.own.items() if not name.endswith(_WAITS)}
        samples = max(1, sum(working.values()))
        ordered = sorted(working.items(), key=lambda one: -one[1])[:count]
        return [(name, found / samples, self.with_callees[name] / samples) for name, found in ordered]


def take(system: System, workload: str, seconds: float) -> dict[str, Profile]:
    """Profiles of server and driver for one workload, each of new processes. Raises `ChildError`."""
    with tempfile.TemporaryDirectory() as folder:
        files = {end: Path(folder) / f"{end}.json" for end in ("server", "driver")}
        server = Child(_sampled(system, files["server"]), "serve")
        try:
            port = server.line(START_SECONDS).strip()
            driver = Child(_sampled(system, files["driver"]), "drive", port)
            try:
                driver.ask({"workload": workload, "seconds": seconds}, _LONGEST)
            finally:
                driver.end()
        finally:
            server.end()
        return {end: Profile(**json.loads(path.read_text())) for end, path in files.items()}


def _sampled(system: System, path: Path) -> System:
    return System(
        system.name, "bench.sampling", system.venv, options=(str(path), system.module, *system.options)
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run from the command line."""
    parser = report.timing(__doc__, rounds=1, seconds=3)
    parser.add_argument("--system", choices=list(SYSTEMS), default=OURS, help="whose (%(default)s)")
    parser.add_argument("--workload", action="append", choices=list(WORKLOADS), help="only this; repeatable")
    parser.add_argument("--top", type=int, default=15, help="so many functions (%(default)s)")
    asked = parser.parse_args(arguments)
    found: dict[str, Any] = {}
    for workload in asked.workload or WORKLOADS:
        found[workload] = {}
        for end, profile in take(SYSTEMS[asked.system], workload, asked.seconds).items():
            say(f"\n{WORKLOADS[workload]}, {end}: it waits {profile.waiting:.0%} of the time; of the rest")
            rows = [
                [name, f"{own:.1%}", f"{all_of_it:.1%}"] for name, own, all_of_it in profile.top(asked.top)
            ]
            report.table(["function", "in it", "with what it called"], rows)
            found[workload][end] = {"own": profile.own, "with_callees": profile.with_callees}
    say(f"\n{report.write(asked.out, 'profiles', {'system': asked.system, 'profiles': found})}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
