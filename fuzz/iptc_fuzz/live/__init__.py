"""Fuzzers for live implementations: conversations that are cases, judged as cases are."""

from __future__ import annotations
