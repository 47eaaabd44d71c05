"""Callers with one fault each, made by changing frames on their way: each is found for its own reason."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import trio

from iptc_codec.peer.driver import Driver
from iptc_conformance.cases import load_cases
from iptc_conformance.driving.caller.embedded import judge_embedded
from iptc_conformance.driving.inbound import Frame, interpret
from iptc_conformance.wire import Deframer, encode, frame

if TYPE_CHECKING:
    from collections.abc import Callable

    from iptc_conformance.driving.result import Result
    from iptc_conformance.driving.streams import Stream

    Change = Callable[[Frame, bytes, dict[Any, Any]], list[bytes]]

CASES = {case.id: case for case in load_cases() if case.role == "caller"}


class Changed(trio.abc.HalfCloseableStream):
    """A caller's end of a connection on which frames are dropped, doubled or replaced."""

    def __init__(self, inner: Stream, sent: Change, heard: Change) -> None:
        self._inner = inner
        self._sent, self._heard = sent, heard
        self._out, self._in = Deframer(), Deframer()
        self._memory: dict[Any, Any] = {}

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        for changed in self._changed(self._out, bytes(data), self._sent):
            await self._inner.send_all(changed)

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        while data := await self._inner.receive_some(max_bytes):
            if kept := self._changed(self._in, bytes(data), self._heard):
                return b"".join(kept)
        return b""

    def _changed(self, deframer: Deframer, data: bytes, change: Change) -> list[bytes]:
        bodies = [cut.body or b"" for cut in deframer.feed(data)]
        return [new for body in bodies for new in change(interpret(body), frame(body), self._memory)]

    async def wait_send_all_might_not_block(self) -> None:
        await self._inner.wait_send_all_might_not_block()

    async def send_eof(self) -> None:
        await self._inner.send_eof()

    async def aclose(self) -> None:
        await self._inner.aclose()


def as_it_is(_seen: Frame, raw: bytes, _memory: dict[Any, Any]) -> list[bytes]:
    return [raw]


def without(kind: str) -> Change:
    return lambda seen, raw, _memory: [] if seen.kind == kind else [raw]


def doubled(kind: str) -> Change:
    return lambda seen, raw, _memory: [raw, raw] if seen.kind == kind else [raw]


def framed(value: object) -> bytes:
    return frame(encode(value))


def is_cancel(seen: Frame) -> bool:
    return seen.kind == "open" and seen.value[:2] == ["self", "_cancel_task"]


def no_cancel(seen: Frame, raw: bytes, _memory: dict[Any, Any]) -> list[bytes]:
    return [] if is_cancel(seen) else [raw]


def more_kwargs(seen: Frame, raw: bytes, _memory: dict[Any, Any]) -> list[bytes]:
    if not is_cancel(seen):
        return [raw]
    ns, func, kwargs, uid, cid = seen.value
    return [framed({"cmd": [ns, func, {**kwargs, "why": None}, uid, cid]})]


def other_uid(seen: Frame, raw: bytes, _memory: dict[Any, Any]) -> list[bytes]:
    if seen.kind != "open":
        return [raw]
    return [framed({"cmd": [*seen.value[:3], ["some", "body"], seen.value[4]]})]


def item_at_once(seen: Frame, raw: bytes, _memory: dict[Any, Any]) -> list[bytes]:
    if seen.kind != "open" or seen.value[1] != "ctx_echo":
        return [raw]
    return [raw, framed({"yield": 1, "cid": seen.value[4]})]


def more_after_fatal(seen: Frame, raw: bytes, _memory: dict[Any, Any]) -> list[bytes]:
    return [raw, framed({"stop": True, "cid": "none"})] if seen.kind == "fatal" else [raw]


def end_of_the_last(seen: Frame, raw: bytes, memory: dict[Any, Any]) -> list[bytes]:
    ended = memory.pop("ended", None) if seen.kind == "open" else None
    return [raw] if ended is None else [raw, framed({"stop": True, "cid": ended})]


def note_the_last(seen: Frame, raw: bytes, memory: dict[Any, Any]) -> list[bytes]:
    if seen.kind == "result":
        memory["ended"] = seen.cid
    return [raw]


