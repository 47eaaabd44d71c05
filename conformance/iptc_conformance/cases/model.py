"""What a case is, once its file has been read and checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Step = Mapping[str, Any]
"""One step, exactly as in the file: one verb and its parameters (spec/schema/case.schema.json)."""


@dataclass(frozen=True, slots=True)
class Case:
    """One question that is put to an implementation, and what its answer may be."""

    id: str
    area: str
    title: str
    clauses: tuple[str, ...]
    level: str
    role: str
    needs: tuple[str, ...]
    steps: tuple[Step, ...]
    connections: tuple[str, ...] = ("a",)
    twin: str | None = None
    hint: str = ""
    hostile: bool = False
    violates: tuple[str, ...] = ()
    slow: bool = False
    hello_seconds: float | None = None
    """A testee that the suite starts may wait for hellos as short as this, to save time."""
    hello: Any = None
    """What the suite says first in the caller role, tagged; None: its uid; False: nothing."""
    auto_cancel: bool = True
    """Whether a CANCEL that no step waits for is answered as an honest callee does."""

    @property
    def negative(self) -> bool:
        """Whether the harness itself breaks the protocol here: such a case is fenced on both sides."""
        return self.hostile or bool(self.violates)

    @property
    def lingers(self) -> bool:
        """Whether the testee may still have something to write after the case, and die of that later."""
        return any("deaf" in step for step in self.steps)
