"""The version of the package; the protocol has a version of its own (see `iptc versions`)."""

from __future__ import annotations

__version__ = "0.1.0"
