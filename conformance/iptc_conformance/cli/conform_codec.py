"""`iptc conform codec`: the vectors, put to a program."""

from __future__ import annotations

import shlex
import sys
from typing import TYPE_CHECKING

from iptc_conformance.cli.judging import Options, Rerun, chosen, judge
from iptc_conformance.driving.codec.program import Program
from iptc_conformance.driving.codec.suite import CodecSuite
from iptc_conformance.driving.codec.vectors import load_vectors

if TYPE_CHECKING:
    from collections.abc import Sequence


def conform_codec(command: Sequence[str], options: Options, max_frame: int | None) -> int:
    """Judge a codec; without a command that of this package.  Raises UsageError."""
    everything = load_vectors()
    ids = {case.id for case in chosen([vector.case for vector in everything], options)}
    vectors = [vector for vector in everything if vector.case.id in ids]
    program = Program(command or [sys.executable, "-m", "iptc_codec.verdicts"])
    return judge(
        lambda report: CodecSuite(program, vectors, options.timeout, report, max_frame),
        options,
        Rerun("iptc conform codec", "iptc_testee", f" -- {shlex.join(command)}" if command else ""),
        count=len(vectors),
        whole=len(vectors) == len(everything),
    )
