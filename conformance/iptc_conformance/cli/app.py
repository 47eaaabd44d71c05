"""The subcommands of `iptc`, their options and their help."""

# ruff: noqa: PLC0415  (each subcommand loads its own package, when it is called)
from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import App, Group, Parameter

from iptc_conformance.cli.errors import UsageError


def _version() -> str:
    from iptc_conformance.cli.listing import package_version

    return package_version()


app = App(
    name="iptc",
    help="The IPTC protocol: conformance suite, trace judge and small tools.",
    version=_version,
    suppress_keyboard_interrupt=False,
)
conform = App(
    name="conform", help="Judge an implementation. Without a role: the reference peer, as a subprocess."
)
app.command(conform)
fuzz = App(
    name="fuzz",
    help="Look for what nobody listed. Without a command: every target that needs no network.",
)
app.command(fuzz)
_CHOICE = Group("Which cases, and how")
_REPORTS = Group("Reports and expectations")


@Parameter(name="*")
@dataclass(frozen=True)
class ConformOptions:
    """What every run of the suite can be told."""

    namespace: Annotated[str, Parameter(group=_CHOICE)] = "iptc_testee"
    "The namespace in which the testee serves the fixture functions."
    only: Annotated[tuple[str, ...], Parameter(group=_CHOICE, negative="")] = ()
    "Run the cases whose id fits this glob (repeatable)."
    area: Annotated[tuple[str, ...], Parameter(group=_CHOICE, negative="")] = ()
    "Run the cases of this area, e.g. CXL (repeatable)."
    cases: Annotated[tuple[Path, ...], Parameter(group=_CHOICE, negative="")] = ()
    "Run the cases of this file instead of the suite's own (repeatable)."
    timeout: Annotated[float, Parameter(group=_CHOICE)] = 2.0
    "Seconds that each expectation is waited for."
    strict: Annotated[bool, Parameter(group=_CHOICE, negative="")] = False
    "Count SHOULDs that are not kept as findings."
    jsonl: Annotated[Path | None, Parameter(group=_REPORTS)] = None
    "Write one JSON object per case to this file, as each case ends, and the summary last."
    html: Annotated[Path | None, Parameter(group=_REPORTS)] = None
    "Write the report as one page, which opens from disk: each case with its conversation and bytes."
    junit: Annotated[Path | None, Parameter(group=_REPORTS)] = None
    "Write the report as JUnit XML: new failures fail, known ones are skipped with their reason."
    peer: Annotated[str | None, Parameter(group=_REPORTS)] = None
    "What the reports call the implementation; as its baseline does, if this is not given."
    expect: Annotated[Path | None, Parameter(group=_REPORTS)] = None
    "The baseline: verdicts that are expected of this implementation."
    write_baseline: Annotated[Path | None, Parameter(group=_REPORTS)] = None
    "Write what was seen as a baseline, keeping the reasons of the file that is there."


@conform.default
def conform_reference(*, options: ConformOptions | None = None) -> int:
    """Judge the reference peer that comes with this package, in both roles."""
    from iptc_conformance.cli import conform as running

    return running.conform_reference(options or ConformOptions())


@conform.command(name="callee")
def conform_callee(
    *command: Annotated[
        str, Parameter(help="After `--`: the command that starts the testee; its port is in IPTC_PORT.")
    ],
    attach: Annotated[str | None, Parameter(help="HOST:PORT of a testee that is running already.")] = None,
    options: ConformOptions | None = None,
) -> int:
    """Judge a peer that listens and serves the fixture namespace (see conformance/README.md)."""
    from iptc_conformance.cli.conform import conform_attached, conform_command

    if (attach is None) == (not command):
        raise UsageError("say either --attach HOST:PORT or, after --, the command that starts the testee")
    if attach is not None:
        return conform_attached(attach, options or ConformOptions())
    return conform_command(list(command), options or ConformOptions())


@conform.command(name="caller")
def conform_caller(
    *command: Annotated[
        str,
        Parameter(help="After `--`: the command that starts a driver; it connects to IPTC_PORT."),
    ],
    options: ConformOptions | None = None,
) -> int:
    """Judge a peer that calls: a driver carries out what it reads on stdin (see conformance/README.md)."""
    from iptc_conformance.cli import conform as running

    if not command:
        raise UsageError("say, after --, the command that starts the driver")
    return running.conform_caller(list(command), options or ConformOptions())


