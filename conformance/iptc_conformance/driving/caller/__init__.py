"""The caller role: a driver of the implementation under test calls, and the suite plays the callee."""

from __future__ import annotations
