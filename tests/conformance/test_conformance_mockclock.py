"""No verdict depends on wall time: the reference, embedded, under a clock that jumps whenever all wait.

An expectation that had to sleep for its answer, or that raced with another, would fail here: in virtual time
every timeout that can elapse before an answer does.
"""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING

import pytest
import trio

from iptc_codec.peer import Disconnected, serve_stream
from iptc_codec.peer.testee import Fixture
from iptc_conformance.cases import load_cases
from iptc_conformance.driving.callee.embedded import Serve, judge_embedded
from iptc_conformance.driving.session import Settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from iptc_conformance.driving.streams import Stream

CASES = [case for case in load_cases() if case.role == "callee"]
LATENCY = 0.3


class Through(trio.abc.HalfCloseableStream):
    """A testee's end of a connection, with something odd about it."""

    def __init__(self, inner: Stream) -> None:
        self.inner = inner

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        await self.inner.send_all(data)

    async def wait_send_all_might_not_block(self) -> None:
        await self.inner.wait_send_all_might_not_block()

    async def send_eof(self) -> None:
        await self.inner.send_eof()

    async def receive_some(self, max_bytes: int | None = None) -> bytes | bytearray:
        return await self.inner.receive_some(max_bytes)

    async def aclose(self) -> None:
        await self.inner.aclose()


class Far(Through):
    """Everything that is read or written takes its time."""

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        await trio.sleep(LATENCY)
        await self.inner.send_all(data)

    async def receive_some(self, max_bytes: int | None = None) -> bytes | bytearray:
        data = await self.inner.receive_some(max_bytes)
        await trio.sleep(LATENCY)
        return data


class Crumbs(Through):
    """Small writes go byte by byte, and reads bring little at a time."""

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        step = 1 if len(data) < 4096 else 1000
        for at in range(0, len(data), step):
            await self.inner.send_all(bytes(data[at : at + step]))

    async def receive_some(self, max_bytes: int | None = None) -> bytes | bytearray:
        return await self.inner.receive_some(3 if max_bytes is None else min(max_bytes, 997))


def reference(twist: Callable[[Stream], Stream]) -> Callable[[], Serve]:
    """The reference peer with the fixture, as an embedded testee."""

    def make() -> Serve:
        exports = Fixture().exports()

        async def serve(stream: Stream) -> None:
            try:
                await serve_stream(twist(stream), exports)
            except Disconnected:
                return

        return serve

    return make


@pytest.mark.parametrize(
    ("twist", "timeout"),
    [(lambda stream: stream, 2.0), (Crumbs, 2.0), (Far, 600.0)],
    ids=["plain", "crumbs", "far"],
)
def test_every_callee_case_passes_in_virtual_time(twist: Callable[[Stream], Stream], timeout: float) -> None:
    results = judge_embedded(CASES, reference(twist), settings=Settings(timeout=timeout), probe=True)
    assert {r.case.id: (r.verdict, r.detail) for r in results if r.verdict != "pass"} == {}
    assert Counter(r.case.id for r in results) == Counter(case.id for case in CASES)


def test_the_death_of_an_embedded_testee_is_a_crash() -> None:
    cases = [case for case in CASES if case.id in {"opn-unary", "str-count"}]

    def make() -> Serve:
        async def serve(stream: Stream) -> None:
            await stream.receive_some()
            raise RuntimeError("dead")

        return serve

    results = judge_embedded(cases, make)
    assert {result.verdict for result in results} == {"crash"}


def test_a_testee_that_never_answers_takes_no_real_time() -> None:
    def make() -> Serve:
        async def serve(_stream: Stream) -> None:
            await trio.sleep(math.inf)

        return serve

    results = judge_embedded(CASES[:3], make)
    assert {result.verdict for result in results} <= {"hang", "fail", "untestable"}
