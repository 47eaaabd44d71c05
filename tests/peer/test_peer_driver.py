"""The driver: every op and every outcome, against the reference testee and against a callee by hand."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest
import trio
import trio.testing

from iptc_codec._tagged import TagError, tag, untag
from iptc_codec.peer import serve_stream
from iptc_codec.peer.driver import Driver
from iptc_codec.peer.testee import Fixture
from tests.peer.peer_support import UID, Raw, error, stream_pair

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@asynccontextmanager
async def driven() -> AsyncIterator[Driver]:
    """A driver and the reference testee, over a memory stream."""
    ours, theirs = stream_pair()
    async with trio.open_nursery() as nursery:
        driver = Driver()
        nursery.start_soon(driver.run, ours)
        nursery.start_soon(serve_stream, theirs, Fixture().exports())
        yield driver
        driver.leave()


@asynccontextmanager
async def misled() -> AsyncIterator[tuple[Driver, Raw]]:
    """A driver and a callee by hand, whose end closes when the block is left."""
    ours, theirs = stream_pair()
    async with trio.open_nursery() as nursery:
        driver, raw = Driver(), Raw(theirs)
        nursery.start_soon(driver.run, ours)
        await raw.send(UID)
        assert len(await raw.receive()) == 2
        yield driver, raw
        driver.leave()
        await theirs.aclose()


def asked(op: str, func: str, **more: Any) -> dict[str, Any]:
    members: dict[str, Any] = {
        name: more.pop(name) for name in ("send", "take", "cancel_after") if name in more
    }
    return {"op": op, "func": func, "kwargs": more, **members}


VALUES: list[Any] = [
    *(1, -1, 1.5, "x", None, True, [1, [2]], {"a": {"b": None}}),
    *({"$bin": "00ff"}, {"$ext": [5, "01"]}, {"$timestamp": [1, 5000]}, {"$timestamp": [-1, 0]}),
    *({"$timestamp": [1 << 34, 0]}, {"$int": "18446744073709551615"}, {"$float": "nan"}, {"$float": "1.0"}),
    *({"$map": [[1, "x"], [[1, 2], None]]}, {"$map": [["$bin", 1]]}),
]


@pytest.mark.parametrize("value", VALUES, ids=str)
async def test_a_value_goes_there_and_back(value: Any) -> None:
    async with driven() as driver:
        assert await driver.answer(asked("call", "echo", value=value)) == {
            "outcome": "return",
            "value": value,
        }


@pytest.mark.parametrize(
    ("op", "outcome"),
    [
        (asked("call", "fail", message="m"), {"outcome": "error", "type": "FixtureError"}),
        (asked("call", "nope"), {"outcome": "error", "type": "AttributeError"}),
        (asked("call", "count", n=1), {"outcome": "error", "type": "CallKindError"}),
        (asked("call", "hang", cancel_after=0.5), {"outcome": "cancelled"}),
        (asked("call", "hang", cancel_after=0), {"outcome": "cancelled"}),
        (asked("stream", "count", n=3), {"outcome": "stop", "items": [0, 1, 2]}),
        (asked("stream", "count", n=0, take=1), {"outcome": "stop", "items": []}),
        (asked("stream", "count", n=3, take=2), {"outcome": "closed", "items": [0, 1]}),
        (asked("stream", "count_forever", take=3), {"outcome": "closed", "items": [0, 1, 2]}),
        (asked("stream", "count_forever", take=0), {"outcome": "closed", "items": []}),
        (
            asked("stream", "count_then_fail", n=2, message="m"),
            {"outcome": "error", "type": "FixtureError", "items": [0, 1]},
        ),
        (
            asked("context", "ctx_return", first=1, result=2),
            {"outcome": "return", "first": 1, "items": [], "value": 2},
        ),
        (
            asked("context", "ctx_echo", first=0, send=[1, {"$bin": "00"}]),
            {"outcome": "return", "first": 0, "items": [1, {"$bin": "00"}], "value": 2},
        ),
        (
            asked("context", "ctx_echo", first=0, send=[1, 2, 3], take=2),
            {"outcome": "return", "first": 0, "items": [1, 2], "value": 3},
        ),
        (
            asked("context", "ctx_push", first=0, n=2, send=[]),
            {"outcome": "return", "first": 0, "items": [0, 1], "value": 2},
        ),
        (
            asked("context", "ctx_collect", first=0, send=[4, 5]),
            {"outcome": "return", "first": 0, "items": [], "value": [4, 5]},
        ),
        (
            asked("context", "ctx_fail", first=1, message="m"),
            {"outcome": "error", "type": "FixtureError", "first": 1, "items": []},
        ),
        (
            asked("context", "ctx_fail_before_started", message="m"),
            {"outcome": "error", "type": "FixtureError"},
        ),
        (
            asked("context", "ctx_hang", first=1, cancel_after=0.5),
            {"outcome": "cancelled", "first": 1, "items": []},
        ),
        (asked("context", "ctx_hang_before_started", cancel_after=0.5), {"outcome": "cancelled"}),
    ],
    ids=str,
)
async def test_an_op_has_this_outcome(op: dict[str, Any], outcome: dict[str, Any]) -> None:
    async with driven() as driver:
        assert await driver.answer(op) == outcome


@pytest.mark.parametrize(
    "op",
    [
        *(None, 1, [], {}, {"op": "jump"}, {"op": "call"}, {"op": "call", "func": 1}),
        *({"op": "call", "func": "echo", "kwargs": []}, {"op": "close", "more": 1}),
        *({**asked("call", "echo"), "take": 1}, asked("stream", "count", n=1, send=[1])),
        *(asked("call", "echo", value={"$what": 1}), asked("call", "echo", value={"$bin": "0"})),
        *(asked("call", "echo", value=1 << 64), asked("call", "echo", value={"$map": [[1, 0], [True, 0]]})),
        *(asked("context", "ctx_echo", first=0, send=[{"$str": "ff"}]),),
    ],
    ids=str,
)
async def test_what_the_driver_cannot_do_is_unsupported(op: object) -> None:
    async with driven() as driver:
        assert (await driver.answer(op))["outcome"] == "unsupported"
        assert (await driver.answer(asked("call", "echo", value=1)))["outcome"] == "return"


async def test_ops_run_at_once() -> None:
    async with driven() as driver, trio.open_nursery() as nursery:
        answers: list[Any] = []

        async def ask(op: dict[str, Any]) -> None:
            answers.append((await driver.answer(op))["outcome"])

        nursery.start_soon(ask, asked("call", "hang", cancel_after=5))
        await trio.testing.wait_all_tasks_blocked()
        await ask(asked("call", "echo", value=1))
        assert answers == ["return"]
    assert answers == ["return", "cancelled"]


async def test_close_says_goodbye_and_nothing_works_afterwards() -> None:
    async with misled() as (driver, raw), trio.open_nursery() as nursery:
        answers: list[Any] = []

        async def close() -> None:
            answers.append(await driver.answer({"op": "close"}))

        nursery.start_soon(close)
        assert await raw.receive() is None
        assert not answers
        await raw.send(None)
        await trio.testing.wait_all_tasks_blocked()
        assert answers == [{"outcome": "closed"}]
        assert await driver.answer(asked("call", "echo", value=1)) == {"outcome": "disconnected"}


async def test_a_lost_connection_costs_ops_and_not_the_driver() -> None:
    async with misled() as (driver, raw), trio.open_nursery() as nursery:
        answers: list[Any] = []

        async def ask(op: dict[str, Any]) -> None:
            answers.append(await driver.answer(op))

        nursery.start_soon(ask, asked("call", "hang"))
        await raw.receive()
        await raw.stream.aclose()
        await trio.testing.wait_all_tasks_blocked()
        assert answers == [{"outcome": "disconnected"}]
        assert await driver.answer(asked("stream", "count", n=1)) == {"outcome": "disconnected", "items": []}
        assert await driver.answer({"op": "close"}) == {"outcome": "closed"}


async def test_a_connection_without_hello_is_disconnected() -> None:
    ours, theirs = stream_pair()
    async with trio.open_nursery() as nursery:
        driver = Driver()
        nursery.start_soon(driver.run, ours)
        answer = await driver.answer(asked("call", "echo", value=1))
        assert answer == {"outcome": "disconnected"}
        await theirs.aclose()


async def test_a_violation_is_named() -> None:
    async with misled() as (driver, raw), trio.open_nursery() as nursery:
        answers: list[Any] = []

        async def ask() -> None:
            answers.append(await driver.answer(asked("call", "echo", value=1)))

        nursery.start_soon(ask)
        cid = (await raw.receive())["cmd"][4]
        await raw.send({"functype": "asyncfunc", "cid": cid}, {"yield": 1, "cid": cid})
        assert (await raw.receive())["cmd"][1] == "_cancel_task"
        await raw.send(error(cid, "ContextCancelled"))
        await trio.testing.wait_all_tasks_blocked()
        assert answers[0]["outcome"] == "protocol-error"
        assert answers[0]["detail"].startswith("[STR-01s]")


async def test_a_callee_that_answers_no_cancel_holds_an_op_for_a_second() -> None:
    async with misled() as (driver, _), trio.open_nursery():
        before = trio.current_time()
        assert (await driver.answer(asked("call", "hang", cancel_after=1)))["outcome"] == "cancelled"
        assert trio.current_time() - before == pytest.approx(2)


@pytest.mark.parametrize("value", [object(), {1: object()}, 1j], ids=lambda value: type(value).__name__)
def test_a_value_that_msgspec_never_reads_has_no_tag(value: object) -> None:
    with pytest.raises(TagError):
        tag(value)


@pytest.mark.parametrize(
    "tagged", [{"$timestamp": [0, 10**9]}, {"$bin": 1}, {"$bin": "00", "more": 1}, {"$int": "x"}], ids=str
)
def test_a_tag_that_means_nothing_is_refused(tagged: object) -> None:
    with pytest.raises(TagError):
        untag(tagged)


def run_driver(port: int, lines: list[str]) -> tuple[list[Any], str]:
    """Run the driver as a process over these lines and the end of stdin; what it has said."""
    done = subprocess.run(
        [sys.executable, "-m", "iptc_codec.peer.driver"],
        input="".join(f"{line}\n" for line in lines),
        env={**os.environ, "IPTC_HOST": "127.0.0.1", "IPTC_PORT": str(port)},
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    return [json.loads(line) for line in done.stdout.splitlines()], done.stderr


async def test_the_process_answers_each_line_once_and_leaves(real_clock: None) -> None:
    lines = [
        '{"id": "a", "op": "call", "func": "echo", "kwargs": {"value": 1}}',
        *("no JSON", "", '{"id": 2, "op": "close"}', '{"id": 3}'),
    ]
    async with trio.open_nursery() as nursery:
        listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")

        async def served(stream: trio.abc.Stream) -> None:
            await serve_stream(stream, Fixture().exports())

        nursery.start_soon(trio.serve_listeners, served, listeners)
        port = listeners[0].socket.getsockname()[1]
        answers, stderr = await trio.to_thread.run_sync(run_driver, port, lines)
        nursery.cancel_scope.cancel()
    by_id = {answer["id"]: answer["outcome"] for answer in answers}
    assert len(answers) == 4
    assert by_id["a"] in {"return", "disconnected"}  # it is asked to leave at once
    assert by_id[None] == "unsupported"
    assert by_id[2] == "closed"
    assert by_id[3] == "unsupported"
    assert stderr == ""


async def test_the_process_says_disconnected_where_nobody_listens(real_clock: None) -> None:
    (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
    port = listener.socket.getsockname()[1]
    await listener.aclose()
    lines = ['{"id": 1, "op": "call", "func": "echo", "kwargs": {}}', '{"id": 2, "op": "close"}']
    answers, stderr = await trio.to_thread.run_sync(run_driver, port, lines)
    assert {answer["id"]: answer["outcome"] for answer in answers} == {1: "disconnected", 2: "closed"}
    assert stderr.startswith("driver: nobody listens")
