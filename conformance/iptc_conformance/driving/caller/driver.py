"""The driver of an implementation under test: what the suite needs of it, and how it is started as a process.

The protocol between the two is JSON Lines, an op a line one way and its outcome a line the other way
(conformance/README.md). A driver connects once; a fresh connection takes a fresh driver.
"""

from __future__ import annotations

import json
import math
import os
import shlex
import socket
import subprocess
import tempfile
from typing import IO, TYPE_CHECKING, Any, Protocol

import trio

from iptc_conformance.driving.process import NothingJudgedError, end_group, tail

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from iptc_conformance.driving.streams import Stream

Outcome = dict[str, Any]
"""One answer of a driver, with its `id` and its `outcome`."""
_CHUNK = 65536
_LINE_BYTES = 1 << 26
_RECEIVE_BYTES = 1 << 16
"""Little, so that a driver which writes much while nobody reads has to wait, as on a slow network."""
_SHOWN_BYTES = 80


class DriverError(NothingJudgedError):
    """There is nothing to judge: the command does not start, or never connects."""


class Answers:
    """What a driver has said so far."""

    def __init__(self, notify: Callable[[], None]) -> None:
        self.by_id: dict[int, Outcome] = {}
        self.nonsense: str | None = None
        """The first line that is no answer, for people; None as long as all of them are."""
        self.over = False
        """Nothing more will come."""
        self.asked = 0
        """The highest id that was handed out."""
        self._notify = notify
        self._rest = bytearray()

    def feed(self, chunk: bytes) -> None:
        """Take bytes of the driver's stdout."""
        self._rest += chunk
        if b"\n" not in chunk:
            self._bound()
            return
        *lines, rest = self._rest.split(b"\n")
        self._rest = bytearray(rest)
        for line in lines:
            if line.strip():
                self._line(bytes(line))
        self._bound()

    def take(self, answer: Any) -> None:
        """Take one answer, as JSON has it."""
        number = answer.get("id") if isinstance(answer, dict) else None
        if type(number) is not int or not isinstance(answer.get("outcome"), str):
            self._refuse(repr(answer).encode(errors="replace"), "has no id or no outcome")
        elif not 0 < number <= self.asked:
            self._refuse(repr(answer).encode(errors="replace"), "answers an id that was not handed out")
        elif number in self.by_id:
            self._refuse(repr(answer).encode(errors="replace"), "answers an id a second time")
        else:
            self.by_id[number] = answer
        self._notify()

    def end(self) -> None:
        """The driver's stdout is closed."""
        self.over = True
        self._notify()

    def _bound(self) -> None:
        if len(self._rest) > _LINE_BYTES:
            self._refuse(bytes(self._rest[:_SHOWN_BYTES]), "is longer than any answer")
            self._rest.clear()
            self._notify()

    def _line(self, line: bytes) -> None:
        try:
            answer = json.loads(line)
        except (ValueError, RecursionError):
            self._refuse(line, "is no JSON")
            self._notify()
        else:
            self.take(answer)

    def _refuse(self, line: bytes, why: str) -> None:
        if self.nonsense is None:
            text = line[:_SHOWN_BYTES].decode(errors="replace")
            self.nonsense = f"the driver's stdout is for answers, but this line {why}: {text!r}"


class Driver(Protocol):
    """What the suite needs of an implementation under test in the caller role."""

    @property
    def answers(self) -> Answers:
        """What it has answered since it was started."""

    async def start(self, nursery: trio.Nursery, notify: Callable[[], None]) -> Stream:
        """Start it and return the connection that it has made. `notify` is called when it says something.

        Raises DriverError.
        """

    def tell(self, op: dict[str, Any]) -> None:
        """Hand it an op. Never blocks, and never raises: one that is gone does not answer."""

    async def ended(self, seconds: float = 0.0) -> str | None:
        """How it has ended; None if it runs, also after so many seconds."""

    async def stop(self) -> None:
        """Let go of it, whatever it does."""

    def another(self, environment: Mapping[str, str] | None = None) -> Driver:
        """A further one of its kind, not started yet, with this in its environment as well."""


