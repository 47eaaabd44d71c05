"""Figures of alternating rounds: medians with their spread, and ratios paired round by round."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True)
class Spread:
    """A median, and how far the rounds lay from it: least, most, and the quartiles between."""

    median: float
    least: float
    most: float
    lower: float
    upper: float
    rounds: int

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """Of one figure a round; at least one."""
        lower, median, upper = (
            statistics.quantiles(values, n=4, method="inclusive") if len(values) > 1 else [values[0]] * 3
        )
        return cls(median, min(values), max(values), lower, upper, len(values))

    @property
    def noise(self) -> float:
        """Half the distance of the quartiles, as a part of the median."""
        return (self.upper - self.lower) / 2 / self.median if self.median else 0.0

    def __str__(self) -> str:
        return f"{number(self.median)} [{number(self.least)}-{number(self.most)}]"


def ratio(above: Sequence[float], below: Sequence[float]) -> Spread:
    """How many times the second the first is. Both figures of a pair are of the same round."""
    return Spread.of([one / other for one, other in zip(above, below, strict=True)])


def number(value: float) -> str:
    """Three digits that matter."""
    if value == 0:
        return "0"
    size = abs(value)
    if size >= 999_500:
        return f"{value / 1e6:.3g}M"
    if size >= 999.5:
        return f"{value / 1e3:.3g}k"
    return f"{value:.3g}"
