"""The codec role: a program reads frames as text, one a line, and says what each is."""

from __future__ import annotations
