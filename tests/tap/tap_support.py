"""A tap in memory: two ends, what the tap said, and its trace."""

from __future__ import annotations

import io
import random
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import trio

from iptc_conformance import trace, wire
from iptc_conformance.driving.streams import MemoryStream, memory_streams
from iptc_conformance.judge import Finding, judge
from iptc_conformance.tap import Ended, Tape, pass_between

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

UIDS = {"initiator": ["anna", "u-1"], "acceptor": ["otto", "u-2"]}
SECONDS = 20


def dice(seed: int) -> random.Random:
    """The same dice for the same seed."""
    return random.Random(seed)  # noqa: S311  (dice, not secrets)


@dataclass
class Notes:
    """A watcher that remembers."""

    findings: list[Finding] = field(default_factory=list)
    troubles: list[str] = field(default_factory=list)

    def found(self, finding: Finding) -> None:
        self.findings.append(finding)

    def opened(self, conn: str, initiator: str) -> None:
        """Nobody asks."""

    def ended(self, conn: str, how: Ended) -> None:
        """Nobody asks."""

    def troubled(self, conn: str | None, text: str) -> None:
        self.troubles.append(text if conn is None else f"{conn}: {text}")


@dataclass
class Tapped:
    """The two ends of a connection that goes through a tap."""

    left: MemoryStream
    right: MemoryStream
    notes: Notes
    tape: Tape
    trace: io.StringIO
    ended: Ended | None = None
    done: trio.Event = field(default_factory=trio.Event)

    @property
    def clauses(self) -> list[tuple[str, str]]:
        """What was said: clause and side."""
        return [(finding.clause, finding.side) for finding in self.notes.findings]

    def rejudged(self) -> list[Finding]:
        """What the judge says about the trace."""
        return list(judge(trace.read(self.trace.getvalue().splitlines())).findings)


@asynccontextmanager
async def tapped(*, enforce: bool = False, tape: Tape | None = None) -> AsyncIterator[Tapped]:
    """A tap between two ends; on leaving, both are closed and the tap has to have ended."""
    left, near = memory_streams()
    far, right = memory_streams()
    notes, out = Notes(), io.StringIO()
    it = Tapped(left, right, notes, tape or Tape(notes, out), out)

    async def run() -> None:
        it.ended = await pass_between("1", near, far, it.tape, enforce=enforce)
        it.done.set()

    with trio.fail_after(SECONDS):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(run)
            yield it
            await left.aclose()
            await right.aclose()
            await it.done.wait()


def frame(value: Any) -> bytes:
    """A value as a frame."""
    return wire.frame(wire.encode(value))


def hello(side: str) -> bytes:
    """The hello of a side."""
    return frame(UIDS[side])


def opens(cid: str, side: str = "initiator", func: str = "f") -> bytes:
    """An OPEN."""
    return frame({"cmd": ["mod", func, {}, UIDS[side], cid]})


async def read_all(stream: trio.abc.ReceiveStream) -> bytes:
    """Everything up to the end of the stream."""
    data = bytearray()
    async for chunk in stream:
        data += chunk
    return bytes(data)


async def read_some(stream: trio.abc.ReceiveStream, size: int) -> bytes:
    """Exactly so many bytes, or fewer where the stream ends."""
    data = bytearray()
    while len(data) < size:
        chunk = await stream.receive_some(size - len(data))
        if not chunk:
            break
        data += chunk
    return bytes(data)
