"""A run that is cancelled in the moment in which a connection was made leaves none behind."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import pytest
import trio

from iptc_conformance.driving.callee.session import Session
from iptc_conformance.driving.caller.driver import Command, DriverError
from iptc_conformance.driving.session import Settings
from iptc_conformance.driving.streams import memory_streams

if TYPE_CHECKING:
    from iptc_conformance.driving.streams import MemoryStream, Stream

SCRATCH = Path(__file__).with_name("scratch_driver.py")
BOUND = 60


def test_a_driver_that_has_just_connected(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[trio.SocketStream] = []
    scope = trio.CancelScope()
    accept = trio.SocketListener.accept

    async def accepting(listener: trio.SocketListener) -> trio.SocketStream:
        made.append(await accept(listener))
        scope.cancel()
        return made[0]

    async def run() -> None:
        driver = Command([sys.executable, str(SCRATCH), "honest"], "iptc_testee")
        with trio.fail_after(BOUND), scope:
            async with trio.open_nursery() as nursery:
                await driver.start(nursery, lambda: None)
        assert await driver.ended() == "it was stopped"

    monkeypatch.setattr(trio.SocketListener, "accept", accepting)
    trio.run(run)
    assert scope.cancelled_caught
    assert [stream.socket.fileno() for stream in made] == [-1]


def test_a_driver_whose_connection_was_taken_before_its_run_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    """There is no wait any more between the connection and whoever gets it."""
    connection = Command._connection
    scope = trio.CancelScope()

    async def connected(*arguments: Any) -> Stream | None:
        stream = await connection(*arguments)
        scope.cancel()
        return stream

    async def run() -> None:
        driver = Command([sys.executable, str(SCRATCH), "honest"], "iptc_testee")
        with trio.fail_after(BOUND), scope:
            async with trio.open_nursery() as nursery, await driver.start(nursery, lambda: None):
                await driver.stop()

    monkeypatch.setattr(Command, "_connection", connected)
    trio.run(run)
    assert scope.cancelled_caught


def test_a_driver_that_is_stopped_while_its_process_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[trio.Process] = []
    open_process = trio.lowlevel.open_process
    driver = Command([sys.executable, str(SCRATCH), "honest"], "iptc_testee")

    async def opening(*command: Any, **options: Any) -> trio.Process:
        await driver.stop()
        made.append(await open_process(*command, **options))
        return made[0]

    async def run() -> None:
        with trio.fail_after(BOUND):
            async with trio.open_nursery() as nursery:
                with pytest.raises(DriverError, match="was stopped"):
                    await driver.start(nursery, lambda: None)
                nursery.cancel_scope.cancel()
        assert made[0].returncode is not None
        for pipe in (made[0].stdin, made[0].stdout):
            assert isinstance(pipe, trio.lowlevel.FdStream)
            assert pipe.fileno() == -1

    monkeypatch.setattr(trio.lowlevel, "open_process", opening)
    trio.run(run)


def test_a_driver_whose_process_can_not_be_made(monkeypatch: pytest.MonkeyPatch) -> None:
    outputs: list[IO[bytes]] = []

    async def opening(*_command: Any, **options: Any) -> trio.Process:
        outputs.append(options["stderr"])
        await trio.lowlevel.checkpoint()
        raise OSError("no room for one more")

    async def run() -> None:
        driver = Command([sys.executable], "iptc_testee")
        async with trio.open_nursery() as nursery:
            with pytest.raises(DriverError, match="no room for one more"):
                await driver.start(nursery, lambda: None)

    monkeypatch.setattr(trio.lowlevel, "open_process", opening)
    trio.run(run)
    assert [output.closed for output in outputs] == [True]


def test_a_callee_that_has_just_taken_a_connection() -> None:
    ours, theirs = memory_streams()
    scope = trio.CancelScope()

    class Host:
        async def connect(self) -> MemoryStream:
            scope.cancel()
            return ours

    async def run() -> None:
        with trio.fail_after(BOUND):
            with scope:
                async with trio.open_nursery() as nursery:
                    await Session(Settings(), Host(), nursery).dial("a")
            assert await theirs.receive_some(1) == b""

    trio.run(run)
    assert scope.cancelled_caught
