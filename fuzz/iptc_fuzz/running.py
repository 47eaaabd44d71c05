"""Running targets: in rounds, for a number of executions or a time, with findings kept and told apart."""

from __future__ import annotations

import hashlib
import time
import traceback
import warnings
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hypothesis import HealthCheck, Phase, Verbosity, given, seed, settings
from hypothesis.errors import HypothesisException, HypothesisWarning

from iptc_fuzz import corpus
from iptc_fuzz.sharing import Under

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from hypothesis.database import ExampleDatabase

    from iptc_fuzz.targets.registry import Target

_ROUND = 1000
"""Executions of a round: after each the time is looked at, and hypothesis starts afresh."""


@dataclass(frozen=True)
class Profile:
    """How long: for so many seconds each target, or, if that is 0, as often as the target says for CI.

    `database` opens the one that is to be used; it may raise DatabaseError.
    """

    seconds: float = 0
    seed: int = 0
    database: Callable[[], ExampleDatabase] | None = None


@dataclass(frozen=True)
class Finding:
    """The shortest input that breaks an invariant at one place of the code."""

    target: str
    data: bytes
    error: str
    place: str

    @property
    def name(self) -> str:
        """A name for its file: the same for the same input."""
        return f"{self.target}-{hashlib.sha256(self.data).hexdigest()[:12]}"


@dataclass
class Outcome:
    """What a run of one target came to."""

    target: str
    executions: int = 0
    seconds: float = 0
    findings: dict[str, Finding] = field(default_factory=dict)

    def note(self, data: bytes, error: BaseException) -> None:
        """Keep a finding, if none shorter is known of its place."""
        cause = innermost(error)
        place = _place(cause)
        known = self.findings.get(place)
        if known is None or (len(data), data) < (len(known.data), known.data):
            text = "".join(traceback.format_exception_only(cause)).strip()
            self.findings[place] = Finding(self.target, data, text, place)


def innermost(error: BaseException) -> BaseException:
    """Return the first exception inside of groups."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def _place(error: BaseException) -> str:
    """Where it was raised, in which a finding differs from another."""
    frames = traceback.extract_tb(error.__traceback__)
    last = frames[-1] if frames else None
    where = f"{Path(last.filename).name}:{last.name}:{last.lineno}" if last else "nowhere"
    return f"{type(error).__name__} at {where}"


def run_target(target: Target, profile: Profile, on_round: Callable[[Outcome], None]) -> Outcome:
    """Run a target; `on_round` is called after each round. Ends with the first findings."""
    outcome = Outcome(target.name)
    began = time.monotonic()
    shared = profile.database and Under(profile.database(), target.name)
    for data in [*target.seeds(), *(path.read_bytes() for path in corpus.inputs(target.name))]:
        _try(target, outcome, data)
    for number in range(1 << 30):
        left = _ROUND if profile.seconds else target.ci - outcome.executions
        if outcome.findings or left <= 0 or (profile.seconds and outcome.seconds >= profile.seconds):
            break
        _round(target, outcome, profile.seed + number, min(left, _ROUND), shared)
        outcome.seconds = time.monotonic() - began
        on_round(outcome)
    return outcome


def _try(target: Target, outcome: Outcome, data: bytes) -> Exception | None:
    """Run a target once; what it raised, which is noted."""
    outcome.executions += 1
    try:
        target.check(data)
    except HypothesisException:
        raise
    except Exception as error:  # noqa: BLE001  (whatever it is, it is a finding)
        outcome.note(data, error)
        return error
    return None


def _round(
    target: Target, outcome: Outcome, dice: int, executions: int, shared: ExampleDatabase | None
) -> None:
    def once(data: bytes) -> None:
        if error := _try(target, outcome, data):
            raise error

    options = settings(
        max_examples=executions,
        database=shared,
        deadline=None,
        verbosity=Verbosity.quiet,
        phases=[Phase.reuse, Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    # `seed` takes the database away from a test that has its settings already: so they come after it.
    run: Any = options(seed(dice)(given(target.inputs())(once)))
    try:
        with unrepresented():
            run()
    except Exception as error:
        if not outcome.findings:
            raise  # of the strategies, or of hypothesis
        del error


@contextmanager
def unrepresented() -> Iterator[None]:
    """Be quiet about what hypothesis writes down for a filter that has to draw again.

    It is the repr of the strategy, which for values inside of values is large. Nobody reads it here, and
    hypothesis makes it but once for each strategy.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Generating overly large repr", HypothesisWarning)
        yield


def write_finding(finding: Finding, folder: Path) -> Path:
    """Write a finding's input, for the corpus and for `--replay`."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / finding.name
    path.write_bytes(finding.data)
    return path
