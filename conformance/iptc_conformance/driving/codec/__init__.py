"""The codec role: a program reads frames as text, one a line, and says what each is; see conformance/README.md."""

from __future__ import annotations