@conform.command(name="codec")
def conform_codec(
    *command: Annotated[
        str, Parameter(help="After `--`: the command that starts the codec. Without: that of this package.")
    ],
    max_frame: Annotated[int | None, Parameter(help="Send no longer frames, in bytes.")] = None,
    options: ConformOptions | None = None,
) -> int:
    """Judge a codec without a peer: it reads a frame a line and answers a verdict a line."""
    from iptc_conformance.cli import conform_codec as running

    return running.conform_codec(list(command), options or ConformOptions(), max_frame)


@app.command
def check(
    trace: Annotated[str, Parameter(allow_leading_hyphen=True)],
    /,
    *,
    json: Annotated[bool, Parameter(negative="")] = False,
    strict: Annotated[bool, Parameter(negative="")] = False,
) -> int:
    """Judge a recorded trace (JSON Lines; `-`: the standard input): which clause was violated where, by whom.

    Parameters
    ----------
    trace
        The file.
    json
        Print the report as JSON.
    strict
        Count SHOULDs as findings.

    """
    from iptc_conformance import check as checking

    return checking.run(trace, as_json=json, strict=strict)


@Parameter(name="*")
@dataclass(frozen=True)
class TapOptions:
    """What a tap can be told."""

    trace: Path | None = None
    "Write what was seen to this file, for `iptc check`."
    enforce: Annotated[bool, Parameter(negative="")] = False
    "Cut a connection at its first violation of a MUST, before any of that frame is passed on."
    once: Annotated[bool, Parameter(negative="")] = False
    "End when the first connection has ended."
    connections: int | None = None
    "End when so many connections have ended."
    max_open: int = 256
    "How many connections are held at once; further ones wait."
    json: Annotated[bool, Parameter(negative="")] = False
    "Print one JSON object a line, the summary last."
    strict: Annotated[bool, Parameter(negative="")] = False
    "Count SHOULDs as findings in the exit code."


@app.command
def tap(*, listen: str, to: str, options: TapOptions | None = None) -> int:
    """Stand between two live peers: pass every byte on, and say at once which clause was violated, by whom.

    Ctrl-C and SIGTERM end it with a summary. Exit code 0: nothing violated; 1: findings; 2: nothing judged.

    Parameters
    ----------
    listen
        HOST:PORT to take connections at; port 0 takes a free one, and says which.
    to
        HOST:PORT of the peer to which they are passed on.
    options
        The others.

    """
    from iptc_conformance.cli.tapping import tap as run_tap

    return run_tap(listen, to, options or TapOptions())


@Parameter(name="*")
@dataclass(frozen=True)
class FuzzOptions:
    """What every fuzzer without a network can be told."""

    profile: Literal["ci", "long"] = "ci"
    "ci: a fixed number of executions, about a minute in all. long: for --minutes."
    minutes: float | None = None
    "How long in all; 10 if the profile is long."
    seed: int | None = None
    "Where the dice begin: 0 for ci, else any, and printed."
    target: Annotated[tuple[str, ...], Parameter(negative="")] = ()
    "Only this target (repeatable)."
    jobs: int | None = None
    "So many targets at once; as many as there are cores if it is not given."
    database: str | None = None
    "redis://HOST:PORT: share examples with workers on other machines."
    findings: Path = Path("fuzz-findings")
    "The folder for the inputs of findings."
    replay: Annotated[tuple[Path, ...], Parameter(negative="")] = ()
    "Run these inputs again, and nothing else (repeatable)."


@fuzz.default
def fuzz_all(*, options: FuzzOptions | None = None) -> int:
    """Run every target: the codec's and the peer's."""
    from iptc_conformance.cli.fuzzing import fuzz_targets

    return fuzz_targets(None, options or FuzzOptions())


@fuzz.command(name="codec")
def fuzz_codec(*, options: FuzzOptions | None = None) -> int:
    """Hold the codec against the judge, the JSON Schema, msgpack and itself."""
    from iptc_conformance.cli.fuzzing import fuzz_targets

    targets = ("frames", "schema", "roundtrip", "chunks", "dialogues", "seats", "pair")
    return fuzz_targets(targets, options or FuzzOptions())


@fuzz.command(name="peer")
def fuzz_peer(*, options: FuzzOptions | None = None) -> int:
    """Let reference peers work in streams that split, delay and cut, under a clock of their own."""
    from iptc_conformance.cli.fuzzing import fuzz_targets

    return fuzz_targets(("peer",), options or FuzzOptions())


