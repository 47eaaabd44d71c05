#!/usr/bin/env python3
"""The targets under atheris, which changes inputs by the code that they reach.

    python fuzz/coverage_guided.py TARGET FOLDER [--structured] [options of libFuzzer] [more folders]

The inputs are the targets' own bytes. FOLDER keeps what reached new code; if it is empty, the examples of the
specification and the committed corpus are put there first. With `--structured` the bytes are choices of the
target's strategy instead (hypothesis' `fuzz_one_input`): most inputs are deep then, and what is kept is good
for this strategy alone. With `-set_cover_merge=1 MORE` those of the folder MORE that reach what FOLDER does
not are added to FOLDER, as few as will do. Needs the extra `fuzz-coverage`.

A script, not a part of the package: whatever is imported before atheris looks is not instrumented. It can be
executed because libFuzzer executes itself to merge.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import atheris  # type: ignore[import-not-found,import-untyped,unused-ignore]
from hypothesis import HealthCheck, given, settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from iptc_fuzz.targets.registry import Target


_CHILD = "IPTC_FUZZ_TARGET"
"""Set where libFuzzer has executed this script itself: it hands on its own options alone."""


def structured(target: Target) -> Callable[[bytes], object]:
    """Return the target for bytes that are choices of its strategy."""
    quiet = settings(deadline=None, database=None, suppress_health_check=list(HealthCheck))
    test: Any = quiet(given(target.inputs())(target.check))
    entry: Callable[[bytes], object] = test.hypothesis.fuzz_one_input
    return entry


def main(arguments: list[str]) -> None:
    """Run one target until libFuzzer ends the process."""
    with atheris.instrument_imports(include=["iptc_codec", "iptc_conformance"]):
        from iptc_fuzz import TARGETS  # noqa: PLC0415  (instrumented)

    child = os.environ.get(_CHILD)
    name, folder, *rest = arguments if child is None else [child, "", *arguments]
    if name not in TARGETS:
        sys.exit(f"no target {name}: there are {', '.join(TARGETS)}")
    target = TARGETS[name]
    one_input: Callable[[bytes], object] = target.check
    if "--structured" in rest:
        rest.remove("--structured")
        one_input = structured(target)
    elif child is None:
        fill(Path(folder), target)
    if child is None:
        os.environ[_CHILD] = name
        os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        options = [option for option in rest if option.startswith("-")]
        rest = [*options, folder, *(more for more in rest if more not in options)]
    atheris.Setup([str(Path(__file__).resolve()), *rest], lambda data: one_input(data) and None)
    atheris.Fuzz()


def fill(folder: Path, target: Target) -> None:
    """Put the target's examples and its corpus into a folder that is empty."""
    from iptc_fuzz import corpus  # noqa: PLC0415  (instrumented)

    folder.mkdir(parents=True, exist_ok=True)
    if not any(folder.iterdir()):
        for number, data in enumerate(target.seeds()):
            (folder / f"example-{number}").write_bytes(data)
        for path in corpus.inputs(target.name):
            (folder / f"corpus-{path.name}").write_bytes(path.read_bytes())


if __name__ == "__main__":
    main(sys.argv[1:])
