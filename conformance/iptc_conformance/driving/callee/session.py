"""What one run of a case holds in the callee role: connections that the suite makes, and calls on them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import trio

from iptc_conformance.driving.link import Link
from iptc_conformance.driving.session import Settings, StepFailure, Talk

if TYPE_CHECKING:
    from iptc_conformance.driving.streams import Stream


class PeerGone(Exception):  # noqa: N818  (a verdict, not a fault of the suite)
    """The testee takes no connection."""


class Host(Protocol):
    """What takes connections: a testee, or an address."""

    async def connect(self) -> Stream:
        """Connect.  Raises OSError if no connection is taken."""


class Session(Talk):
    """One run of one case. Without host and nursery it can't connect, but it can say what would be sent."""

    def __init__(
        self, settings: Settings, host: Host | None = None, nursery: trio.Nursery | None = None
    ) -> None:
        super().__init__(settings)
        self._host = host
        self._nursery = nursery
        self._echoes = 0

    async def dial(self, name: str) -> Link:
        """Connect, saying nothing yet.  Raises PeerGone, StepFailure."""
        if self._nursery is None or self._host is None:
            raise RuntimeError("a session without a host only makes frames")
        outcome = await self._connected(name, self._host, self._nursery)
        if outcome is None:
            detail = f"{self._host} takes no connection within {self.settings.timeout:g} s"
            raise StepFailure(detail, waited=True)
        if isinstance(outcome, OSError):
            raise PeerGone(f"{self._host} takes no connection: {outcome}") from outcome
        self.links[name] = outcome
        return outcome

    async def _connected(self, name: str, host: Host, nursery: trio.Nursery) -> Link | OSError | None:
        """A connection, why there is none, or None in time. Time in which the suite could not run is free."""
        outcome: list[Link | OSError] = []

        async def attempt() -> None:
            try:
                stream = await host.connect()
            except OSError as error:
                outcome.append(error)
            else:
                link = Link(name, stream, self.recorder, self.signal)
                nursery.start_soon(link.run)  # at once: it closes the stream, whatever becomes of this run
                outcome.append(link)
            self.signal.notify()

        async with trio.open_nursery() as attempting:
            attempting.start_soon(attempt)
            await self.until(lambda: bool(outcome))
            attempting.cancel_scope.cancel()
        return outcome[0] if outcome else None

    async def connect(self, name: str) -> Link:
        """Connect and exchange hellos.  Raises PeerGone, StepFailure."""
        link = await self.dial(name)
        link.send([self.hello(name)])
        await self.hello_of(name, None, None)
        return link

    async def ask(self, name: str, func: str, kwargs: Any, seconds: float | None = None) -> Any:
        """Call a unary function under a fresh cid and return its result.

        Raises StepFailure if the answer is anything but ACK and RESULT.
        """
        self._echoes += 1
        call = f"{func}{self._echoes}"
        link = self.link(name)
        self._homes[call] = name
        cid = self.bindings.cid(call)
        link.send([self.open_frame(call, name, func, kwargs)])
        await self.until(lambda: link.terminal_of(cid) is not None or link.ended is not None, seconds)
        answers = link.pending(cid)
        link.consume(cid, len(answers))
        if [answer.kind for answer in answers] == ["ack", "result"]:
            return answers[-1].value
        what = ", ".join(map(str, answers)) or "nothing"
        ended = f"; the connection ended ({link.ended})" if link.ended else ""
        waited = link.terminal_of(cid) is None and link.ended is None
        likely = "TRM-01s" if answers else "OPN-02s"
        detail = f"a fresh {func} on connection {name} got {what}{ended}"
        raise StepFailure(detail, waited=waited, likely=likely if waited else None)

    async def fence(self, seconds: float | None = None) -> None:
        """A sane exchange on a connection of its own.  Raises PeerGone, StepFailure."""
        self._echoes += 1
        name = f"fence{self._echoes}"
        await self.connect(name)
        value = f"{name}-{self.bindings.run}"
        if await self.ask(name, "echo", {"value": value}, seconds) != value:
            raise StepFailure(f"echo on the fresh connection {name} returned something else", "ENC-11r")
        await self.link(name).close("close", self.settings.timeout)
