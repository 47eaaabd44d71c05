"""A driver with the connection that it has made, for as long as both can be used."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

import trio

from iptc_conformance.driving.link import Link, Signal
from iptc_conformance.driving.recorder import Recorder
from iptc_conformance.msgpack_writer import encode
from iptc_conformance.wire import frame

if TYPE_CHECKING:
    from iptc_conformance.driving.caller.driver import Driver, Outcome
    from iptc_conformance.driving.streams import Stream

CONN = "a"
"""What every case calls the one connection."""


class Host:
    """One driver, started; one connection, accepted; one record of all that was said on it.

    Cases that leave the connection usable take it one after the other.
    """

    def __init__(self, driver: Driver) -> None:
        self.driver = driver
        self.signal = Signal()
        self.recorder = Recorder(harness="acceptor")
        self.uid = ["iptc-suite", str(uuid.uuid4())]
        self.greeted = False
        self.leaving = False
        """The driver was told to close: its end is no crash."""
        self.started_at = 0.0
        self._stream: Stream | None = None
        self._link: Link | None = None
        self._scope = trio.CancelScope()
        self._ops = 0

    @property
    def link(self) -> Link:
        """The connection."""
        if self._link is None:
            raise RuntimeError("nothing is accepted yet")
        return self._link

    async def start(self, nursery: trio.Nursery) -> None:
        """Start the driver and take its connection.  Raises DriverError."""
        self._stream = await self.driver.start(nursery, self.signal.notify)
        self._link = Link(CONN, self._stream, self.recorder, self.signal)
        self.started_at = trio.current_time()
        nursery.start_soon(self._run)

    def greet(self, hello: Any) -> None:
        """Say this hello first, or nothing if it is False."""
        self.greeted = True
        if hello is not False:
            self.link.send([frame(encode(hello))])

    @property
    def usable(self) -> bool:
        """Whether another case can take it: nobody has left."""
        open_ = self._link is not None and self._link.ended is None and not self._link.goodbye
        return open_ and not self.leaving and self.driver.answers.nonsense is None

    def tell(self, op: dict[str, Any]) -> int:
        """Hand the driver an op and return its number."""
        self._ops += 1
        self.leaving = self.leaving or op["op"] == "close"
        self.driver.answers.asked = self._ops
        self.driver.tell({"id": self._ops, **op})
        return self._ops

    def answer(self, number: int) -> Outcome | None:
        """The outcome of an op, if it has come."""
        return self.driver.answers.by_id.get(number)

    async def stop(self) -> None:
        """Let go of the driver and its connection."""
        self._scope.cancel()
        await self.driver.stop()

    async def _run(self) -> None:
        with self._scope:
            await self.link.run()
