"""Which MUST clauses have a fault, and why the others have none."""

from __future__ import annotations

from faults.data import faults, unseen
from iptc_conformance import _specdata


def wire_visible() -> list[str]:
    """Return the MUST clauses for which PROTOCOL.md states no exclusion."""
    clauses = _specdata.clauses()
    return [
        name for name, clause in clauses.items() if clause["level"] == "MUST" and not clause.get("exclusion")
    ]


def uncovered() -> list[str]:
    """Return the MUST clauses that have neither a fault nor a reason why no breach can be seen."""
    covered = {fault.clause for fault in faults()}
    return [clause for clause in wire_visible() if clause not in covered and clause not in unseen()]
