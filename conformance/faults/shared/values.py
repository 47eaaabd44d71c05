"""Faults in handing values through."""

from __future__ import annotations

import math
import unicodedata
from typing import TYPE_CHECKING, Any

from faults.honest import Peer
from iptc_conformance.msgpack_values import Ext, Map, Timestamp

if TYPE_CHECKING:
    from collections.abc import Callable

    from iptc_conformance.wire import Message


def each(value: Any, change: Callable[[Any], Any]) -> Any:
    """Change every leaf and, after its parts, every array and map of a value, the outermost map excepted."""
    return (
        {key: deep(part, change) for key, part in value.items()}
        if isinstance(value, dict)
        else deep(value, change)
    )


def deep(value: Any, change: Callable[[Any], Any]) -> Any:
    """Change a value and all that is in it; what nests too deep is left alone."""
    if isinstance(value, list) and shallow(value):
        return change([deep(part, change) for part in value])
    if isinstance(value, dict) and shallow(value):
        return change({change(key): deep(part, change) for key, part in value.items()})
    if isinstance(value, Map):
        return change(Map(tuple((change(key), deep(part, change)) for key, part in value.pairs)))
    return value if isinstance(value, list | dict) else change(value)


def shallow(value: Any, levels: int = 50) -> bool:
    """Whether a value nests less than so many levels."""
    while levels and isinstance(value, list | dict) and value:
        value = value[0] if isinstance(value, list) else next(iter(value.values()))
        levels -= 1
    return levels > 0


class LargeUnsignedAsFloat(Peer):
    """Integers above 2^63 become floats."""

    def value(self, message: Message) -> Any:
        return each(super().value(message), lambda v: float(v) if type(v) is int and v >= 2**63 else v)


class LargeUnsignedAsNegative(Peer):
    """Integers above 2^63 become negative."""

    def value(self, message: Message) -> Any:
        return each(super().value(message), lambda v: v - 2**64 if type(v) is int and v >= 2**63 else v)


class IntegersAsDoubles(Peer):
    """Integers above 2^53 lose their last digits."""

    def value(self, message: Message) -> Any:
        return each(super().value(message), lambda v: _rounded(v) if type(v) is int else v)


def _rounded(number: int) -> int:
    return min(int(float(number)), 2**64 - 1)


class WholeFloatsAsIntegers(Peer):
    """A float without a fraction comes back as an integer."""

    def value(self, message: Message) -> Any:
        return each(super().value(message), lambda v: int(v) if type(v) is float and v.is_integer() else v)


class NegativeZeroLost(Peer):
    """The float -0.0 comes back as 0.0."""

    def value(self, message: Message) -> Any:
        return each(super().value(message), lambda v: 0.0 if type(v) is float and v == 0 else v)


class NanAsNil(Peer):
    """NaN and the infinities come back as nil."""

    def value(self, message: Message) -> Any:
        return each(
            super().value(message), lambda v: None if type(v) is float and not math.isfinite(v) else v
        )


class BooleansAsIntegers(Peer):
    """Booleans come back as 1 and 0."""

    def value(self, message: Message) -> Any:
        return each(super().value(message), lambda v: int(v) if isinstance(v, bool) else v)


class BinAsStr(Peer):
    """bin that is UTF-8 comes back as str."""

    def value(self, message: Message) -> Any:
        return each(super().value(message), _as_text)


def _as_text(value: Any) -> Any:
    try:
        return value.decode() if isinstance(value, bytes) else value
    except UnicodeDecodeError:
        return value


class TextCutAtNul(Peer):
    """A str ends at its first zero character."""

    def value(self, message: Message) -> Any:
        return each(super().value(message), lambda v: v.split("\0")[0] if isinstance(v, str) else v)


class TextNormalised(Peer):
    """Text comes back in the normal form of Unicode."""

    def value(self, message: Message) -> Any:
        return each(
            super().value(message), lambda v: unicodedata.normalize("NFC", v) if isinstance(v, str) else v
        )


class EmptyMapAsArray(Peer):
    """An empty map comes back as an empty array."""

    def value(self, message: Message) -> Any:
        return each(super().value(message), lambda v: [] if v == {} else v)


class NilInMapLost(Peer):
    """A key whose value is nil is lost from a map."""

    def value(self, message: Message) -> Any:
        return each(super().value(message), _without_nil)


def _without_nil(value: Any) -> Any:
    return {k: v for k, v in value.items() if v is not None} if isinstance(value, dict) else value


class KeysAsText(Peer):
    """The integer keys of a map come back as text."""

    def value(self, message: Message) -> Any:
        return each(super().value(message), _text_keys)


def _text_keys(value: Any) -> Any:
    return {str(k): v for k, v in value.pairs} if isinstance(value, Map) else value


class LongArraysCut(Peer):
    """Arrays lose what is behind their 65535th element."""

    def value(self, message: Message) -> Any:
        return each(super().value(message), lambda v: v[:65535] if isinstance(v, list) else v)


class ExtAsBin(Peer):
    """An ext value comes back as bin."""

    def value(self, message: Message) -> Any:
        return each(super().value(message), lambda v: v.data if isinstance(v, Ext) else v)


class TimestampAsNumber(Peer):
    """A timestamp comes back as its seconds."""

    def value(self, message: Message) -> Any:
        return each(super().value(message), lambda v: v.seconds if isinstance(v, Timestamp) else v)
