"""Driving a testee: connections, steps, one case, the whole suite."""

from __future__ import annotations
