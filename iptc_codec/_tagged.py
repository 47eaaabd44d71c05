"""Values of msgpack as JSON, for programs that talk to people or to other programs in JSON Lines.

JSON stands for itself. What it has no word for is an object whose only key begins with `$`:

    {"$bin": "00ff"}   {"$ext": [5, "01"]}   {"$timestamp": [seconds, nanoseconds]}
    {"$int": "18446744073709551615"}   {"$float": "nan"}   {"$map": [[key, value], …]}

A whole float is tagged, `{"$float": "1.0"}`, for JSON cannot tell it from an integer. A timestamp that was
received is exact to the microsecond, as msgspec reads it; one that is sent keeps its nanoseconds.
"""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from msgspec.msgpack import Ext

if TYPE_CHECKING:
    from collections.abc import Callable

_SAFE_INTEGER: Final = 2**53  # beyond it JSON readers of other languages lose digits
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_TIMESTAMP: Final = -1


class TagError(ValueError):
    """There is no such value, or none that Python can hold."""


def tag(value: object) -> object:
    """The JSON form of a value as msgspec reads it.

    Raises `TagError` for what it never reads, `RecursionError` for what is nested too deeply.
    """
    match value:
        case None | bool() | str():
            return value
        case int():
            return value if abs(value) <= _SAFE_INTEGER else {"$int": str(value)}
        case float():
            plain = math.isfinite(value) and not value.is_integer()
            return value if plain else {"$float": repr(value)}
        case list() | tuple():
            return [tag(item) for item in value]
        case dict():
            return _tag_map(value)
        case bytes() | bytearray() | memoryview():
            return {"$bin": bytes(value).hex()}
        case Ext():
            return {"$ext": [value.code, bytes(value.data).hex()]}
        case datetime():
            seconds, microseconds = divmod((value - _EPOCH) // _MICROSECOND, 10**6)
            return {"$timestamp": [seconds, microseconds * 1000]}
    raise TagError(f"there is no tag for a {type(value).__name__}")


def untag(tagged: Any) -> Any:
    """The value that a JSON form stands for. Raises `TagError`, and `RecursionError` as above."""
    if isinstance(tagged, list):
        return [untag(item) for item in tagged]
    if not isinstance(tagged, dict):
        return tagged
    tags = [key for key in tagged if key.startswith("$")]
    if not tags:
        return {key: untag(value) for key, value in tagged.items()}
    if len(tagged) != 1 or tags[0] not in _UNTAG:
        raise TagError(f"no value: {tagged!r:.80}")
    try:
        return _UNTAG[tags[0]](tagged[tags[0]])
    except (ValueError, TypeError, OverflowError) as error:
        raise TagError(f"{tags[0]}: {error}") from error


def _tag_map(value: dict[object, object]) -> object:
    if all(isinstance(key, str) and not key.startswith("$") for key in value):
        return {key: tag(item) for key, item in value.items()}
    return {"$map": [[tag(key), tag(item)] for key, item in value.items()]}


def _untag_map(pairs: Any) -> dict[object, object]:
    read = {_key(untag(key)): untag(item) for key, item in pairs}
    if len(read) != len(pairs):
        raise ValueError("two keys are the same to Python")
    return read


def _key(key: object) -> object:
    return tuple(_key(item) for item in key) if isinstance(key, list) else key


def _untag_timestamp(content: Any) -> Ext:
    seconds, nanoseconds = map(int, content)
    if not 0 <= nanoseconds < 10**9:
        raise ValueError("nanoseconds are below a second")
    if 0 <= seconds < 1 << 34:
        return Ext(_TIMESTAMP, (nanoseconds << 34 | seconds).to_bytes(8, "big"))
    return Ext(_TIMESTAMP, nanoseconds.to_bytes(4, "big") + seconds.to_bytes(8, "big", signed=True))


def _untag_ext(content: Any) -> Ext:
    code, data = content
    return Ext(code, bytes.fromhex(data))


_UNTAG: Final[dict[str, Callable[[Any], Any]]] = {
    "$bin": bytes.fromhex,
    "$ext": _untag_ext,
    "$timestamp": _untag_timestamp,
    "$float": float,
    "$int": int,
    "$map": _untag_map,
}
