"""The reference client talks to a callee through `iptc tap`, and the tap says what it sees.

    python conformance/peers/tapped.py [--expect CLAUSE] -- COMMAND…

The command starts a callee that serves the fixture namespace on 127.0.0.1:$IPTC_PORT. Two conversations:
plain calls, in which the tap has to find nothing, and a context with a stream, in which it has to find
exactly the violations of the callee that are expected. Ends with status 1 if it finds anything else.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import trio

from iptc_codec.peer import Peer, RemoteError, open_peer

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_NS = "iptc_testee"
_READY_SECONDS = 30
_SECONDS = 20


async def plain_calls(peer: Peer) -> None:
    """Functions that return, one that fails, one that is not there, and a generator."""
    for value in (1, "two", [3.0], {"four": None}, b"five"):
        _same(await peer.call(_NS, "echo", value=value), value)
    for func in ("fail", "no_such_function"):
        try:
            await peer.call(_NS, func, message="as it should")
        except RemoteError:
            continue
        raise AssertionError(f"{func} has returned")
    async with peer.stream(_NS, "count", n=5) as items:
        _same([item async for item in items], [0, 1, 2, 3, 4])


async def context(peer: Peer) -> None:
    """A context whose callee sends three items and closes its half."""
    async with peer.context(_NS, "ctx_push", first="hello", n=3) as (ctx, first):
        async with ctx.stream() as stream:
            items = [item async for item in stream]
        _same((first, items, await ctx.result()), ("hello", [0, 1, 2], 3))


def _same(got: object, expected: object) -> None:
    if got != expected:
        raise AssertionError(f"{expected!r} was expected, {got!r} came")


@contextmanager
def _callee(command: Sequence[str]) -> Iterator[int]:
    """Start the callee; its port. It need not accept yet."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    process = subprocess.Popen(command, env={**os.environ, "IPTC_PORT": str(port)})  # noqa: S603
    try:
        trio.run(_accepts, port)
        yield port
    finally:
        process.terminate()
        process.wait(_SECONDS)


async def _accepts(port: int) -> None:
    with trio.fail_after(_READY_SECONDS):
        while True:
            try:
                stream = await trio.open_tcp_stream("127.0.0.1", port)
            except OSError:
                await trio.sleep(0.05)
            else:
                return await stream.aclose()


@contextmanager
def _tap(port: int) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "iptc_conformance", "tap", "--json", "--connections", "2"]
    command += ["--listen", "127.0.0.1:0", "--to", f"127.0.0.1:{port}"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603
        try:
            yield process
        finally:
            process.kill()


async def _talk(address: str) -> None:
    with trio.fail_after(_SECONDS):
        for conversation in (plain_calls, context):
            async with open_peer(f"tcp://{address}") as peer:
                await conversation(peer)


def main() -> int:
    """Run both conversations and say what the tap said."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--expect", action="append", default=[], metavar="CLAUSE")
    parser.add_argument("command", nargs="+")
    options = parser.parse_args()
    with _callee(options.command) as port, _tap(port) as tap:
        said = (json.loads(line) for line in tap.stdout or ())
        trio.run(_talk, next(said)["listening"]["on"][0])
        lines: list[dict[str, Any]] = list(said)
    found = [line["finding"] for line in lines if "finding" in line]
    summary = lines[-1]["summary"]
    print(f"{summary['judged']} frames of {summary['connections']} connections went through the tap")
    for finding in found:
        print("connection {conn}: {side}, {clause} {level}: {detail}. {text}".format(**finding))
    seen = [(finding["conn"], finding["side"], finding["clause"]) for finding in found]
    wanted = [("2", "acceptor", clause) for clause in options.expect]
    print("plain calls: nothing; the context: " + (", ".join(options.expect) or "nothing"), end="")
    print(", as expected" if seen == wanted else f" was expected. Found: {seen}")
    return int(seen != wanted)


if __name__ == "__main__":
    sys.exit(main())
