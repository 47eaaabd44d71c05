"""The report as a page."""

from __future__ import annotations

from iptc_conformance.reporting.html.page import page, write_html

__all__ = ["page", "write_html"]
