"""What the programs under measurement have in common. Standard library only: it runs in every environment.

A server writes its port as a line when it listens, and ends when its stdin does. A driver connects and obeys
orders on stdin, a JSON object a line: `{"workload": "call", "seconds": 0.3}`. It answers with what it has
measured: `{"count": 1234, "seconds": 0.31}`, with `p50` and `p99` in seconds where it has timed each one; or
with `{}` for a workload that its library has no way to do. Told the server's process, `"server": 4711`, it
also says how many seconds of the processor both have taken: `cpu`.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    Run = Callable[[int, list[float]], Awaitable[None]]
    """Does something so many times; may note how long each one took, in seconds."""

HOST = "127.0.0.1"
LARGE = b"\xa5" * 65536
IN_FLIGHT = 100
FEW, MANY = 1, 32
"""Items in flight in the two echo workloads."""

when_ready: list[Callable[[], object]] = []
"""What a program does when it has been started up."""

before_leaving: list[Callable[[], object]] = []
"""What a server still does before it ends; from another thread than its own."""

_FIRST = 2 * IN_FLIGHT
_GROWTH = 10


def announce(port: int) -> None:
    """Say where the server listens, and see to it that it ends with whoever has started it."""
    threading.Thread(target=_leave_at_eof, daemon=True).start()
    _ready()
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()


def _ready() -> None:
    for first in when_ready:
        first()


def _leave_at_eof() -> None:
    while os.read(0, 4096):
        pass
    for last in before_leaving:
        last()
    os._exit(0)


async def obey(runs: Mapping[str, Run]) -> None:
    """Carry out orders until stdin ends."""
    _ready()
    for line in sys.stdin:
        order = json.loads(line)
        run = runs.get(order["workload"])
        answer = await measure(run, order["seconds"], order.get("server")) if run else {}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


async def measure(run: Run, seconds: float, server: int | None = None) -> dict[str, float]:
    """Run it ever more times until that takes about `seconds`; only the last and longest run counts.

    The count is a multiple of `IN_FLIGHT`.
    """
    count = _FIRST
    while True:
        latencies: list[float] = []
        used, start = _processor_seconds(server), time.perf_counter()
        await run(count, latencies)
        took = time.perf_counter() - start
        if took >= 0.6 * seconds:
            break
        more = count * min(_GROWTH, 1.1 * seconds / took)
        count = max(count + IN_FLIGHT, round(more / IN_FLIGHT) * IN_FLIGHT)
    figures = {"count": count, "seconds": took}
    if used is not None and (used_now := _processor_seconds(server)) is not None:
        figures["cpu"] = used_now - used
    return figures | (quantiles(latencies) if latencies else {})


def _processor_seconds(server: int | None) -> float | None:
    """What this process and the server have taken so far; None where the system does not say."""
    try:
        fields = Path(f"/proc/{server}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    user, system = fields[11:13]
    return time.process_time() + (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def quantiles(latencies: list[float]) -> dict[str, float]:
    """The median and the 99th percentile."""
    ordered = sorted(latencies)
    last = len(ordered) - 1
    return {"p50": ordered[round(0.5 * last)], "p99": ordered[round(0.99 * last)]}


def expect(got: object, wanted: object) -> None:
    """Raise `RuntimeError` if the answers are not the right ones: then the time says nothing."""
    if got != wanted:
        raise RuntimeError(f"got {got!r:.80}, not {wanted!r:.80}")
