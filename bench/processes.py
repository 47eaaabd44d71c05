"""Programs under measurement as child processes. Every wait has a bound, and every child is ended."""

from __future__ import annotations

import json
import selectors
import subprocess
import sys
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any

from bench.report import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

START_SECONDS = 30.0
END_SECONDS = 5.0


class ChildError(RuntimeError):
    """A child process has ended, or has said nothing for too long."""


@dataclass(frozen=True)
class System:
    """A library under measurement: its program, and the environment in which that runs."""

    name: str
    module: str
    venv: Path | None = None
    options: tuple[str, ...] = ()

    @property
    def python(self) -> str:
        """The interpreter of its environment."""
        return str(self.venv / "bin" / "python") if self.venv else sys.executable

    @property
    def installed(self) -> bool:
        """Whether its environment was made."""
        return self.venv is None or (self.venv / "bin" / "python").exists()


class Child:
    """A running program that reads orders and answers with lines."""

    def __init__(self, system: System, *arguments: str) -> None:
        self.name = f"{system.name} {arguments[0]}"
        self.lost = False
        # Old releases warn of what newer ones deprecate, at every import.
        self.process = subprocess.Popen(  # noqa: S603
            [system.python, "-W", "ignore", "-m", system.module, *system.options, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=ROOT,
            text=True,
            bufsize=1,
        )

    def line(self, seconds: float) -> str:
        """The next line that it says. Raises `ChildError`."""
        with selectors.DefaultSelector() as selector:
            selector.register(_pipe(self.process.stdout), selectors.EVENT_READ)
            if not selector.select(seconds):
                raise ChildError(f"{self.name} said nothing for {seconds:g} s")
        if line := _pipe(self.process.stdout).readline():
            return line
        raise ChildError(f"{self.name} has ended")

    def ask(self, order: dict[str, Any], seconds: float) -> dict[str, Any]:
        """Have an order carried out; the answer. Raises `ChildError`, and has to be ended then."""
        self.lost = True
        try:
            _pipe(self.process.stdin).write(json.dumps(order) + "\n")
        except OSError as error:
            raise ChildError(f"{self.name} has ended") from error
        answer: dict[str, Any] = json.loads(self.line(seconds))
        self.lost = False
        return answer

    def end(self) -> None:
        """End it, kindly and then not."""
        with suppress(OSError):
            _pipe(self.process.stdin).close()
        try:
            self.process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(END_SECONDS)
        _pipe(self.process.stdout).close()


def _pipe(pipe: IO[str] | None) -> IO[str]:
    assert pipe is not None  # noqa: S101  (both are asked for above)
    return pipe


@contextmanager
def pair(system: System) -> Iterator[tuple[Child, Child]]:
    """A server of the system and a driver that is connected to it, each a process."""
    server = Child(system, "serve")
    try:
        driver = Child(system, "drive", server.line(START_SECONDS).strip())
        try:
            yield server, driver
        finally:
            driver.end()
    finally:
        server.end()
