"""Values for people: short whatever their size, and safe whatever their depth."""

from __future__ import annotations

import reprlib

_BYTES = 24


class _Shortener(reprlib.Repr):
    """`reprlib`, but a long bin is not written out first, and nothing below six levels is looked at."""

    def __init__(self) -> None:
        super().__init__()
        self.maxlevel = 6
        self.maxstring = self.maxother = 60
        self.maxlist = self.maxdict = self.maxtuple = 8

    def repr_bytes(self, value: bytes, _level: int) -> str:
        """A bin: its beginning and its size."""
        return repr(value) if len(value) <= _BYTES else f"{value[:_BYTES]!r}… ({len(value)} bytes)"


_SHORTENER = _Shortener()


def shown(value: object, limit: int = 160) -> str:
    """A value in at most `limit` characters."""
    text = _SHORTENER.repr(value)
    return text if len(text) <= limit else f"{text[: limit - 1]}…"
