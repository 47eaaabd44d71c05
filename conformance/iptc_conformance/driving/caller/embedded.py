"""A driver in the suite's own process, over a memory stream, so that its time may be virtual."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import trio
from trio.testing import MockClock

from iptc_conformance.driving.caller.driver import Answers
from iptc_conformance.driving.caller.suite import Suite
from iptc_conformance.driving.session import Settings
from iptc_conformance.driving.streams import memory_streams

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from iptc_conformance.cases.model import Case
    from iptc_conformance.driving.caller.driver import Outcome
    from iptc_conformance.driving.result import Result
    from iptc_conformance.driving.streams import MemoryStream, Stream


class Peer(Protocol):
    """What carries the ops out."""

    async def run(self, stream: Stream) -> None:
        """Be a peer on the connection until it is over. If it raises, the driver has died."""

    async def answer(self, op: object) -> Outcome:
        """Carry one op out; its outcome, without the `id`."""


class Embedded:
    """A driver around a peer that `make` builds afresh for each start."""

    def __init__(self, make: Callable[[], Peer]) -> None:
        self._make = make
        self._peer: Peer | None = None
        self._nursery: trio.Nursery | None = None
        self._scope = trio.CancelScope()
        self._death: BaseException | None = None
        self._stream: MemoryStream | None = None
        self._answers = Answers(lambda: None)

    @property
    def answers(self) -> Answers:
        """What it has answered since it was started."""
        return self._answers

    async def start(self, nursery: trio.Nursery, notify: Callable[[], None]) -> Stream:
        """Build the peer and give it a connection."""
        await trio.lowlevel.checkpoint()
        self._answers = Answers(notify)
        self._peer = self._make()
        ours, self._stream = memory_streams()
        await nursery.start(self._live)
        self._begin(self._peer.run, self._stream)
        return ours

    def tell(self, op: dict[str, Any]) -> None:
        """Carry an op out beside the others."""
        if self._death is None:
            self._begin(self._carry_out, op)

    async def ended(self, seconds: float = 0.0) -> str | None:
        """How the peer has died; None if it lives."""
        await trio.sleep(seconds)
        return None if self._death is None else f"the driver died of {self._death!r}"

    async def stop(self) -> None:
        """Cancel whatever it does."""
        await trio.lowlevel.checkpoint()
        self._scope.cancel()

    def another(self, _environment: Mapping[str, str] | None = None) -> Embedded:
        """One of its kind, which shares nothing with it; it has no environment."""
        return Embedded(self._make)

    async def _carry_out(self, op: dict[str, Any]) -> None:
        if self._peer is not None:
            asked = {key: value for key, value in op.items() if key != "id"}
            self._answers.take({"id": op["id"], **await self._peer.answer(asked)})

    async def _live(self, task_status: trio.TaskStatus[None]) -> None:
        with self._scope:
            async with trio.open_nursery() as self._nursery:
                task_status.started()
                await trio.sleep_forever()

    def _begin(self, act: Callable[[Any], Awaitable[object]], argument: object) -> None:
        if self._nursery is not None:
            self._nursery.start_soon(self._deadly, act, argument)

    async def _deadly(self, act: Callable[[Any], Awaitable[object]], argument: object) -> None:
        """Do something as part of the driver: an exception out of it is the driver's death."""
        try:
            await act(argument)
        except Exception as error:  # noqa: BLE001  (whatever it is, it is the driver's)
            self._death = self._death or error
            if self._stream is not None:
                self._stream.abort()
            self._answers.end()
            self._scope.cancel()


def judge_embedded(
    cases: Sequence[Case],
    make: Callable[[], Peer],
    *,
    settings: Settings | None = None,
    report: Callable[[Result], None] = lambda _result: None,
) -> list[Result]:
    """Put cases to an embedded driver, in virtual time that jumps ahead while nobody can go on."""
    suite = Suite(Embedded(make), cases, settings or Settings(), report)
    return trio.run(suite.run, clock=MockClock(autojump_threshold=0))
