"""The judge watches the peer: random work between two of them, and random hostility against one."""

from __future__ import annotations

import random
from collections import Counter
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any

import pytest
import trio
import trio.testing

from iptc_codec import Limits, Role
from iptc_codec.peer import Disconnected, Peer, PeerError, open_stream_peer
from iptc_codec.peer.testee import Fixture
from iptc_conformance.judge import Judge
from iptc_conformance.trace import Side, TraceEvent
from tests.peer.peer_support import NS, Raw, cancel, cmd, error, frame, serving, stream_pair

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

SEEDS = range(25)
LIMITS = Limits(held_items=64, cancel_seconds=3, goodbye_seconds=3)


def chance_of(seed: float) -> random.Random:
    """The same dice for the same seed."""
    return random.Random(seed)  # noqa: S311 - dice, not secrets


class Observer:
    """Stands between two ends, passes on what they say, and has it judged."""

    def __init__(self) -> None:
        self.judge = Judge()
        self._seq = 0

    def note(self, sender: Side, data: bytes) -> None:
        """Let the judge see one chunk, or, if it is empty, the end."""
        self._seq += 1
        self.judge.feed(TraceEvent(self._seq, "1", sender, data or None, eof=not data))

    async def pass_on(self, sender: Side, source: trio.abc.Stream, sink: trio.abc.Stream) -> None:
        """Copy one direction up to its end."""
        with suppress(trio.BrokenResourceError, trio.ClosedResourceError):
            while data := bytes(await source.receive_some(1000)):
                self.note(sender, data)
                await sink.send_all(data)
        self.note(sender, b"")
        await trio.aclose_forcefully(sink)

    def findings(self, *sides: str) -> list[str]:
        """What these sides did wrong, up to where the other one made the connection worthless.

        What is said after that has another meaning here than where it was said: a cid that is opened again
        may be live here, and over there.
        """
        found = self.judge.report().findings
        worthless = [each.seq for each in found if each.side not in sides and each.reaction == "close"]
        end = min(worthless, default=self._seq)
        return [str(each) for each in found if each.side in sides and each.seq <= end]


@asynccontextmanager
async def observed() -> AsyncIterator[tuple[Observer, trio.abc.Stream, trio.abc.Stream]]:
    """An observer, and the two ends of the stream that it watches."""
    observer = Observer()
    left, near = stream_pair()
    far, right = stream_pair()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(observer.pass_on, "initiator", near, far)
        nursery.start_soon(observer.pass_on, "acceptor", far, near)
        yield observer, left, right


class Worker:
    """Random calls of a peer, each of which may be cut short."""

    def __init__(self, peer: Peer, chance: random.Random) -> None:
        self._peer = peer
        self._chance = chance
        self.outcomes: Counter[str] = Counter()

    async def work(self) -> None:
        """Some calls, one after the other."""
        kinds = [
            self.call,
            self.failing,
            self.hanging,
            self.stream,
            self.echo,
            self.collect,
            self.push,
            self.hang,
        ]
        for _ in range(self._chance.randint(1, 6)):
            kind = self._chance.choice(kinds)
            try:
                with trio.move_on_after(self._chance.choice([0, 0.001, 0.01, 2, 50])) as scope:
                    await kind()
                self.outcomes["cut short" if scope.cancelled_caught else kind.__name__] += 1
            except Disconnected:
                self.outcomes["disconnected"] += 1
                return
            except (PeerError, trio.ClosedResourceError, ZeroDivisionError) as failure:
                self.outcomes[type(failure).__name__] += 1

    async def call(self) -> None:
        assert await self._peer.call(NS, "echo", value=[1, "x"]) == [1, "x"]

    async def failing(self) -> None:
        func = self._chance.choice(["fail", "nope", "count"])
        await self._peer.call(NS, func, message="m")

    async def hanging(self) -> None:
        await self._peer.call(NS, self._chance.choice(["hang", "slow_cancel"]), seconds=1)

    async def stream(self) -> None:
        func = self._chance.choice(["count", "count_then_fail", "count_forever"])
        kwargs: dict[str, Any] = {} if func == "count_forever" else {"n": self._chance.randint(0, 200)}
        if func == "count_then_fail":
            kwargs["message"] = "m"
        take = self._chance.randint(0, 100)
        async with self._peer.stream(NS, func, **kwargs) as items:
            async for _ in items:
                if not take:
                    break
                take -= 1
                await trio.sleep(self._chance.choice([0, 0, 0.1]))

    async def echo(self) -> None:
        async with self._peer.context(NS, "ctx_echo", first=1) as (ctx, _), ctx.stream() as stream:
            count = self._chance.randint(0, 20)
            for i in range(count):
                await stream.send(i)
                if self._chance.random() < 0.1:
                    raise ZeroDivisionError
            stream.end()
            assert [item async for item in stream] == [*range(count)]
            assert await ctx.result() == count

    async def collect(self) -> None:
        async with self._peer.context(NS, "ctx_collect", first=1) as (ctx, _):
            async with ctx.stream() as stream:
                for i in range(self._chance.randint(0, 300)):
                    await stream.send(i)
            await ctx.result()

    async def push(self) -> None:
        async with self._peer.context(NS, "ctx_push", first=1, n=self._chance.randint(0, 300)) as (ctx, _):
            if self._chance.random() < 0.5:
                async with ctx.stream() as stream:
                    await stream.receive()
            await ctx.result()

    async def hang(self) -> None:
        calls: list[tuple[str, dict[str, Any]]] = [
            ("ctx_hang", {"first": 1}),
            ("ctx_fail", {"first": 1, "message": "m"}),
            ("ctx_return", {"first": 1, "result": 1}),
            ("ctx_fail_before_started", {"message": "m"}),
        ]
        func, kwargs = self._chance.choice(calls)
        async with self._peer.context(NS, func, **kwargs) as (ctx, _), ctx.stream() as stream:
            for i in range(self._chance.randint(0, 200)):
                await stream.send(i)
            await ctx.result()


