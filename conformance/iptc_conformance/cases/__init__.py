"""Cases as data: what a case says, how its values are written, how its patterns match."""

from __future__ import annotations

from iptc_conformance.cases.load import CaseFileError, load_cases
from iptc_conformance.cases.model import Case, Step

__all__ = ["Case", "CaseFileError", "Step", "load_cases"]
