"""What is made of the results: console report, JSON Lines, baselines, the matrix by clause."""

from __future__ import annotations
