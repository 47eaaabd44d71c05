"""The codec under test: a process that is asked a line and answers one."""

from __future__ import annotations

import os
import shlex
import subprocess
import tempfile
from contextlib import suppress
from typing import IO, TYPE_CHECKING

import trio

from iptc_conformance.driving.process import NothingJudgedError, end_group, tail

if TYPE_CHECKING:
    from collections.abc import Sequence

_CHUNK = 65536
_ANSWER_BYTES = 1 << 28
_GRACE_SECONDS = 1.0


class ProgramError(NothingJudgedError):
    """There is nothing to judge: the command does not start."""


class DiedError(Exception):
    """The process has ended, or takes or says no more, before it answered."""


class MuteError(Exception):
    """No answer came in time."""


class Program:
    """A process started from a command. Use `start`, then `ask`; after an error `stop` and start again."""

    def __init__(self, command: Sequence[str]) -> None:
        self._command = list(command)
        self._process: trio.Process | None = None
        self._said: IO[bytes] | None = None
        self._held = bytearray()

    async def start(self) -> None:
        """Start the process.  Raises ProgramError."""
        self._held.clear()
        self._said = tempfile.TemporaryFile()  # noqa: SIM115  (closed with the process)
        try:
            self._process = await trio.lowlevel.open_process(
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._said,
                start_new_session=True,
            )
        except OSError as error:
            await self.stop()
            raise ProgramError(f"{shlex.join(self._command)}: {error.strerror or error}") from error

    @property
    def running(self) -> bool:
        """Whether there is a process that has not ended."""
        return self._process is not None and self._process.poll() is None

    async def ask(self, line: bytes, seconds: float) -> bytes:
        """Write a line and return the answer without its newline.

        Raises DiedError; MuteError if that takes longer; ValueError for an answer that is too long.
        """
        if self._process is None:
            raise DiedError("it was not started")
        answer = b""
        with trio.move_on_after(seconds) as waiting:
            try:
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(self._write, line)
                    answer = await self._line()
            except* trio.BrokenResourceError:
                raise DiedError(await self._how()) from None
            except* DiedError:
                raise DiedError(await self._how()) from None
            except* ValueError as group:
                raise ValueError(str(group.exceptions[0])) from None
        if waiting.cancelled_caught:
            raise MuteError(f"no answer within {seconds:g} s")
        return answer

    def surplus(self) -> bytes:
        """What it has said beyond its answers by now: as far as that has come, for nobody waits for it."""
        if not self._held and self._process is not None:
            assert isinstance(self._process.stdout, trio.lowlevel.FdStream)  # noqa: S101  (it is a pipe)
            with suppress(OSError):  # nothing is there, or it has ended, which the next question shows
                self._held += os.read(self._process.stdout.fileno(), _CHUNK)
        return bytes(self._held[:_CHUNK])

    async def listen(self, seconds: float) -> None:
        """Wait until it says something more, or so long."""
        if not self._held and self._process is not None and self._process.stdout is not None:
            with trio.move_on_after(seconds):
                self._held += await self._process.stdout.receive_some(_CHUNK)

    async def stop(self) -> None:
        """End the process and all that it has started."""
        process, self._process = self._process, None
        if process is not None:
            with trio.CancelScope(shield=True):
                await end_group(process)
                for pipe in (process.stdin, process.stdout):
                    if pipe is not None:
                        await trio.aclose_forcefully(pipe)
        if self._said is not None:
            self._said.close()
            self._said = None

    async def _write(self, line: bytes) -> None:
        assert self._process is not None  # noqa: S101  (`ask` has looked)
        assert self._process.stdin is not None  # noqa: S101  (it is a pipe)
        await self._process.stdin.send_all(line)

    async def _line(self) -> bytes:
        assert self._process is not None  # noqa: S101
        assert self._process.stdout is not None  # noqa: S101
        looked_at = 0
        while (at := self._held.find(b"\n", looked_at)) < 0:
            looked_at = len(self._held)
            if looked_at > _ANSWER_BYTES:
                raise ValueError("the answer is longer than any frame")
            chunk = await self._process.stdout.receive_some(_CHUNK)
            if not chunk:
                raise DiedError
            self._held += chunk
        line = bytes(self._held[:at])
        del self._held[: at + 1]
        return line

    async def _how(self) -> str:
        assert self._process is not None  # noqa: S101
        with trio.move_on_after(_GRACE_SECONDS):
            await self._process.wait()
        code = self._process.returncode
        return f"it closed its output{tail(self._said)}" if code is None else self._ended(code)

    def _ended(self, code: int) -> str:
        how = f"it was ended by signal {-code}" if code < 0 else f"it ended with {code}"
        return how + tail(self._said)
