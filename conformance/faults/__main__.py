"""One peer as a process, for `iptc conform callee|caller -- python -m faults ID`, and to see how a bug shows.

A callee listens on 127.0.0.1:$IPTC_PORT. A caller connects to $IPTC_HOST:$IPTC_PORT and obeys JSON Lines on
stdin. Whatever a fault raises ends the process.
"""

from __future__ import annotations

import json
import os
import sys
from functools import partial
from typing import TYPE_CHECKING, Any

import trio

from faults.data import Fault, faults, honest

if TYPE_CHECKING:
    from faults.honest import Callee, Caller

CHUNK = 65536


def find(name: str) -> Fault:
    """Return a fault or an honest peer by its id. Raises SystemExit."""
    for one in [*honest(), *faults()]:
        if one.id == name:
            return one
    raise SystemExit(f"no such peer: {name}")


async def serve(peer: Callee) -> None:
    """Serve every connection."""
    await trio.serve_tcp(peer, int(os.environ["IPTC_PORT"]), host="127.0.0.1")


async def drive(peer: Caller) -> None:
    """Connect, and answer each line of stdin by one on stdout."""
    stream = await trio.open_tcp_stream(os.environ["IPTC_HOST"], int(os.environ["IPTC_PORT"]))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(peer.run, stream)
        rest = b""
        while data := await trio.to_thread.run_sync(partial(os.read, 0, CHUNK), abandon_on_cancel=True):
            *lines, rest = (rest + data).split(b"\n")
            for line in filter(bytes.strip, lines):
                nursery.start_soon(_answer, peer, json.loads(line), nursery.cancel_scope)
        await peer.leave()
        nursery.cancel_scope.cancel()


async def _answer(peer: Caller, op: dict[str, Any], all_of_it: trio.CancelScope) -> None:
    outcome = await peer.answer(op)
    sys.stdout.write(json.dumps({"id": op["id"], **outcome}) + "\n")
    sys.stdout.flush()
    if op["op"] == "close":  # a stream that is left comes to `closed` too
        all_of_it.cancel()


def main() -> None:
    """Be the peer that is named."""
    fault = find(sys.argv[1] if sys.argv[1:] else "")
    peer = fault.make()
    trio.run(serve if fault.role == "callee" else drive, peer)


if __name__ == "__main__":
    main()
