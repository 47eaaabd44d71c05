"""What is fuzzed: each target takes bytes and raises where an invariant does not hold."""

from __future__ import annotations