class Command:
    """A driver that the suite starts: it gets IPTC_HOST, IPTC_PORT and IPTC_NAMESPACE, and connects there."""

    def __init__(self, command: Sequence[str], namespace: str, *, start_seconds: float = 30.0) -> None:
        self._command = list(command)
        self._namespace = namespace
        self._start_seconds = start_seconds
        self._environment: dict[str, str] = {}
        self._process: trio.Process | None = None
        self._stopped = False
        self._stderr: IO[bytes] | None = None
        self._out, self._queue = trio.open_memory_channel[bytes](math.inf)
        self._answers = Answers(lambda: None)

    @property
    def answers(self) -> Answers:
        """What it has answered since it was started."""
        return self._answers

    async def start(self, nursery: trio.Nursery, notify: Callable[[], None]) -> Stream:
        """Start it and wait until it has connected.  Raises DriverError."""
        try:
            return await self._started(nursery, notify)
        except BaseException:
            await self.stop()  # there is nothing to judge, or the run ends while it starts
            raise

    async def _started(self, nursery: trio.Nursery, notify: Callable[[], None]) -> Stream:
        self._answers = Answers(notify)
        try:
            listener = (await trio.open_tcp_listeners(0, host="127.0.0.1"))[0]
        except OSError as error:  # too many open files, say
            raise DriverError(f"nowhere to listen: {error.strerror or error}") from error
        listener.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BYTES)
        shown = shlex.join(self._command)
        with listener.socket:
            try:
                process = await self._spawn(listener.socket.getsockname()[1])
            except OSError as error:
                raise DriverError(f"{shown}: {error.strerror or error}") from error
            nursery.start_soon(self._read, process)  # these close its pipes
            nursery.start_soon(self._write, process)
            if self._stopped:  # while it was being started
                raise DriverError(f"{shown} was stopped")
            stream = await self._connection(listener, process)
        if stream is not None:
            return stream
        how = "has not connected" if process.poll() is None else f"ended with {process.returncode}"
        raise DriverError(f"{shown} {how}{tail(self._stderr)}")

    def tell(self, op: dict[str, Any]) -> None:
        """Write an op to its stdin."""
        self._out.send_nowait(json.dumps(op).encode() + b"\n")

    async def ended(self, seconds: float = 0.0) -> str | None:
        """How the process has ended; None if it runs."""
        if self._process is None:
            return "it was stopped"
        if seconds > 0:
            with trio.move_on_after(seconds):
                await self._process.wait()
        code = self._process.poll()
        return None if code is None else f"the driver ended with {code}{tail(self._stderr)}"

    async def stop(self) -> None:
        """End the process and all that it has started."""
        self._stopped = True
        process, self._process = self._process, None
        stderr, self._stderr = self._stderr, None
        if process is not None:
            with trio.CancelScope(shield=True):
                await end_group(process)
        if stderr is not None:
            stderr.close()

    def another(self, environment: Mapping[str, str] | None = None) -> Command:
        """A process of its own from the same command, with this in its environment as well."""
        more = Command(self._command, self._namespace, start_seconds=self._start_seconds)
        more._environment = {**self._environment, **(environment or {})}
        return more

    async def _spawn(self, port: int) -> trio.Process:
        told = {"IPTC_HOST": "127.0.0.1", "IPTC_PORT": str(port), "IPTC_NAMESPACE": self._namespace}
        stderr = tempfile.TemporaryFile()  # noqa: SIM115  (closed with the process)
        try:
            process = await trio.lowlevel.open_process(
                self._command,
                env={**os.environ, **self._environment, **told},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stderr,
                start_new_session=True,
            )
        except BaseException:
            stderr.close()
            raise
        self._process, self._stderr = process, stderr  # not before: `stop` may come while it is started
        return process

    async def _connection(self, listener: trio.SocketListener, process: trio.Process) -> Stream | None:
        stream: trio.SocketStream | None = None

        async def watch(scope: trio.CancelScope) -> None:
            await process.wait()
            scope.cancel()

        try:
            with trio.move_on_after(self._start_seconds):
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(watch, nursery.cancel_scope)
                    stream = await listener.accept()
                    nursery.cancel_scope.cancel()
        except BaseException:
            if stream is not None:  # the run has ended in the moment in which it connected
                stream.socket.close()
            raise
        return stream

    async def _read(self, process: trio.Process) -> None:
        answers = self._answers
        if process.stdout is None:
            raise RuntimeError("started without a pipe")
        async with process.stdout as stdout:
            try:
                while chunk := await stdout.receive_some(_CHUNK):
                    answers.feed(bytes(chunk))
            except (trio.BrokenResourceError, trio.ClosedResourceError):
                pass
        answers.end()

    async def _write(self, process: trio.Process) -> None:
        if process.stdin is None:
            raise RuntimeError("started without a pipe")
        async with process.stdin as stdin:
            try:
                async for line in self._queue:  # ends with the run
                    await stdin.send_all(line)
            except (trio.BrokenResourceError, trio.ClosedResourceError):
                return
