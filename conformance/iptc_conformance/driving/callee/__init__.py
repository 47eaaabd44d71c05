"""The callee role: the suite calls; the implementation under test listens and serves the fixture."""

from __future__ import annotations
