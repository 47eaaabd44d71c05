"""`iptc tap`: the run, what it prints while it goes on, and its exit code."""

from __future__ import annotations

import json
import signal
import sys
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING, Any, Protocol, TextIO

import trio
from rich.console import Console
from rich.text import Text

from iptc_conformance import check
from iptc_conformance.cli.addresses import address_of
from iptc_conformance.cli.errors import UsageError
from iptc_conformance.tap import Ended, Tap, Tape, TapSettings

if TYPE_CHECKING:
    from pathlib import Path

    from iptc_conformance.judge import Finding, Report

EXIT_NOTHING = 0
EXIT_FINDINGS = 1
EXIT_NOTHING_JUDGED = 2
EXIT_OWN_FAULT = 3


class Options(Protocol):
    """What the command line says about a tap (`cli.app.TapOptions`)."""

    @property
    def trace(self) -> Path | None:
        """Where the trace goes."""

    @property
    def enforce(self) -> bool:
        """Whether violations are cut off."""

    @property
    def once(self) -> bool:
        """Whether to end after one connection."""

    @property
    def connections(self) -> int | None:
        """Whether to end after so many."""

    @property
    def max_open(self) -> int:
        """How many connections at once."""

    @property
    def json(self) -> bool:
        """Lines for programs."""

    @property
    def strict(self) -> bool:
        """Whether a SHOULD counts."""


def tap(listen: str, to: str, options: Options) -> int:
    """Run until told to stop, and return the exit code.  Raises UsageError."""
    here, target = address_of(listen, lowest_port=0), address_of(to)
    limit = 1 if options.once else options.connections
    if (limit is not None and limit < 1) or options.max_open < 1:
        raise UsageError("--connections and --max-open must be at least 1")
    printer: Printer = JsonPrinter(sys.stdout) if options.json else TextPrinter(sys.stdout)
    with ExitStack() as stack:
        out = None
        if options.trace is not None:
            out = _trace_file(options.trace)
            stack.callback(_close, out)
        tape = Tape(printer, out)
        the_tap = Tap(target, tape, TapSettings(options.enforce, options.max_open, limit))
        trio.run(_until_told, the_tap, here.host, here.port, to, printer)
    code = exit_code(tape, strict=options.strict)
    printer.summary(tape, tape.report(), code)
    return code


def exit_code(tape: Tape, *, strict: bool) -> int:
    """0 nothing violated, 1 findings (a SHOULD only if `strict`), 2 nothing judged, 3 our own fault."""
    if tape.failed:
        return EXIT_OWN_FAULT
    if tape.findings if strict else tape.musts:
        return EXIT_FINDINGS
    return EXIT_NOTHING if tape.report().judged else EXIT_NOTHING_JUDGED


async def _until_told(the_tap: Tap, host: str, port: int, to: str, printer: Printer) -> None:
    """Run the tap until its work is done, or SIGINT or SIGTERM comes, or nobody reads what it prints."""
    try:
        listeners = await trio.open_tcp_listeners(port, host=host)
    except OSError as error:
        raise UsageError(f"cannot listen on {host}:{port}: {error.strerror or error}") from error
    with trio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        async with trio.open_nursery() as nursery:
            printer.stop = nursery.cancel_scope.cancel
            nursery.start_soon(_stop_at, signals, nursery.cancel_scope)
            printer.listening([listener.socket.getsockname()[:2] for listener in listeners], to)
            await the_tap.run(listeners)
            nursery.cancel_scope.cancel()


async def _stop_at(signals: Any, scope: trio.CancelScope) -> None:
    async for _ in signals:
        scope.cancel()


def _trace_file(path: Path) -> TextIO:
    try:
        return path.open("w", encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}") from error


def _close(out: TextIO) -> None:
    with suppress(OSError):  # what could not be written is still held, and the tape has told of it
        out.close()


class Printer:
    """Prints what happens, line by line; ends the tap where nobody reads it any more."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self.stop = _nothing

    def listening(self, addresses: list[tuple[str, int]], to: str) -> None:
        """The tap takes connections."""

    def found(self, finding: Finding) -> None:
        """A side broke a clause."""

    def opened(self, conn: str, initiator: str) -> None:
        """A connection was accepted."""

    def ended(self, conn: str, how: Ended) -> None:
        """A connection is over."""

    def troubled(self, conn: str | None, text: str) -> None:
        """Something is wrong that is nobody's violation."""

    def summary(self, tape: Tape, report: Report, code: int) -> None:
        """The tap has ended."""


