"""Explore every order of messages that two peers can cause, and hold the tables to the named properties.

Needs spin and gcc. Exit status: 0 all properties hold, every break is found and the derived files are up to
date; 1 if not; 2 if the model cannot be run.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tools import model_reports
from tools.generation import markdown
from tools.generation.promela import tables
from tools.model_mutations import MUTATIONS, Mutation, hunt
from tools.model_runs import Configuration, ModelError, Outcome, configurations, run

ROOT = Path(__file__).resolve().parents[1]
SPEC = ROOT / "spec" / "v1"
REACHABILITY = SPEC / "model" / "reachability.json"
PAGE = ROOT / "docs" / "model.md"
INSTALL = "Install them, on Debian and Ubuntu with: apt-get install spin gcc libc6-dev"


def main() -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="write the files that the results are kept in")
    parser.add_argument("--jobs", type=int, default=2, help="how many runs at once (2)")
    options = parser.parse_args()
    missing = [tool for tool in ("spin", "gcc") if shutil.which(tool) is None]
    if missing:
        print(f"not installed: {', '.join(missing)}. {INSTALL}", file=sys.stderr)
        return 2
    try:
        with tempfile.TemporaryDirectory(prefix="iptc-model-") as scratch:
            return _verify(Path(scratch), options.jobs, write=options.write)
    except (ModelError, model_reports.ReachError) as error:
        print(error, file=sys.stderr)
        return 2


def _verify(scratch: Path, jobs: int, *, write: bool) -> int:
    started = time.monotonic()
    files: dict[str, Any] = {
        name: json.loads((SPEC / f"{name}.json").read_text(encoding="utf-8"))
        for name in ("call", "connection")
    }
    files["peers"] = (SPEC / "model" / "peers.pml").read_text(encoding="utf-8")
    known = configurations(SPEC / "model")
    with ThreadPoolExecutor(jobs) as pool:
        outcomes = list(pool.map(lambda one: _explore(one, files, scratch), known.values()))
        found = list(pool.map(lambda one: (one, _hunt(one, files, known, scratch)), MUTATIONS))
    good = _tell(outcomes)
    good &= _tell_hunt(found)
    if good:
        reached = model_reports.reachability(files["call"], files["connection"], outcomes)
        page = markdown.fill(PAGE.read_text(encoding="utf-8"), model_reports.blocks(outcomes, found))
        good = _keep({REACHABILITY: model_reports.as_json(reached), PAGE: page}, write=write)
    print(f"{sum(o.states for o in outcomes)} states explored, {time.monotonic() - started:.0f} s")
    return 0 if good else 1


def _explore(one: Configuration, files: dict[str, Any], scratch: Path) -> Outcome:
    outcome = run(one, files["peers"], tables(files["call"], files["connection"]), scratch / one.name)
    said = f"BROKEN: {outcome.broken}" if outcome.broken else "0 errors"
    print(f"{one.name:20} {outcome.states:9} states {outcome.seconds:6.1f} s  {said}", flush=True)
    return outcome


def _hunt(one: Mutation, files: dict[str, Any], known: dict[str, Configuration], scratch: Path) -> str | None:
    by = hunt(one, files, known, scratch / f"broken-{one.name}")
    print(f"break {one.name:20} {'found by ' + by if by else 'NOT FOUND'}", flush=True)
    return by


def _tell(outcomes: list[Outcome]) -> bool:
    data: Any = json.loads((SPEC / "model" / "configurations.json").read_text(encoding="utf-8"))
    mingled = model_reports.mingled({o.configuration.name: o for o in outcomes})
    print()
    for name, holds, states in model_reports.verdicts(data["properties"], outcomes):
        print(f"{name:22} {'holds' if holds else 'BROKEN'} over {states} states")
    for name in mingled:
        print(f"isolation              BROKEN: in {name} a call is seen as it never is alone")
    return not mingled and all(o.broken is None for o in outcomes)


def _tell_hunt(found: list[tuple[Mutation, str | None]]) -> bool:
    killed = sum(by is not None for _, by in found)
    print(f"{killed} of {len(found)} breaks found")
    return killed == len(found)


def _keep(results: dict[Path, str], *, write: bool) -> bool:
    """Write what differs, or say that it does: the results kept in the repository are those of its tables."""
    stale = [p for p, text in results.items() if not p.exists() or p.read_text(encoding="utf-8") != text]
    for path in stale:
        if write:
            path.write_text(results[path], encoding="utf-8")
        print(f"{'wrote' if write else 'differs from what was found:'} {path.relative_to(ROOT)}")
    if stale:
        print(
            "Now run `python tools/generate.py`." if write else "Run `python tools/verify_model.py --write`."
        )
    return write or not stale


if __name__ == "__main__":
    sys.exit(main())
