"""One closed world: connections between peers, their weather, their work, and what has to hold after it.

A plan is JSON, so that people can read a finding and change it:

    {"seed": 7, "connections": [{"left": [[[2, 5, 0]]], "right": [], "stay": 50,
                                 "left_weather": {"piece": 3, "cut_at": 99}, "right_weather": {},
                                 "socket": true}]}

`left` and `right` are the workers of the two ends, each a row of operations; `stay` is how long the left end
stays. Over a `socket` whoever waits may read. A connection in fair weather shows that the others do not touch
it.
"""

from __future__ import annotations

import logging
import math
import random
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import trio
import trio.testing

from iptc_codec import Limits, Role
from iptc_codec.peer import Disconnected, Peer, Settings, open_stream_peer
from iptc_fuzz.held import left_over
from iptc_fuzz.observers import JudgeObserver
from iptc_fuzz.simulation.pipe import CUTS, FAIR, FaultySocket, FaultyStream, Pipe, Weather
from iptc_fuzz.simulation.work import Operation, Served, Worker
from iptc_fuzz.traffic import Chunk, Side, other

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

LIMITS = Limits(held_items=16, hello_seconds=5, cancel_seconds=3, goodbye_seconds=3)
SETTINGS = Settings(send_bytes=2000, answer_bytes=4000, answer_seconds=5)
_LIGHT = 0.001
"""Seconds of delay, a piece, that make no bound pass."""

_BOUND = 3600.0
"""Seconds of the clock of the world, in which everything has an end."""


@dataclass(frozen=True)
class Plan:
    """One connection: workers, weather, how long the left end stays, and whether it is used as a socket."""

    left: tuple[tuple[Operation, ...], ...] = ()
    right: tuple[tuple[Operation, ...], ...] = ()
    left_weather: Weather = FAIR
    right_weather: Weather = FAIR
    stay: float = math.inf
    socket: bool = False

    @property
    def calm(self) -> bool:
        """Whether nothing but its own ends can end it: nothing is cut, or so late that a bound may pass."""
        weathers = (self.left_weather, self.right_weather)
        return all(each.cut_at is None and each.delay <= _LIGHT for each in weathers)


def read_plans(plan: Any) -> tuple[int, list[Plan]]:
    """Return seed and connections of a plan. Raises ValueError, TypeError, KeyError, AttributeError."""
    return int(plan["seed"]), [_plan(one) for one in plan["connections"][:3]]


def _plan(raw: dict[str, Any]) -> Plan:
    left, right = (
        tuple(tuple(Operation(*_small(one)) for one in worker[:8]) for worker in raw.get(end, [])[:4])
        for end in ("left", "right")
    )
    there, back = (_weather(raw.get(name, {})) for name in ("left_weather", "right_weather"))
    return Plan(left, right, there, back, float(raw.get("stay", math.inf)), bool(raw.get("socket")))


def _small(numbers: list[int]) -> list[int]:
    return [abs(int(number)) % 64 for number in numbers[:3]]


def _weather(raw: dict[str, Any]) -> Weather:
    cut_at, cut = raw.get("cut_at"), raw.get("cut", "eof")
    return Weather(
        max(1, int(raw.get("piece", 1 << 16))),
        max(8, int(raw.get("capacity", 1 << 16))),
        min(10.0, max(0.0, float(raw.get("delay", 0)))),
        None if cut_at is None else max(0, int(cut_at)),
        cut if cut in CUTS else "eof",
    )


class End:
    """One end of a connection: what the judge sees from its seat, its peer, what it serves."""

    def __init__(self, side: Side) -> None:
        self.side = side
        self.judge = JudgeObserver()
        self.served = Served()
        self.peer: Peer | None = None
        self.workers: list[Worker] = []
        self.found: list[str] = []
        """What the judge has found. Where it was found it may be taken for an error of a function."""

    def sent(self, data: bytes) -> None:
        """Have the judge see what leaves here."""
        self._judge(Chunk(self.side, data, eof=not data))

    def heard(self, data: bytes) -> None:
        """Have the judge see what arrives here."""
        self._judge(Chunk(other(self.side), data, eof=not data))

    def _judge(self, chunk: Chunk) -> None:
        for finding in self.judge.feed(chunk):
            self.found.append(f"on what the {chunk.side} says: {finding}")

    def check(self) -> None:
        """Raise AssertionError where the judge has found something, or something is left."""
        assert not self.found, f"the judge at the {self.side}, {self.found}"
        assert self.served.inside == 0, f"{self.served.inside} functions still run"
        if self.peer is not None:
            assert left_over(self.peer) == {}


