"""The reader of a connection: it passes on what has come, and waits where that has to wait.

It waits for two things beside the stream: a consumer that is behind (`Gate`), and another end that does not
read our answers (`Writer.listened_to`). Any other task that reads (`Reading`) passes on what has come in the
same way, as far as that goes without a wait; the rest is the reader's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import trio

from iptc_codec import ConnectionLost, Event, Item, Items

from ._errors import Disconnected
from ._reading import Stage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ._calls import Calls
    from ._dispatch import Dispatch
    from ._endpoint import Endpoint
    from ._link import Link
    from ._serving import Serving

_NOTHING: Final[Iterator[Event | Items]] = iter(())
_HELD = Stage.HELD  # to look one up costs 0.1 us


class Reader:
    """Reads until the connection ends, for whatever reason."""

    def __init__(
        self, link: Link, calls: Calls, serving: Serving, dispatch: Dispatch, on_end: Callable[[str], None]
    ) -> None:
        self._link = link
        self._on_end = on_end
        self._called, self._served = calls.live.get, serving.live.get
        self._handlers, self._greeted = dispatch.handlers, dispatch.greeted
        self._events = _NOTHING
        self._rest: tuple[Endpoint, list[object], list[int]] | None = None
        self._end: BaseException | None = None
        link.reading.received = self._receive
        link.reading.calls_under_way = lambda: len(calls.live) + len(serving.live)

    async def run(self) -> str:
        """Read and pass on. Returns why the connection is over."""
        reading = self._link.reading
        reading.scope.deadline = trio.current_time() + self._link.limits.hello_seconds
        try:
            with reading.scope:
                while True:
                    if reading.stage is _HELD:
                        await self._catch_up()
                        reading.free()
                    await reading.stand_by()
        except Disconnected as end:
            return str(end)
        finally:
            reading.close()
        if self._end is not None and not isinstance(self._end, Disconnected):
            raise self._end  # it came in the turn in which this task was told to end
        if self._link.fault is not None:
            return self._link.fault
        if not self._greeted.is_set():
            return "the other end sent no hello in time (HSK-05r)"
        return "this end has closed the connection"

    async def _catch_up(self) -> None:
        """Go on with what was read, wherever that has to wait. Raises `Disconnected`."""
        link = self._link
        while self._end is None:
            if link.gate.shut:
                await link.gate.passage()
            if link.writer.behind and not await link.writer.listened_to():
                raise Disconnected("the other end asks and does not read the answers")
            if self._pass_on():
                return
        raise self._end

    def _receive(self, data: bytes | bytearray) -> bool:
        """Take what was read; as `Reading.received`."""
        if data:
            self._events = self._link.conn.batches(data)
            return self._pass_on()
        lost = self._link.conn.receive_eof()
        inside = any(isinstance(event, ConnectionLost) and event.truncated for event in lost)
        return self._over(Disconnected("the connection was lost" + (" inside a frame" if inside else "")))

    @trio.lowlevel.enable_ki_protection
    def _pass_on(self) -> bool:
        """Pass on what has been read; false if that has to wait, or is over.

        Whatever is raised is the reader's to raise, not that of a task which has only read for others.
        """
        try:
            done = (not self._rest or self._deliver_rest()) and self._pass_on_events()
        except Disconnected as end:
            return self._over(end)
        except BaseException as error:  # noqa: BLE001
            self._end = error
            return False
        return done and not self._link.writer.behind

    def _over(self, end: Disconnected) -> bool:
        """Let nobody say anything more, in this turn already: the codec would refuse it."""
        self._end = end
        self._on_end(str(end))
        return False

    def _pass_on_events(self) -> bool:
        link, handlers = self._link, self._handlers
        called, served, above = self._called, self._served, link.gate.above
        for event in self._events:
            if type(event) is Items:  # most of what comes in large pieces
                if end := served(event.cid) or called(event.cid):
                    taken = end.deliver_all(event.values, event.sizes)
                    if taken < len(event.values):
                        self._rest = end, event.values[taken:], event.sizes[taken:]
                        if not self._deliver_rest():
                            return False
            elif type(event) is Item:
                if end := served(event.cid) or called(event.cid):
                    end.deliver(event.value, link.conn.body_bytes)
                    if above:
                        return False
            else:
                handlers[type(event)](event)
        self._events = _NOTHING  # an idle connection holds nothing
        link.writer.next_turn()
        return True

    def _deliver_rest(self) -> bool:
        """Deliver items of which the first is the one that reaches a mark, unless all are for nobody."""
        while self._rest:
            end, values, sizes = self._rest
            end.deliver(values[0], sizes[0])
            taken = 1
            if not self._link.gate.shut:
                taken += end.deliver_all(values[1:], sizes[1:])
            self._rest = (end, values[taken:], sizes[taken:]) if taken < len(values) else None
            if self._link.gate.shut:
                return False
        return True
