"""`iptc tap`: a proxy between two live peers that changes no byte, and judges what goes by.

The tap is one place on the path. What it reads it records and judges before it passes it on, so whatever a
side sends in answer is recorded after it. All else may cross, and the tables take it as crossing.
"""

from __future__ import annotations

from iptc_conformance.tap.passing import Ended, pass_between
from iptc_conformance.tap.serving import Tap, TapSettings
from iptc_conformance.tap.tape import Tape, Watcher

__all__ = ["Ended", "Tap", "TapSettings", "Tape", "Watcher", "pass_between"]
