"""The targets under atheris, which changes inputs by the code that they reach.

    python -m iptc_fuzz.coverage_guided TARGET [--structured] [options of libFuzzer] [folders]

The inputs are the targets' own bytes, and the committed corpus is where it starts. With `--structured` the
bytes are choices of the target's strategy instead (hypothesis' `fuzz_one_input`): most inputs are deep then,
and what is kept is good for this strategy alone. Needs the extra `fuzz-coverage`.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import atheris  # type: ignore[import-not-found,unused-ignore]
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
        from iptc_fuzz.targets.registry import TARGETS  # noqa: PLC0415  (instrumented)

    name, *rest = arguments
    if name not in TARGETS:
        sys.exit(f"no target {name}: there are {', '.join(TARGETS)}")
    target = TARGETS[name]
    options = [option for option in rest if option != "--structured"]
    one_input = structured(target) if "--structured" in rest else target.check
    atheris.Setup(["iptc_fuzz", *options], lambda data: one_input(data) and None)
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1:])
