"""The targets under atheris, which changes inputs by the code that they reach.

    python fuzz/coverage_guided.py TARGET FOLDER [--structured] [options of libFuzzer] [more folders]

The inputs are the targets' own bytes. FOLDER keeps what reached new code; at first the examples of the
specification are put there, and the committed corpus is read too. With `--structured` the bytes are choices
of the target's strategy instead (hypothesis' `fuzz_one_input`): most inputs are deep then, and what is kept
is good for this strategy alone. Needs the extra `fuzz-coverage`.

A script, not a part of the package: whatever is imported before atheris looks is not instrumented.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import atheris  # type: ignore[import-not-found,import-untyped,unused-ignore]
from hypothesis import HealthCheck, given, settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from iptc_fuzz.targets.registry import Target


def structured(target: Target) -> Callable[[bytes], object]:
    """Return the target for bytes that are choices of its strategy."""
    quiet = settings(deadline=None, database=None, suppress_health_check=list(HealthCheck))
    test: Any = quiet(given(target.inputs())(target.check))
    entry: Callable[[bytes], object] = test.hypothesis.fuzz_one_input
    return entry


def main(arguments: list[str]) -> None:
    """Run one target until libFuzzer ends the process."""
    with atheris.instrument_imports(include=["iptc_codec", "iptc_conformance"]):
        from iptc_fuzz import TARGETS, corpus  # noqa: PLC0415  (instrumented)

    name, folder, *rest = arguments
    if name not in TARGETS:
        sys.exit(f"no target {name}: there are {', '.join(TARGETS)}")
    target = TARGETS[name]
    options = [option for option in rest if option != "--structured"]
    folders = [folder]
    if "--structured" in rest:
        one_input = structured(target)
    else:
        one_input = target.check
        fill(Path(folder), target)
        folders.append(str(corpus.FOLDER / name))
    atheris.Setup(["iptc_fuzz", *options, *folders], lambda data: one_input(data) and None)
    atheris.Fuzz()


def fill(folder: Path, target: Target) -> None:
    """Put the target's examples into a folder that is empty."""
    folder.mkdir(parents=True, exist_ok=True)
    if not any(folder.iterdir()):
        for number, data in enumerate(target.seeds()):
            (folder / f"example-{number}").write_bytes(data)


if __name__ == "__main__":
    main(sys.argv[1:])
