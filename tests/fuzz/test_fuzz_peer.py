"""The simulated world: it repeats itself, and it sees a peer that does not keep its word."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from iptc_codec.peer import _calls
from iptc_codec.peer._reading import Reading
from iptc_fuzz import TARGETS
from iptc_fuzz.simulation import world
from iptc_fuzz.simulation.pipe import CUTS, FaultyStream, Weather
from iptc_fuzz.simulation.work import KINDS, Operation

if TYPE_CHECKING:
    from collections import Counter

    from iptc_codec.peer._endpoint import Outcome

EVERY_KIND = tuple((Operation(kind, 5), Operation(kind, 6)) for kind in range(len(KINDS)))


@pytest.fixture(params=[False, True], ids=["stream", "socket"])
def socket(request: pytest.FixtureRequest) -> bool:
    """Whether connections are used as sockets are."""
    as_socket: bool = request.param
    return as_socket


def lived(seed: int, plan: world.Plan) -> list[Counter[str]]:
    """What came of the workers of one connection."""
    (tie,) = world.run(seed, [plan])
    return [worker.outcomes for worker in tie.left.workers]


def test_every_operation_ends_as_it_should_in_fair_weather(socket: bool) -> None:
    outcomes = lived(1, world.Plan(left=EVERY_KIND, socket=socket))
    seen = {name for outcome in outcomes for name in outcome}
    assert {"echo", "count", "mirror", "collect", "push", "refused", "broken", "dumb", "unsayable"} <= seen


def test_the_same_seed_gives_the_same_world(socket: bool) -> None:
    weather = Weather(piece=7, delay=0.001)
    plan = world.Plan(EVERY_KIND, EVERY_KIND[:4], weather, Weather(cut_at=900), 5, socket)
    assert [lived(7, plan) for _ in range(3)] == [lived(7, plan)] * 3


@pytest.mark.parametrize("cut", CUTS)
@pytest.mark.parametrize("at", [0, 3, 4, 44, 45, 46, 100, 200, 333])
def test_a_connection_cut_anywhere_leaves_nothing(cut: str, at: int, socket: bool) -> None:
    weather = {"cut_at": at, "cut": cut}
    plan = {"left": [[[2, 9, 0]], [[6, 1, 0]]], "right": [[[1, 9, 0]]], "socket": socket}
    for side in ("left_weather", "right_weather"):
        connections = [{"left": [[[0, 1, 0], [2, 5, 0]]]}, {**plan, side: weather}]
        TARGETS["peer"].check(json.dumps({"seed": at, "connections": connections}).encode())


def test_a_second_terminal_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """By way of the judge: the codec itself would not let it pass."""
    put = FaultyStream.send_all

    async def twice(self: FaultyStream, data: bytes | bytearray | memoryview) -> None:
        await put(self, data)
        if b"return" in bytes(data):
            await put(self, data)

    monkeypatch.setattr(FaultyStream, "send_all", twice)
    with pytest.raises(BaseExceptionGroup) as info:
        world.run(1, [world.Plan(left=((Operation(0, 1),),))])
    assert "TRM-0" in str(leaf(info.value))


def test_a_call_that_is_not_forgotten_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    settle = _calls.Calls.settle

    def remember(self: _calls.Calls, call: _calls.Call, outcome: Outcome) -> None:
        settle(self, call, outcome)
        self.live[call.cid] = call

    monkeypatch.setattr(_calls.Calls, "settle", remember)
    with pytest.raises(BaseExceptionGroup) as info:
        world.run(1, [world.Plan(left=((Operation(0, 1),),))])
    assert isinstance(leaf(info.value), AssertionError)


def test_a_reader_that_leaves_its_turn_to_others_for_ever_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    async def waits(self: Reading) -> None:
        await self._reader.wait()

    monkeypatch.setattr(Reading, "stand_by", waits)
    with pytest.raises(BaseExceptionGroup) as info:
        world.run(1, [world.Plan(left=((Operation(0, 1),),), socket=True)])
    assert isinstance(leaf(info.value), AssertionError)


def leaf(error: BaseException) -> BaseException:
    """The first exception inside of groups."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