@Parameter(name="*")
@dataclass(frozen=True)
class LiveOptions:
    """What a fuzzer of a live peer can be told."""

    minutes: float = 10
    "How long."
    seed: int | None = None
    "Where the dice begin; any, and printed, if it is not given."
    database: str | None = None
    "redis://HOST:PORT: share what was found with workers on other machines."
    findings: Path = Path("fuzz-findings")
    "The folder for findings, a case file each, which `iptc conform` replays with `--cases FILE`."
    namespace: str = "iptc_testee"
    "The namespace in which the testee serves the fixture functions."
    timeout: float = 2.0
    "Seconds that each expectation is waited for."


@fuzz.command(name="callee")
def fuzz_callee(
    *command: Annotated[
        str, Parameter(help="After `--`: the command that starts the testee; its port is in IPTC_PORT.")
    ],
    attach: Annotated[str | None, Parameter(help="HOST:PORT of a testee that is running already.")] = None,
    options: LiveOptions | None = None,
) -> int:
    """Look for faults in a live peer that serves the fixture; each comes as a small case file."""
    from iptc_conformance.cli.fuzzing import fuzz_live_callee

    if (attach is None) == (not command):
        raise UsageError("say either --attach HOST:PORT or, after --, the command that starts the testee")
    return fuzz_live_callee(attach, command, options or LiveOptions())


@fuzz.command(name="caller")
def fuzz_caller(
    *command: Annotated[str, Parameter(help="After `--`: the command that starts the driver.")],
    options: LiveOptions | None = None,
) -> int:
    """Look for faults in a live caller, by dishonest callees; each comes as a small case file."""
    from iptc_conformance.cli.fuzzing import fuzz_live_caller

    if not command:
        raise UsageError("say, after --, the command that starts the driver")
    return fuzz_live_caller(command, options or LiveOptions())


@app.command(name="list")
def list_(
    *,
    clauses: Annotated[bool, Parameter(negative="")] = False,
    coverage: Annotated[bool, Parameter(negative="")] = False,
    area: Annotated[tuple[str, ...], Parameter(negative="")] = (),
    role: str | None = None,
    json: Annotated[bool, Parameter(negative="")] = False,
) -> int:
    """List the cases, all or those of one --role, or with --clauses the clauses and how many cases each has.

    With --coverage: the cases of each clause by role, or why it has none; 1 if a clause has neither.
    """
    from iptc_conformance.cli.listing import list_cases, list_clauses, list_coverage

    if coverage:
        return list_coverage(area, as_json=json)
    return list_clauses(area, as_json=json) if clauses else list_cases(area, role, as_json=json)


@app.command
def show(name: str, /, *, json: Annotated[bool, Parameter(negative="")] = False) -> int:
    """Show a case (clauses, steps, bytes) or a clause (sentence, rationale, its cases) by its id."""
    from iptc_conformance.cli.showing import show_name

    return show_name(name, as_json=json)


@app.command
def versions(*, json: Annotated[bool, Parameter(negative="")] = False) -> int:
    """Say which versions of the package and of the protocol these are."""
    from iptc_conformance.cli.listing import print_versions

    return print_versions(as_json=json)


@app.command
def decode(*frames: str, json: Annotated[bool, Parameter(negative="")] = False) -> int:
    """Say what frames are, or which clause they violate.

    Hex, header included, from the arguments or one a line from the standard input. 1 if one is malformed.
    """
    from iptc_conformance.cli.decoding import decode_frames

    return decode_frames(frames, as_json=json)


@app.command
def serve(module: str, /, *, address: str = "tcp://127.0.0.1:1616") -> int:
    """Serve the public functions of a Python module with the reference peer, under the module's name."""
    from iptc_conformance.cli.peers import serve_module

    return serve_module(module, address)


@app.command
def call(
    address: str,
    namespace: str,
    function: str,
    /,
    *arguments: str,
    stream: Annotated[bool, Parameter(negative="")] = False,
) -> int:
    """Call a function of a peer: arguments as name=value, values as JSON or else text. Prints JSON.

    With --stream it is a generator, and each item is printed on a line of its own.
    """
    from iptc_conformance.cli.peers import call_function

    return call_function(address, namespace, function, arguments, stream=stream)
