"""What is derived from the specification: one module per kind of derived text."""

from __future__ import annotations
