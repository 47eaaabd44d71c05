"""A strict, sans-IO codec for IPTC."""

from __future__ import annotations
