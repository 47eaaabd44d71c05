"""Peers in a closed world: no network, no real time, every schedule repeatable from one number."""

from __future__ import annotations
