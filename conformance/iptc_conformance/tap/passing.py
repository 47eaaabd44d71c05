"""One connection: two pumps, each of which reads only after the last chunk was taken by the other side."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import trio

from iptc_conformance.driving.streams import Stream, reset
from iptc_conformance.tap.gate import CutError, Gate, OpenGate, StrictGate
from iptc_conformance.trace import SIDES, Side, other_side

if TYPE_CHECKING:
    from iptc_conformance.judge import Finding
    from iptc_conformance.tap.tape import Tape

CHUNK = 65536
_LAST_WORDS_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Ended:
    """How a connection ended: orderly by both, unless one of these says otherwise.

    `cut`: for `violation`, or because it could not be judged any further. `unreachable`: why the target
    could not be connected to.
    """

    reset_by: Side | None = None
    cut: bool = False
    violation: Finding | None = None
    unreachable: str | None = None


class _Reset(Exception):  # noqa: N818  (an event, not an error of ours)
    """A side has reset the connection."""

    def __init__(self, side: Side) -> None:
        super().__init__(side)
        self.side = side


class _Passing:
    """The state of one connection between its two pumps."""

    def __init__(self, streams: dict[Side, Stream], gates: dict[Side, Gate]) -> None:
        self._streams = streams
        self._gates = gates
        self._done = {side: trio.Event() for side in SIDES}
        self._last_words: tuple[Side, bytes] | None = None
        self.ended = Ended()

    async def run(self) -> None:
        async with trio.open_nursery() as nursery:
            for side in SIDES:
                nursery.start_soon(self._pump, side, nursery.cancel_scope)
        if self._last_words is not None:
            with trio.move_on_after(_LAST_WORDS_SECONDS), suppress(_Reset):
                await self._send(*self._last_words)

    async def _pump(self, side: Side, everything: trio.CancelScope) -> None:
        """Pass on what one side sends until its end; end the other pump too if the connection breaks."""
        try:
            await self._pass_all(side)
        except _Reset as found:
            self.ended = Ended(reset_by=found.side)
            everything.cancel()
        except CutError as cut:
            self.ended = Ended(cut=True, violation=cut.finding)
            self._last_words = (side, cut.before)
            everything.cancel()
        finally:
            self._done[side].set()

    async def _pass_all(self, side: Side) -> None:
        source, gate = self._streams[side], self._gates[side]
        while True:
            try:
                chunk = await source.receive_some(CHUNK)
            except trio.BrokenResourceError:
                gate.ended()
                raise _Reset(side) from None
            if not chunk:
                await self._send(side, gate.ended())
                await self._send_eof(side)
                return
            await self._send(side, gate.saw(bytes(chunk)))

    async def _send(self, side: Side, data: bytes) -> None:
        """Pass on what a side has sent.  Raises _Reset if the other one takes nothing any more."""
        if not data:
            return
        try:
            await self._streams[other_side(side)].send_all(data)
        except trio.BrokenResourceError:
            raise await self._refused_by(other_side(side)) from None

    async def _send_eof(self, side: Side) -> None:
        try:
            await self._streams[other_side(side)].send_eof()
        except (trio.BrokenResourceError, OSError):  # OSError: it was reset already, and is not connected
            raise await self._refused_by(other_side(side)) from None

    async def _refused_by(self, side: Side) -> _Reset:
        """A side is gone. What it sent before may still be on its way: its pump is given a moment."""
        with trio.move_on_after(_LAST_WORDS_SECONDS):
            await self._done[side].wait()
        return _Reset(side)


async def pass_between(
    conn: str, initiator: Stream, acceptor: Stream, tape: Tape, *, enforce: bool = False
) -> Ended:
    """Pass everything between two streams until both have ended, and close them.

    Ends, half-closes and resets are passed on as what they are. With `enforce` the connection is cut in
    both directions at its first violation of a MUST, before any byte of that frame was passed on.
    """
    streams: dict[Side, Stream] = {"initiator": initiator, "acceptor": acceptor}
    make = StrictGate if enforce else OpenGate
    passing = _Passing(streams, {side: make(tape, conn, side) for side in SIDES})
    try:
        await passing.run()
    finally:
        broken = passing.ended.reset_by
        for side in SIDES:
            with trio.CancelScope(shield=True):
                if broken is not None and side != broken:
                    await reset(streams[side])
                else:
                    await trio.aclose_forcefully(streams[side])
    return passing.ended