@dataclass
class Tie:
    """A connection in the world."""

    plan: Plan
    dice: random.Random
    left: End = field(default_factory=lambda: End("initiator"))
    right: End = field(default_factory=lambda: End("acceptor"))

    async def live(self) -> None:
        """Be connected, work, and part."""
        there, back = Pipe(self.plan.left_weather, self.dice), Pipe(self.plan.right_weather, self.dice)

        def reset() -> None:
            there.reset()
            back.reset()

        there.on_reset = back.on_reset = reset
        one = self._stream(there, back, self.left)
        two = self._stream(back, there, self.right)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._be, self.left, one, Role.INITIATOR, self.plan.left, self.plan.stay)
            nursery.start_soon(self._be, self.right, two, Role.ACCEPTOR, self.plan.right, None)

    def _stream(self, out: Pipe, into: Pipe, end: End) -> FaultyStream:
        if self.plan.socket:
            return FaultySocket(out, into, end.sent, end.heard, self.dice)
        return FaultyStream(out, into, end.sent, end.heard)

    async def _be(
        self,
        end: End,
        stream: FaultyStream,
        role: Role,
        work: tuple[tuple[Operation, ...], ...],
        stay: float | None,
    ) -> None:
        """Be one end: the right one stays until the left one has left."""
        calm = self.plan.calm and stay == math.inf  # the right end sees the left one leave
        try:
            async with open_stream_peer(
                stream, role=role, exports=end.served.exports(), limits=LIMITS, settings=SETTINGS
            ) as end.peer:
                with trio.move_on_after(math.inf if stay is None else stay):
                    async with trio.open_nursery() as workers:
                        for operations in work:
                            worker = Worker(end.peer, calm=calm)
                            end.workers.append(worker)
                            workers.start_soon(worker.work, list(operations))
                if stay is None:
                    await end.peer.closed()
        except Disconnected:
            assert not self.plan.calm, "a connection that nobody touched was lost"
        end.check()


def run(seed: int, plans: list[Plan]) -> list[Tie]:
    """Live through plans side by side, the same way for the same seed. Raises what was not kept."""
    dice = random.Random(seed)  # noqa: S311  (dice, not secrets)
    ties = [Tie(plan, random.Random(dice.random())) for plan in plans]  # noqa: S311

    async def main() -> None:
        before = trio.lowlevel.current_statistics().tasks_living
        with trio.fail_after(_BOUND):
            async with trio.open_nursery() as nursery:
                for tie in ties:
                    nursery.start_soon(tie.live)
        assert trio.lowlevel.current_statistics().tasks_living == before, "a task is left"

    with _scheduled(dice.random()), _errors_of("iptc_codec.peer") as errors:
        trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))
    assert errors == [], f"logged: {errors}"
    return ties


@contextmanager
def _scheduled(seed: float) -> Iterator[None]:
    """Let trio's own dice fall as the seed says, and tasks stand in a fixed order before they are cast."""
    inner: Any = trio._core._run  # noqa: SLF001  (there is no public way)
    before, state = inner._ALLOW_DETERMINISTIC_SCHEDULING, inner._r.getstate()  # noqa: SLF001
    inner._ALLOW_DETERMINISTIC_SCHEDULING = True  # noqa: SLF001
    inner._r.seed(seed)  # noqa: SLF001
    try:
        yield
    finally:
        inner._ALLOW_DETERMINISTIC_SCHEDULING = before  # noqa: SLF001
        inner._r.setstate(state)  # noqa: SLF001


@contextmanager
def _errors_of(name: str) -> Iterator[list[str]]:
    """Collect what a logger says at the level of an error, and keep it from everybody else."""
    found: list[str] = []
    handler = _Collector(found.append)
    logger = logging.getLogger(name)
    propagates = logger.propagate
    logger.addHandler(handler)
    logger.propagate = False
    try:
        yield found
    finally:
        logger.removeHandler(handler)
        logger.propagate = propagates


class _Collector(logging.Handler):
    def __init__(self, take: Callable[[str], None]) -> None:
        super().__init__(logging.ERROR)
        self._take = take

    def emit(self, record: logging.LogRecord) -> None:
        self._take(f"{record.getMessage()}: {record.exc_info and record.exc_info[1]!r}")
