"""`iptc fuzz`, as a process of its own, with one target more: it breaks at what dice seldom show.

python -m tests.fuzz.fuzz_worker LOG [arguments of iptc]: LOG gets a mark for each execution, `F` if it fails.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

from iptc_conformance.__main__ import main
from iptc_fuzz import TARGETS

TARGET = "planted"
RARE = (b"\xc3", b"\xc0", b"\xc2", b"cid")
"""All of them are in a body that breaks."""


def run(log: Path, arguments: list[str]) -> None:
    """Run the command line, and end with its exit code."""
    with log.open("wb", buffering=0) as marks:

        def check(data: bytes) -> None:
            broken = all(part in data for part in RARE)
            marks.write(b"F" if broken else b".")
            assert not broken, "planted"

        TARGETS[TARGET] = replace(TARGETS["frames"], name=TARGET, check=check, seeds=list)
        sys.argv = ["iptc", *arguments]
        sys.exit(main())


if __name__ == "__main__":
    run(Path(sys.argv[1]), sys.argv[2:])
