"""Addresses as users write them."""

from __future__ import annotations

from iptc_conformance.cli.errors import UsageError
from iptc_conformance.driving.streams import Address


def address_of(text: str, lowest_port: int = 1) -> Address:
    """Read HOST:PORT.  Raises UsageError."""
    host, colon, port = text.removeprefix("tcp://").rpartition(":")
    if not colon or not port.isascii() or not port.isdigit() or not lowest_port <= int(port) < 65536:
        raise UsageError(f"{text!r} is no HOST:PORT")
    return Address(host.strip("[]") or "127.0.0.1", int(port))
