"""`iptc fuzz`: hands over to `iptc_fuzz`, if its extra is there."""

from __future__ import annotations

import shlex
import sys
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from iptc_conformance.cli.addresses import address_of
from iptc_conformance.cli.errors import UsageError
from iptc_conformance.driving.callee.testee import Attached, Command, TesteeError
from iptc_conformance.driving.process import NothingJudgedError
from iptc_conformance.driving.session import Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from hypothesis.database import ExampleDatabase

    from iptc_conformance.cli.app import FuzzOptions, LiveOptions
    from iptc_conformance.driving.callee.testee import Testee

_NEEDED = ("hypothesis", "msgpack")


def _check_extra() -> None:
    missing = [name for name in _NEEDED if find_spec(name) is None]
    if missing:
        raise UsageError(
            f"iptc fuzz needs {', '.join(missing)}, which the extra brings: pip install 'iptc-codec[fuzz]'"
        )


def fuzz_targets(default: Sequence[str] | None, options: FuzzOptions) -> int:
    """Run the targets that are asked for.  Raises UsageError."""
    _check_extra()
    from iptc_fuzz import TARGETS, commands, parallel, running  # noqa: PLC0415  (needs the extra)

    if options.replay:
        try:
            return commands.replay(options.replay, sys.stdout)
        except (LookupError, OSError) as error:
            raise UsageError(str(error)) from None
    names = list(options.target or default or TARGETS)
    unknown = sorted(set(names) - set(TARGETS))
    if unknown:
        raise UsageError(f"no target {', '.join(unknown)}: there are {', '.join(TARGETS)}")
    long = options.profile == "long" or options.minutes is not None
    if options.minutes is not None and not options.minutes > 0:
        raise UsageError("--minutes must be above 0")
    if options.jobs is not None and options.jobs < 1:
        raise UsageError("--jobs must be above 0")
    database = _database(options.database) if long or options.database is not None else None
    jobs = min(options.jobs or parallel.cores(), len(names))
    seconds = 60 * (options.minutes or 10) * jobs / len(names) if long else 0
    profile = running.Profile(seconds, _seed(options.seed, long=long), database)
    return commands.fuzz(names, profile, options.findings, sys.stdout, jobs=jobs)


def fuzz_live_callee(attach: str | None, command: Sequence[str], options: LiveOptions) -> int:
    """Hunt for faults of a live callee.  Raises UsageError."""
    _check_extra()
    from iptc_fuzz.live import commands, hunting  # noqa: PLC0415  (needs the extra)

    if not (options.minutes > 0 and options.timeout > 0):
        raise UsageError("--minutes and --timeout must be above 0")
    testee: Testee = Command(command) if attach is None else Attached(address_of(attach))
    hunt = hunting.Hunt(
        testee,
        Settings(options.namespace, options.timeout),
        hunting.Limits(60 * options.minutes),
        _seed(options.seed, long=True),
        _database(options.database)(),
    )
    where = f" -- {shlex.join(command)}" if attach is None else ""
    attached = f" --attach {attach}" if attach is not None else ""
    namespace = f" --namespace {options.namespace}" if options.namespace != "iptc_testee" else ""
    again = f"iptc conform callee{attached}{namespace} --cases FILE{where}"
    try:
        return commands.hunt(hunt, options.findings, again, sys.stdout)
    except TesteeError as error:
        raise UsageError(str(error)) from error


def fuzz_live_caller(command: Sequence[str], options: LiveOptions) -> int:
    """Hunt for faults of a live caller.  Raises UsageError."""
    _check_extra()
    from iptc_conformance.driving.caller.driver import Command as DriverCommand  # noqa: PLC0415
    from iptc_fuzz.live import commands, hunting  # noqa: PLC0415  (needs the extra)
    from iptc_fuzz.live_caller.game import CALLER  # noqa: PLC0415

    if not (options.minutes > 0 and options.timeout > 0):
        raise UsageError("--minutes and --timeout must be above 0")
    hunt = hunting.Hunt(
        DriverCommand(command, options.namespace),
        Settings(options.namespace, options.timeout),
        hunting.Limits(60 * options.minutes),
        _seed(options.seed, long=True),
        _database(options.database)(),
        game=CALLER,
    )
    namespace = f" --namespace {options.namespace}" if options.namespace != "iptc_testee" else ""
    again = f"iptc conform caller{namespace} --cases FILE -- {shlex.join(command)}"
    try:
        return commands.hunt(hunt, options.findings, again)
    except NothingJudgedError as error:
        raise UsageError(str(error)) from error


def _database(url: str | None) -> Callable[[], ExampleDatabase]:
    """Return what opens the place where examples are kept, which was tried.  Raises UsageError."""
    from iptc_fuzz.sharing import DatabaseError, database  # noqa: PLC0415  (needs the extra)

    opens = partial(database, url, Path(".hypothesis", "iptc"))
    try:
        opens()
    except DatabaseError as error:
        raise UsageError(f"--database: {error}") from None
    return opens


def _seed(chosen: int | None, *, long: bool) -> int:
    """In CI the same for everybody; a long run casts new dice, and says which."""
    import secrets  # noqa: PLC0415

    if chosen is not None:
        return chosen
    return secrets.randbelow(1 << 32) if long else 0
