"""A testee in the suite's own process: served over memory streams, so that its time may be virtual."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

import trio
from trio.testing import MockClock

from iptc_conformance.driving.callee.suite import Report, Suite
from iptc_conformance.driving.session import Settings
from iptc_conformance.driving.streams import MemoryStream, Stream, memory_streams

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from iptc_conformance.cases.model import Case
    from iptc_conformance.driving.result import Result

Serve = Callable[[Stream], Awaitable[object]]
"""Serves one connection, and returns when it is over. If it raises, the testee has died."""
_STOP_SECONDS = 10.0


class Embedded:
    """A testee that `make` builds afresh for each start. What it makes serves one stream for each connection.

    An exception out of it is the death of the testee: all its connections are reset, and it takes no more.
    """

    def __init__(self, make: Callable[[], Serve]) -> None:
        self._make = make
        self._life: _Life | None = None

    def __str__(self) -> str:
        return "the embedded testee"

    async def start(self) -> None:
        """Build it."""
        self._life = _Life(self._make())

    async def connect(self) -> Stream:
        """Open a connection to it.  Raises OSError if it is dead."""
        await trio.lowlevel.checkpoint()
        if self._life is None or self._life.death is not None:
            raise ConnectionRefusedError(f"it is dead: {self._life.death!r}" if self._life else "not started")
        ours, theirs = memory_streams()
        self._life.take(theirs)
        return ours

    async def alive(self) -> bool:
        """Whether it takes connections."""
        await trio.lowlevel.checkpoint()
        return self._life is not None and self._life.death is None

    async def revive(self) -> None:
        """End what is left of it and build it afresh."""
        await self.stop()
        await self.start()

    async def stop(self) -> None:
        """Cancel what it still does, and wait for it, bounded."""
        life, self._life = self._life, None
        if life is not None:
            life.cancel()
            with trio.move_on_after(_STOP_SECONDS):
                await life.over()

    def another(self, _environment: Mapping[str, str] | None = None) -> Embedded:
        """One of its kind, which shares nothing with it; it has no environment."""
        return Embedded(self._make)


class _Life:
    """An embedded testee from its start to its death or its stop."""

    def __init__(self, serve: Serve) -> None:
        self.death: BaseException | None = None
        self._serve = serve
        self._open: dict[MemoryStream, trio.CancelScope] = {}
        self._change = trio.lowlevel.ParkingLot()

    def take(self, stream: MemoryStream) -> None:
        """Serve one connection, in a task that outlives the case which has opened it."""
        scope = self._open[stream] = trio.CancelScope()
        trio.lowlevel.spawn_system_task(self._connection, stream, scope)

    def cancel(self) -> None:
        """Let every connection end."""
        for scope in self._open.values():
            scope.cancel()

    async def over(self) -> None:
        """Wait until every connection has ended."""
        while self._open:
            await self._change.park()

    async def _connection(self, stream: MemoryStream, scope: trio.CancelScope) -> None:
        try:
            with scope:
                await self._serve(stream)
        except trio.Cancelled:
            raise
        except BaseException as error:  # noqa: BLE001  (a system task must not raise: a death is a verdict)
            self._die(error)
        finally:
            del self._open[stream]
            self._change.unpark_all()
            await trio.aclose_forcefully(stream)

    def _die(self, error: BaseException) -> None:
        """Reset all connections, as the end of a process does."""
        if self.death is None:
            self.death = error
            for stream in self._open:
                stream.abort()
            self.cancel()


def judge_embedded(
    cases: Sequence[Case],
    make: Callable[[], Serve],
    *,
    settings: Settings | None = None,
    probe: bool = False,
    report: Report = lambda _result: None,
) -> list[Result]:
    """Put cases to an embedded testee, in virtual time that jumps ahead while nobody can go on.

    `probe`: first ask which functions are served, as a real run does; without it all are taken to be.
    Raises TesteeError as `Suite.run` does.
    """
    suite = Suite(Embedded(make), cases, settings or Settings(talk=False), report, probe=probe)
    return trio.run(suite.run, clock=MockClock(autojump_threshold=0))
