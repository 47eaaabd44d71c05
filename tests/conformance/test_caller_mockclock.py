"""No verdict on a caller depends on wall time: the reference, embedded, under a clock that jumps ahead."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
import trio

from iptc_codec.peer.driver import Driver
from iptc_conformance.cases import load_cases
from iptc_conformance.driving.caller.embedded import judge_embedded

if TYPE_CHECKING:
    from collections.abc import Callable

    from iptc_conformance.driving.result import Result
    from iptc_conformance.driving.streams import Stream

CASES = [case for case in load_cases() if case.role == "caller"]
LATENCY = 0.3


class Through(trio.abc.HalfCloseableStream):
    """A caller's end of a connection, with something odd about it."""

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
        step = 1 if len(data) < 4096 else 4000
        for at in range(0, len(data), step):
            await self.inner.send_all(bytes(data[at : at + step]))

    async def receive_some(self, max_bytes: int | None = None) -> bytes | bytearray:
        return await self.inner.receive_some(3 if max_bytes is None else min(max_bytes, 997))


def reference(twist: Callable[[Stream], Stream]) -> Callable[[], Any]:
    """The reference's driver, as an embedded one."""

    class Twisted(Driver):
        async def run(self, stream: Any, **settings: Any) -> None:
            await super().run(twist(stream), **settings)

    return Twisted


@pytest.fixture(scope="module")
def plain() -> list[Result]:
    """What becomes of the cases where nothing is odd."""
    return judge_embedded(CASES, reference(lambda stream: stream))


def not_passed(results: list[Result]) -> dict[str, tuple[str, str]]:
    return {result.case.id: (result.verdict, result.detail) for result in results if result.verdict != "pass"}


def test_reference_passes_every_case_in_virtual_time(plain: list[Result]) -> None:
    assert not_passed(plain) == {}
    assert Counter(result.case.id for result in plain) == Counter(case.id for case in CASES)


@pytest.mark.parametrize("twist", [Far, Crumbs])
def test_reference_passes_every_case_from_afar_and_in_crumbs(twist: Callable[[Stream], Stream]) -> None:
    assert not_passed(judge_embedded(CASES, reference(twist))) == {}


def test_a_case_waits_for_no_timeout_unless_it_says_that_it_is_slow(plain: list[Result]) -> None:
    long = {
        result.case.id: result.seconds for result in plain if result.seconds > 1.5 and not result.case.slow
    }
    assert long == {}
