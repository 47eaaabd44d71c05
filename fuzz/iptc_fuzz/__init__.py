"""Fuzzers for IPTC implementations."""

from __future__ import annotations