class TextPrinter(Printer):
    """For people: findings and the summary on the standard output, all else on the standard error."""

    def __init__(self, out: TextIO) -> None:
        super().__init__(out)
        self._console = check.plain_console(out)
        self._aside = Console(stderr=True, soft_wrap=True, highlight=False, markup=False, emoji=False)

    def listening(self, addresses: list[tuple[str, int]], to: str) -> None:
        """Say where, so that port 0 can be used."""
        where = ", ".join(f"{host}:{port}" for host, port in addresses)
        self._say(f"listening on {where}, passing on to {to}")

    def found(self, finding: Finding) -> None:
        """Print it as `iptc check` does."""
        try:
            check.print_finding(self._console, finding)
            self._out.flush()
        except (BrokenPipeError, SystemExit):  # rich makes the one into the other
            self.stop()

    def opened(self, conn: str, initiator: str) -> None:
        """Say who came."""
        self._say(f"conn {conn}  opened by {initiator}")

    def ended(self, conn: str, how: Ended) -> None:
        """Say how it ended."""
        self._say(f"conn {conn}  {_how(how)}")

    def troubled(self, conn: str | None, text: str) -> None:
        """Say it."""
        self._say(text if conn is None else f"conn {conn}  {text}")

    def summary(self, tape: Tape, report: Report, code: int) -> None:
        """Print the counts."""
        counts = check.clause_counts(report)
        findings = "1 finding" if tape.findings == 1 else f"{tape.findings} findings"
        connections = "1 connection" if tape.connections == 1 else f"{tape.connections} connections"
        words = {0: "nothing violated", 1: "findings", 2: "nothing judged", 3: "own fault"}
        line = f"{words[code]}: {findings} ({tape.musts} of a MUST) in {report.judged} frames"
        with suppress(BrokenPipeError, SystemExit):
            self._console.print(Text(f"{line} of {connections}; of {len(report.clauses)} clauses {counts}"))
            self._out.flush()

    def _say(self, text: str) -> None:
        self._aside.print(Text(check.shown(text), "dim"))


class JsonPrinter(Printer):
    """For programs: one object a line, all on the standard output."""

    def listening(self, addresses: list[tuple[str, int]], to: str) -> None:
        """Say where, so that port 0 can be used."""
        self._line("listening", {"on": [f"{host}:{port}" for host, port in addresses], "to": to})

    def found(self, finding: Finding) -> None:
        """Print it as `iptc check --json` does."""
        self._line("finding", finding.as_json())

    def opened(self, conn: str, initiator: str) -> None:
        """Say who came."""
        self._line("opened", {"conn": conn, "initiator": initiator})

    def ended(self, conn: str, how: Ended) -> None:
        """Say how it ended."""
        self._line("ended", {"conn": conn, "how": _how(how)})

    def troubled(self, conn: str | None, text: str) -> None:
        """Say it."""
        self._line("trouble", {"conn": conn, "text": text})

    def summary(self, tape: Tape, report: Report, code: int) -> None:
        """Print the counts and what each clause came to."""
        whole = report.as_json()
        facts = {
            "connections": tape.connections,
            "unreachable": tape.unreachable,
            "cut": tape.cut,
            "judged": report.judged,
            "findings": tape.findings,
            "musts": tape.musts,
            "clauses": whole["clauses"],
            "sides": whole["sides"],
            "exit": code,
        }
        self._line("summary", facts)

    def _line(self, name: str, content: dict[str, Any]) -> None:
        try:
            print(json.dumps({name: content}), file=self._out, flush=True)
        except BrokenPipeError:
            self.stop()


def _how(ended: Ended) -> str:
    if ended.unreachable is not None:
        return f"target not reached: {ended.unreachable}"
    if ended.cut:
        return (
            f"cut for {ended.violation.clause}" if ended.violation else "cut: it can't be judged any further"
        )
    return "ended" if ended.reset_by is None else f"reset by the {ended.reset_by}"


def _nothing() -> None:
    pass