async def end(stream: trio.abc.Stream, role: Role, chance: random.Random) -> Counter[str]:
    """A peer that works, with the other one's functions, and leaves when it is done, or before."""
    async with (
        trio.open_nursery() as nursery,
        open_stream_peer(stream, role=role, exports=Fixture().exports(), limits=LIMITS) as peer,
    ):
        worker = Worker(peer, chance)
        with trio.move_on_after(chance.choice([0.01, 1, 20, 100])):
            async with trio.open_nursery() as workers:
                for _ in range(chance.randint(1, 8)):
                    workers.start_soon(worker.work)
        if chance.random() < 0.3:
            nursery.start_soon(worker.work)  # still at it when its peer leaves
    return worker.outcomes


@pytest.mark.parametrize("seed", SEEDS)
async def test_two_peers_at_work_keep_every_clause(seed: int) -> None:
    chance = chance_of(seed)
    outcomes: list[Counter[str]] = []

    async def run(stream: trio.abc.Stream, role: Role) -> None:
        with suppress(Disconnected):
            outcomes.append(await end(stream, role, chance_of(chance.random())))

    async with observed() as (observer, left, right), trio.open_nursery() as nursery:
        nursery.start_soon(run, left, Role.INITIATOR)
        nursery.start_soon(run, right, Role.ACCEPTOR)
    assert observer.findings("initiator", "acceptor") == []


def hostile(chance: random.Random, step: int) -> bytes:
    """Something to say, mostly a message, mostly of a call that exists."""
    cid = f"c{chance.randint(0, 5)}"
    fresh = f"n{step}"
    messages: list[object] = [
        cmd(cid if chance.random() < 0.2 else fresh, "echo", value=1),
        cmd(cid, chance.choice(["hang", "count", "slow_cancel", "nope"]), n=3, seconds=1),
        cmd(cid, chance.choice(["hang", "count_forever", "ctx_hang_before_started"])),
        cmd(cid, chance.choice(["ctx_echo", "ctx_collect", "ctx_hang"]), first=1),
        cancel(fresh, cid),
        cancel(cid, fresh),
        *[
            {kind: chance.choice([1, True, None]), "cid": cid}
            for kind in ("yield", "yield", "stop", "return")
        ],
        {"yield": 1, "cid": cid},
        {"functype": chance.choice(["asyncfunc", "context", "weird"]), "cid": cid},
        error(cid, chance.choice(["StreamOverrun", "ValueError", "ContextCancelled"])),
        {"started": 1, "cid": cid},
        {"bogus": 1, "cid": cid},
    ]
    if chance.random() < 0.02:
        messages = [None, 5, {}, ["a", "b"], {"error": {"tb_str": "", "type_str": "X"}}]
    return frame(chance.choice(messages))


@pytest.mark.parametrize("seed", SEEDS)
async def test_a_hostile_end_makes_no_honest_one_break_a_clause(seed: int) -> None:
    chance = chance_of(seed)
    async with serving() as sane:
        async with observed() as (observer, left, right), trio.open_nursery() as nursery:
            nursery.start_soon(serve, right)
            raw = Raw(left)
            nursery.start_soon(listen, raw)
            with suppress(trio.BrokenResourceError, trio.ClosedResourceError):
                await raw.send(["raw", "u1"])
                for step in range(chance.randint(1, 60)):
                    await left.send_all(hostile(chance, step))
                    if chance.random() < 0.3:
                        await trio.testing.wait_all_tasks_blocked()
                await trio.testing.wait_all_tasks_blocked()
            await left.aclose()
        assert observer.findings("acceptor") == []
        assert await sane.barrier("b") == []


async def listen(raw: Raw) -> None:
    """Read whatever comes, until this end is closed."""
    with suppress(trio.ClosedResourceError):
        await raw.rest()


async def serve(stream: trio.abc.Stream) -> None:
    """Be the honest end."""
    with suppress(Disconnected):
        async with open_stream_peer(
            stream, role=Role.ACCEPTOR, exports=Fixture().exports(), limits=LIMITS
        ) as peer:
            await peer.closed()