def only_63_items(seen: Frame, raw: bytes, memory: dict[Any, Any]) -> list[bytes]:
    if seen.kind == "item":
        memory[seen.cid] = memory.get(seen.cid, 0) + 1
    return [] if seen.kind == "item" and memory[seen.cid] > 63 else [raw]


def notice_as_failure(seen: Frame, raw: bytes, _memory: dict[Any, Any]) -> list[bytes]:
    if seen.kind != "overrun":
        return [raw]
    return [framed({"error": {"tb_str": "", "type_str": "Lost"}, "cid": seen.cid})]


def judged(case: str, sent: Change, heard: Change) -> Result:
    class Broken(Driver):
        async def run(self, stream: Any, **settings: Any) -> None:
            await super().run(Changed(stream, sent, heard), **settings)

    (result,) = judge_embedded([CASES[case]], Broken)
    return result


@pytest.mark.parametrize(
    ("case", "clause", "sent", "heard"),
    [
        ("caller-str-echo", "STR-06s", without("end"), as_it_is),
        ("caller-str-one-end", "STR-03s", doubled("end"), as_it_is),
        ("caller-str-echo", "STR-06s", doubled("item"), as_it_is),
        ("caller-str-echo", "TRM-03s", end_of_the_last, note_the_last),
        ("caller-str-echo", "CTX-04s", item_at_once, as_it_is),
        ("caller-cxl-unary", "CXL-01s", no_cancel, as_it_is),
        ("caller-cxl-unary", "CXL-01s", more_kwargs, as_it_is),
        ("caller-str-generator-left", "CXL-01s", no_cancel, as_it_is),
        ("caller-opn-unary", "OPN-08s", other_uid, as_it_is),
        ("caller-opn-refused", "OPN-01s", as_it_is, without("fail")),
        ("caller-hsk-one-hello", "HSK-03s", doubled("hello"), as_it_is),
        ("caller-dsc-leaves", "DSC-01s", without("goodbye"), as_it_is),
        ("caller-dsc-goodbye", "DSC-02r", as_it_is, without("goodbye")),
        ("caller-rob-exports-nothing", "OPN-02s", as_it_is, without("open")),
        ("caller-rob-int", "ROB-02r", as_it_is, without("bad")),
        ("caller-rob-int", "ERR-08s", more_after_fatal, as_it_is),
        ("caller-err-fatal", "ERR-04r", as_it_is, without("fatal")),
        ("caller-flw-64-items", "FLW-08r", as_it_is, only_63_items),
        ("caller-flw-notice-context", "FLW-04r", as_it_is, notice_as_failure),
    ],
)
def test_a_fault_is_found_for_its_own_reason(case: str, clause: str, sent: Change, heard: Change) -> None:
    result = judged(case, sent, heard)
    assert result.verdict in {"fail", "hang"}, result.detail
    assert clause in result.failed, result.detail


@pytest.mark.parametrize(
    "case", ["caller-str-echo", "caller-cxl-unary", "caller-dsc-leaves", "caller-rob-int"]
)
def test_frames_that_are_passed_on_as_they_are_break_nothing(case: str) -> None:
    result = judged(case, as_it_is, as_it_is)
    assert (result.verdict, result.detail) == ("pass", "")


def deaf_from_the_notice_on(seen: Frame, raw: bytes, memory: dict[Any, Any]) -> list[bytes]:
    memory["deaf"] = memory.get("deaf") or seen.kind == "overrun"
    return [] if memory["deaf"] else [raw]


def test_a_violation_that_is_dropped_costs_a_warning() -> None:
    result = judged("caller-flw-notice-as-terminal", as_it_is, without("overrun"))
    assert (result.verdict, result.warned) == ("warn", ("ERR-01r",)), result.detail


def test_a_driver_that_is_stuck_has_dropped_nothing() -> None:
    result = judged("caller-flw-notice-as-terminal", as_it_is, deaf_from_the_notice_on)
    assert result.verdict == "hang", result.detail
    assert "ROB-01r" in result.failed
