"""Values that msgpack has and Python's literals lack, shared by the reader, the writer and the tags."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

TIMESTAMP_TYPE = -1
MAX_NANOSECONDS = 999_999_999
MIN_SECONDS = -62_135_596_800  # 0001-01-01T00:00:00Z
MAX_SECONDS = 253_402_300_799  # 9999-12-31T23:59:59Z


@dataclass(frozen=True, slots=True)
class Ext:
    """An ext value: its type, -128 … 127, and its bytes."""

    type: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Timestamp:
    """A legal ext of type -1: whole seconds since 1970 UTC, and nanoseconds 0 … 999999999."""

    seconds: int
    nanoseconds: int


@dataclass(frozen=True, slots=True)
class Map:
    """A map that a dict cannot hold: keys that are no str, or a key that stands twice. In wire order."""

    pairs: tuple[tuple[Any, Any], ...]


@dataclass(frozen=True, slots=True)
class BadStr:
    """A msgpack str whose bytes are not UTF-8."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Raw:
    """Bytes that the writer splices in as they are, in the place of one object."""

    data: bytes


def timestamp_of(data: bytes) -> Timestamp | None:
    """Read the bytes of an ext of type -1; None where they are no timestamp (ENC-08s)."""
    if len(data) == 4:
        seconds, nanoseconds = int.from_bytes(data, "big"), 0
    elif len(data) == 8:
        both = int.from_bytes(data, "big")
        seconds, nanoseconds = both & 0x3_FFFF_FFFF, both >> 34
    elif len(data) == 12:
        nanoseconds = int.from_bytes(data[:4], "big")
        seconds = int.from_bytes(data[4:], "big", signed=True)
    else:
        return None
    if nanoseconds > MAX_NANOSECONDS or not MIN_SECONDS <= seconds <= MAX_SECONDS:
        return None
    return Timestamp(seconds, nanoseconds)
