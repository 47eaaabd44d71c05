"""The implementation under test: attached to, or started from a command and started again when it dies."""

from __future__ import annotations

import os
import shlex
import socket
import subprocess
import tempfile
from contextlib import suppress
from typing import IO, TYPE_CHECKING, Protocol

import trio

from iptc_conformance.driving.process import NothingJudgedError, end_group, tail
from iptc_conformance.driving.streams import Address, Stream

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_POLL_PAUSE = 0.05
_DIAL_SECONDS = 2.0
_LEAVE_SECONDS = 0.1
_CHUNK = 65536
_DYING_POLLS = 20


class TesteeError(NothingJudgedError):
    """There is nothing to judge: nothing listens, or the command does not start."""


class Testee(Protocol):
    """What the suite needs of an implementation under test."""

    async def connect(self) -> Stream:
        """Open a connection to it.  Raises OSError if it takes none."""

    async def start(self) -> None:
        """See that it takes connections.  Raises TesteeError."""

    async def alive(self) -> bool:
        """Whether it takes connections, and has not died since it was started."""

    async def revive(self) -> None:
        """Start it again after a death or a hang, if that is ours to do.  Raises TesteeError."""

    async def stop(self) -> None:
        """Let go of it."""

    def another(self, environment: Mapping[str, str] | None = None) -> Testee | None:
        """A further one of its kind, not started yet; None where there is only this one.

        `environment`: variables that it is started with, if it is started.
        """


class Attached:
    """A testee that somebody else has started."""

    def __init__(self, address: Address) -> None:
        self._address = address

    def __str__(self) -> str:
        return str(self._address)

    async def connect(self) -> Stream:
        """Open a connection to it.  Raises OSError if it takes none."""
        return await self._address.connect()

    async def start(self) -> None:
        """See that it takes connections.  Raises TesteeError."""
        if not await accepts(self._address):
            raise TesteeError(f"nothing listens at {self._address}")

    async def alive(self) -> bool:
        """Whether it takes connections."""
        return await accepts(self._address) is not False

    async def revive(self) -> None:
        """Nobody here can start it again; perhaps somebody did.  Raises TesteeError."""
        if not await accepts(self._address):
            raise TesteeError(f"nothing listens at {self._address} any more")

    async def stop(self) -> None:
        """It is not ours to stop."""

    def another(self, _environment: Mapping[str, str] | None = None) -> Testee | None:
        """There is only the one."""
        return None


class Command:
    """A testee that the suite starts: it gets its port in IPTC_PORT, and is ready when it accepts there."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        start_seconds: float = 30.0,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self._command = list(command)
        self._environment = dict(environment or {})
        self._start_seconds = start_seconds
        self._address = Address("127.0.0.1", 0)
        self._process: subprocess.Popen[bytes] | None = None
        self._output: IO[bytes] | None = None

    def __str__(self) -> str:
        return str(self._address)

    async def connect(self) -> Stream:
        """Open a connection to it.  Raises OSError if it takes none."""
        return await self._address.connect()

    async def start(self) -> None:
        """Start it on a free port and wait until it accepts.  Raises TesteeError."""
        self._address = Address("127.0.0.1", _free_port())
        environment = {**os.environ, **self._environment, "IPTC_PORT": str(self._address.port)}
        shown = shlex.join(self._command)
        self._output = tempfile.TemporaryFile()  # noqa: SIM115  (closed with the process)
        try:
            self._process = subprocess.Popen(  # noqa: ASYNC220, S603  (returns at once; the user's own command)
                self._command,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=self._output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        except OSError as error:
            await self.stop()
            raise TesteeError(f"{shown}: {error.strerror or error}") from error
        with trio.move_on_after(self._start_seconds):
            while self._process.poll() is None:
                if await accepts(self._address):
                    return
                await trio.sleep(_POLL_PAUSE)
        how = "is not accepting" if self._process.poll() is None else f"ended with {self._process.returncode}"
        message = f"{shown} {how} on port {self._address.port}{tail(self._output)}"
        await self.stop()
        raise TesteeError(message)

    async def alive(self) -> bool:
        """Whether the process still runs and takes connections; a dying one gets a moment to be dead."""
        if self._process is None:
            return False
        for _ in range(_DYING_POLLS):
            if self._process.poll() is not None:
                return False
            if await accepts(self._address) is not False:
                return self._process.poll() is None
            await trio.sleep(_POLL_PAUSE)
        return False

    async def revive(self) -> None:
        """End what is left of it and start it afresh.  Raises TesteeError."""
        await self.stop()
        await self.start()

    async def stop(self) -> None:
        """End the process and all that it has started."""
        process, self._process = self._process, None
        output, self._output = self._output, None
        if process is not None:
            await end_group(process)
        if output is not None:
            output.close()

    def another(self, environment: Mapping[str, str] | None = None) -> Testee | None:
        """A process of its own from the same command."""
        return Command(self._command, start_seconds=self._start_seconds, environment=environment)


async def accepts(address: Address) -> bool | None:
    """Whether something takes a connection at the address; None if there is no telling in time."""
    stream: Stream | None = None
    with trio.move_on_after(_DIAL_SECONDS):
        try:
            stream = await address.connect()
        except OSError:
            return False
    if stream is None:
        return None
    await _leave(stream)
    return True


async def _leave(stream: Stream) -> None:
    """Leave without a word, and without a reset: a hello that nobody has read would make one of the close."""
    try:
        with trio.move_on_after(_LEAVE_SECONDS), suppress(trio.BrokenResourceError):
            await stream.send_eof()
            while await stream.receive_some(_CHUNK):
                pass
    finally:
        await trio.aclose_forcefully(stream)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
