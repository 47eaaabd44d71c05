"""How much memory a process has."""

from __future__ import annotations

import gc
import sys
from pathlib import Path


def resident(process: int | str = "self") -> int:
    """Bytes of memory that a process holds; 0 where the system does not say."""
    try:
        status = Path(f"/proc/{process}/status").read_text()
    except OSError:
        return 0
    sizes = [line.split()[1] for line in status.splitlines() if line.startswith("VmRSS:")]
    return int(sizes[0]) * 1024 if sizes else 0


def blocks() -> int:
    """Blocks that Python has allocated here, after a collection: exact, where resident memory is rough."""
    gc.collect()
    return sys.getallocatedblocks()
