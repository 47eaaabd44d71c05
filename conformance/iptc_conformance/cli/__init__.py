"""The `iptc` command line: one module per family of subcommands, loaded when it is called."""

from __future__ import annotations
