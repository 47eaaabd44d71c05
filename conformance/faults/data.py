"""The faults as data: `faults.json`, and the classes that it names."""

from __future__ import annotations

import importlib
import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

from faults.honest import Callee, Caller
from iptc_conformance import _specdata

Role = Literal["callee", "caller"]
FILE = Path(__file__).with_name("faults.json")


@dataclass(frozen=True, slots=True)
class Fault:
    """One bug, or for an honest peer one harmless oddity.

    `clauses`: those that have to catch it, the first above all; none for an honest peer.
    """

    id: str
    role: Role
    title: str
    clauses: tuple[str, ...]
    made: str

    @property
    def clause(self) -> str:
        """The clause that has to catch it."""
        return self.clauses[0]

    @property
    def level(self) -> str:
        """MUST or SHOULD, as its clause."""
        return _specdata.clause_level(self.clause)

    def make(self) -> Any:
        """Build the peer."""
        return self.type()

    @property
    def type(self) -> type[Any]:
        """The class that overrides a duty of the honest peer."""
        module, name = self.made.split(":")
        found: type[Any] = getattr(importlib.import_module(f"faults.{module}"), name)
        base = {"callee": Callee, "caller": Caller}[self.role]
        return found if issubclass(found, base) else type(name, (found, base), {})


@cache
def document() -> dict[str, Any]:
    """Return the whole file."""
    loaded: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
    return loaded


def faults() -> list[Fault]:
    """Return every fault, in the order of the file."""
    return [_fault(entry) for entry in document()["faults"]]


def honest() -> list[Fault]:
    """Return the honest peers: without any oddity, and with a harmless one each."""
    return [_fault(entry) for entry in document()["honest"]]


def unseen() -> dict[str, str]:
    """Return the MUST clauses that have no fault, each with the reason why no breach can be seen."""
    reasons: dict[str, str] = document()["unseen"]
    return reasons


def _fault(entry: dict[str, Any]) -> Fault:
    clauses = tuple(entry.get("clauses", ()))
    return Fault(entry["id"], entry["role"], entry["title"], clauses, entry["made"])
