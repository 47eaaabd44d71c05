"""What differs between a live fuzzer of callees and one of callers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from hypothesis.strategies import SearchStrategy

    from iptc_conformance.cases.model import Case
    from iptc_conformance.driving.recorder import Recorder
    from iptc_conformance.driving.session import Settings
    from iptc_fuzz.live.drawing import Action
    from iptc_fuzz.live.trial import Key, Shown


class Putting(Protocol):
    """A testee, and conversations put to it one after the other."""

    def start(self) -> None:
        """Have it run.  Raises NothingJudgedError."""

    def stop(self) -> None:
        """Let go of it."""

    def fresh(self) -> None:
        """Have one that no conversation has harmed, if that is ours to have.  Raises NothingJudgedError."""

    def put(self, case: Case, patience: float = 1) -> Shown:
        """Put one case to it; after it the testee is there for the next.  Raises NothingJudgedError.

        `patience`: how many times as long as usual each expectation is waited for.
        """


@runtime_checkable
class PuttingMany(Putting, Protocol):
    """One that can put conversations side by side."""

    def put_all(self, cases: Sequence[Case]) -> list[Shown]:
        """Put cases until something is wrong: what the first of them have shown, those that were begun.

        Raises NothingJudgedError.
        """


@dataclass(frozen=True, slots=True)
class Game:
    """The conversations of one role.

    `first` are put before any is drawn, `tiny` are tried where a larger one has a finding. `checks` are the
    verbs of steps that only look, and `sound` says whether a case that was cut short still is one in which a
    finding of this verdict means something: it waits for what it has to, and expects only what is certain.
    """

    role: str
    bench: Callable[[Any, Settings, Callable[[Recorder], None]], Putting]
    draw: Callable[[], SearchStrategy[list[Action]]]
    case_of: Callable[[Sequence[Action]], Case]
    told: Callable[[Shown, Key], Case]
    checks: frozenset[str]
    first: Callable[[], Iterable[list[Action]]] = tuple
    sound: Callable[[Case, str], bool] = lambda *_: True
    tiny: Callable[[], Iterable[list[Action]]] = tuple
