"""One connection of the harness: a reader and a writer task, and what has come so far."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import trio

from iptc_conformance.cases.match import Inbound
from iptc_conformance.cases.shown import shown
from iptc_conformance.driving.inbound import Frame, interpret
from iptc_conformance.driving.streams import reset
from iptc_conformance.wire import HEADER_BYTES, Deframer, frame

if TYPE_CHECKING:
    from collections.abc import Callable

    from iptc_conformance.driving.recorder import Recorder
    from iptc_conformance.driving.streams import Stream

_CHUNK = 65536
_SLICE = 0.2
_LATE = 0.1
_NO_TIME = 1e-6
"""Less than this no clock can tell from nothing: waiting for it might never end."""
_FLOOD = 100_000
"""No case asks for as many messages; a testee that sends more is not listened to any longer."""
_CALL_KINDS = frozenset({"ack", "started", "item", "end", "result", "fail", "overrun"})


class Signal:
    """Wakes everyone who waits for something to change.

    Time in which this process itself could not run is not charged to the testee; `starved` tells of it.
    """

    def __init__(self) -> None:
        self._event = trio.Event()
        self.starved = False

    def notify(self) -> None:
        """Something changed."""
        self._event.set()
        self._event = trio.Event()

    async def until(self, done: Callable[[], bool], seconds: float) -> bool:
        """Wait, bounded, until `done()` holds; whether it does."""
        await self.spend(done, seconds)
        return done()

    async def spend(self, done: Callable[[], bool], seconds: float) -> float:
        """Wait as `until` does, and return how much of the time is left."""
        while not done() and seconds > _NO_TIME:
            slice_ = min(seconds, _SLICE)
            began = trio.current_time()
            with trio.move_on_after(slice_):
                await self._event.wait()
            took = trio.current_time() - began
            self.starved = self.starved or took > slice_ + _LATE
            seconds -= min(took, slice_)
        return seconds


class Link:
    """A connection to the testee. Sending never blocks: a testee that stops reading can't stop the case."""

    def __init__(self, name: str, stream: Stream, recorder: Recorder, signal: Signal) -> None:
        self.name = name
        self.hello: object = None
        self.goodbye = False
        self.ended: str | None = None
        self.inbox: dict[str, list[Inbound]] = {}
        self.opens: list[Inbound] = []
        """The OPENs of the testee; their value is the array of `cmd`, their cid None if that is too short."""
        self.on_open: Callable[[], None] | None = None
        self.cursor: dict[str, int] = {}
        self._base: dict[str, int] = {}
        self._stream = stream
        self._recorder = recorder
        self._signal = signal
        self._deframer = Deframer()
        self._out, self._queue = trio.open_memory_channel[bytes](math.inf)
        self._hearing = trio.Event()
        self._hearing.set()
        self._heard = 0
        self._sent = 0
        self._written = 0

    @property
    def heard(self) -> bool:
        """Whether anything has come."""
        return self._heard > 0

    @property
    def spoken(self) -> bool:
        """Whether anything was sent."""
        return self._sent > 0

    async def run(self) -> None:
        """Read and write until the case is over."""
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._read)
                nursery.start_soon(self._write)
        finally:
            await trio.aclose_forcefully(self._stream)
            self._out.close()
            self._queue.close()

    def send(self, frames: list[bytes], split: int | None = None) -> None:
        """Queue frames (or bytes that are none) to be written in one go, or in pieces of `split` bytes.

        On a connection that has ended nothing is sent, and so nothing recorded: what follows will show it.
        """
        if self.ended is not None:
            return
        for made in frames:
            self._recorder.frame(self.name, self._recorder.harness, made)
        whole = b"".join(frames)
        size = split or max(1, len(whole))
        for start in range(0, len(whole), size):
            self._sent += 1
            self._out.send_nowait(whole[start : start + size])

    async def close(self, how: str, seconds: float) -> None:
        """End the connection from here: `close`, `reset`, or `half` (what the testee still says is read)."""
        await self._signal.until(lambda: self._written >= self._sent or self.ended is not None, seconds)
        if self.ended is None:
            self._recorder.eof(self.name, self._recorder.harness)
        if how == "half":
            try:
                await self._stream.send_eof()
            except (trio.BrokenResourceError, trio.ClosedResourceError):
                self._end("reset")
            return
        self._end("closed here")
        await (reset if how == "reset" else trio.aclose_forcefully)(self._stream)

    def turn_deaf(self) -> None:
        """Read no more, so that the testee's writes come to a halt; at most one chunk is still taken."""
        self._hearing = trio.Event()

    def hear(self) -> None:
        """Read on."""
        self._hearing.set()

    def pending(self, cid: str) -> list[Inbound]:
        """What has come for a call and was not yet expected."""
        return self.inbox.get(cid, [])[self.cursor.get(cid, 0) :]

    def taken(self, cid: str) -> list[Inbound]:
        """What was already expected of the call that has this cid now."""
        return self.inbox.get(cid, [])[self._base.get(cid, 0) : self.cursor.get(cid, 0)]

    def consume(self, cid: str, count: int = 1) -> None:
        """Take messages of a call out of `pending`."""
        self.cursor[cid] = self.cursor.get(cid, 0) + count

    def forget(self) -> None:
        """Let go of all that has come: another case begins on the same connection."""
        self.inbox.clear()
        self.cursor.clear()
        self._base.clear()
        self.opens.clear()

    def rebase(self, cid: str) -> None:
        """A new call begins under a cid that has had one: the old one's messages are not its own."""
        self._base[cid] = len(self.inbox.get(cid, []))

    def messages(self, cid: str) -> list[Inbound]:
        """All that has come for the call that has the cid now."""
        return self.inbox.get(cid, [])[self._base.get(cid, 0) :]

    def kind_of(self, cid: str) -> str | None:
        """The functype with which a call was acknowledged."""
        return next((message.value for message in self.messages(cid) if message.kind == "ack"), None)

    def terminal_of(self, cid: str) -> Inbound | None:
        """The terminal of a call, if it has come."""
        terminals = {"result", "fail"} | ({"end"} if self.kind_of(cid) == "asyncgen" else set())
        return next((message for message in self.messages(cid) if message.kind in terminals), None)

    async def _read(self) -> None:
        while self.ended is None:
            await self._hearing.wait()
            try:
                chunk = bytes(await self._stream.receive_some(_CHUNK))
            except trio.BrokenResourceError:
                self._end("reset")
            except trio.ClosedResourceError:
                self._end("closed here")
            else:
                self._take(chunk)

    def _take(self, chunk: bytes) -> None:
        testee = self._recorder.testee
        for cut in self._deframer.feed(chunk):
            if not cut.body:
                self._recorder.frame(self.name, testee, cut.length.to_bytes(HEADER_BYTES, "little"))
                self._end("unreadable bytes")
                break
            self._heard += 1
            if self._heard > _FLOOD:
                self._end(f"{_FLOOD} messages have come, and more do")
                break
            seq, findings = self._recorder.frame(self.name, testee, frame(cut.body))
            reactions = {finding.reaction: finding.clause for finding in findings}
            if "drop" not in reactions:
                self._deliver(interpret(cut.body), seq, reactions.get("fail-call") or reactions.get("close"))
        if not chunk:
            if rest := self._deframer.rest:
                self._recorder.frame(self.name, testee, rest)
            self._end("eof")
        self._signal.notify()

    def _deliver(self, frame: Frame, seq: int, clause: str | None) -> None:
        if frame.kind in _CALL_KINDS:
            cid = frame.cid if isinstance(frame.cid, str) else shown(frame.cid)
            self.inbox.setdefault(cid, []).append(Inbound(frame.kind, frame.cid, frame.value, seq, clause))
        elif frame.kind == "open":
            last = frame.value[4] if isinstance(frame.value, list) and len(frame.value) > 4 else None
            self.opens.append(Inbound("open", last, frame.value, seq, clause))
            if self.on_open is not None:
                self.on_open()
        elif frame.kind == "hello" and self.hello is None:
            self.hello = frame.value
        elif frame.kind == "goodbye":
            self.goodbye = True

    def _end(self, how: str) -> None:
        if self.ended is None:
            self.ended = how
            if how in {"eof", "reset"}:
                self._recorder.eof(self.name, self._recorder.testee)
            self._signal.notify()

    async def _write(self) -> None:
        async for piece in self._queue:  # ends with the case
            try:
                await self._stream.send_all(piece)
            except (trio.BrokenResourceError, trio.ClosedResourceError):
                return
            self._written += 1
            self._signal.notify()
