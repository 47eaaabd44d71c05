"""Run a program and sample where it spends its time: `python -m bench.sampling FILE MODULE …`.

From when it is ready on, a timer interrupts it a thousand times a second; the Python function that runs then
is counted, and each that has called it. Time in C, and in system calls, is the Python function's that called
it. FILE gets the counts as JSON when the program ends.
"""

from __future__ import annotations

import atexit
import json
import runpy
import signal
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from bench.systems import driving

if TYPE_CHECKING:
    from types import CodeType, FrameType

_INTERVAL = 0.001
_DEEPEST = 60
_OWN_DEPTH = 4

_own: Counter[CodeType] = Counter()
_with_callees: Counter[CodeType] = Counter()


def _sample(_signal: int, frame: FrameType | None) -> None:
    # A signal may come while the one before it is still counted.
    if frame is None or _is_sampling(frame):
        return
    _own[frame.f_code] += 1
    seen = set()
    depth = 0
    while frame is not None and depth < _DEEPEST:
        seen.add(frame.f_code)
        frame = frame.f_back
        depth += 1
    _with_callees.update(seen)


def _is_sampling(frame: FrameType | None) -> bool:
    for _ in range(_OWN_DEPTH):
        if frame is None:
            return False
        if frame.f_code is _sample.__code__:
            return True
        frame = frame.f_back
    return False


def _named(counts: Counter[CodeType]) -> dict[str, int]:
    named: Counter[str] = Counter()
    for code, count in counts.items():
        folder_and_file = "/".join(Path(code.co_filename).parts[-2:])
        named[f"{folder_and_file}:{code.co_qualname}"] += count
    return dict(named)


def _write(path: Path) -> None:
    signal.setitimer(signal.ITIMER_REAL, 0)
    path.write_text(json.dumps({"own": _named(_own), "with_callees": _named(_with_callees)}))


def main() -> None:
    """Sample the program that the command line names."""
    path, module = Path(sys.argv[1]), sys.argv[2]
    sys.argv = sys.argv[2:]
    atexit.register(_write, path)
    driving.before_leaving.append(lambda: _write(path))
    signal.signal(signal.SIGALRM, _sample)
    driving.when_ready.append(lambda: signal.setitimer(signal.ITIMER_REAL, _INTERVAL, _INTERVAL))
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
