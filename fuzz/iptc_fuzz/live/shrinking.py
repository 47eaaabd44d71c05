"""Making a finding small: fewer actions, plainer ones, and then fewer steps."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from iptc_fuzz.live.without import calls, without

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from iptc_conformance.cases.model import Case
    from iptc_fuzz.live.drawing import Action
    from iptc_fuzz.live.game import Game

CHECKS = frozenset({"barrier", "poll", "fence", "order", "silent", "closed", "left", "hello_of"})
"""Steps that only look: without one of them the others are as sound as before."""


class Shrinker:
    """Tries smaller conversations while `shows` says that the finding is still there, and time is left.

    `verdict`: that of the finding.
    """

    def __init__(self, shows: Callable[[Case], bool], seconds: float, game: Game, verdict: str) -> None:
        self._ask = shows
        self._game = game
        self._verdict = verdict
        self._until = time.monotonic() + seconds

    def shrink(self, actions: Sequence[Action]) -> tuple[list[Action], Case]:
        """The smallest that was found: the actions, and the case with no step too many."""
        best = list(actions)
        while (smaller := self._smaller(best)) is not None:
            best = smaller
        return best, self._trimmed(self._of_fewer_calls(self._game.case_of(best)))

    def _smaller(self, actions: list[Action]) -> list[Action] | None:
        now = _size(self._game.case_of(actions))
        for candidate in (*_fewer(actions), *_plainer(actions)):
            if self._late():
                return None
            case = self._game.case_of(candidate)
            if _size(case) < now and self._shows(case):
                return candidate
        return None

    def _of_fewer_calls(self, case: Case) -> Case:
        """Without calls that it can do without: one action may open many."""
        names = calls(case)
        size = len(names) // 2
        while size and len(names) > 1 and not self._late():
            for at in range(0, len(names), size):
                shorter = without(case, {*names[at : at + size]})
                if shorter.steps and not self._late() and self._shows(shorter):
                    case, names = shorter, calls(shorter)
                    size = min(size, len(names) // 2)
                    break
            else:
                size //= 2
        return case

    def _trimmed(self, case: Case) -> Case:
        """Without the steps behind the one that fails, and without those that look elsewhere."""
        cut = len(case.steps) // 2
        while cut and not self._late():
            shorter = replace(case, steps=case.steps[: len(case.steps) - cut])
            if shorter.steps and self._shows(shorter):
                case = shorter
                cut = min(cut, len(case.steps) // 2)
            else:
                cut //= 2
        for at in reversed(range(len(case.steps))):
            if any(verb in case.steps[at] for verb in self._game.checks) and not self._late():
                shorter = replace(case, steps=case.steps[:at] + case.steps[at + 1 :])
                if shorter.steps and self._shows(shorter):
                    case = shorter
        return case

    def _shows(self, case: Case) -> bool:
        return self._game.sound(case, self._verdict) and self._ask(case)

    def _late(self) -> bool:
        return time.monotonic() > self._until


def _size(case: Case) -> tuple[int, int]:
    return len(case.steps) + len(case.connections), len(json.dumps(case.steps))


def _fewer(actions: list[Action]) -> Iterator[list[Action]]:
    """Without some in a row: half of them, a quarter, …, one."""
    size = len(actions) // 2 or 1
    while size and len(actions) > 1:
        for at in range(0, len(actions), size):
            yield actions[:at] + actions[at + size :]
        size //= 2


def _plainer(actions: list[Action]) -> Iterator[list[Action]]:
    """With one of them plainer: on the first connection, the first of its kind, with a plain value."""
    for at, (verb, slot, pick, choice, *value) in enumerate(actions):
        changed: list[Action] = []
        if slot:
            changed.append([verb, 0, pick, choice, *value])
        if value and verb != "garbage" and value[0] != 1:
            changed += [[verb, slot, pick, choice, 1]]
            changed += [[verb, slot, pick, choice, part] for part in _parts(value[0])]
        changed += [[verb, slot, fewer, choice, *value] for fewer in (0, 1) if fewer < pick]
        changed += [[verb, slot, pick, fewer, *value] for fewer in (0, 1, choice % 8) if fewer < choice]
        for one in changed:
            yield [*actions[:at], one, *actions[at + 1 :]]


def _parts(value: object) -> list[object]:
    if isinstance(value, list):
        return value
    if isinstance(value, dict) and not any(str(key).startswith("$") for key in value):
        return list(value.values())
    return []
