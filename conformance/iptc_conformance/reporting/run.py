"""What a report says about its run, beside the results."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime


@dataclass(frozen=True, slots=True)
class Run:
    """One run of the suite.

    `peer` is what was judged, in words; `command` the whole command line; `rerun` gives the command line that
    runs one case again; `started` has a time zone; `seconds` is what the run took.
    """

    peer: str
    command: str
    rerun: Callable[[str], str] = field(repr=False)
    started: datetime
    seconds: float
    suite: str
    protocol: int
