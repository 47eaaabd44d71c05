"""msgpack values as JSON, for cases, vectors, dialogues and reports.

JSON stands for itself, except for one-member objects whose key begins with `$`:

    {"$bin": "c0ff"}   {"$ext": [5, "00"]}   {"$timestamp": [seconds, nanoseconds]}
    {"$float": "nan"|"inf"|"-inf"}   {"$int": "18446744073709551615"}   {"$map": [[key, value], …]}
    {"$str": "ff"} (bytes that are not UTF-8)
    {"$raw": "93"} (to be written only: these very bytes in the place of one object)
"""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

from iptc_conformance.msgpack_values import BadStr, Ext, Map, Raw, Timestamp

if TYPE_CHECKING:
    from collections.abc import Callable

_SAFE_INTEGER = 2**53  # beyond it JSON readers of other languages lose digits
_FLOATS = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}


class TagError(ValueError):
    """A tagged value that means nothing."""


def _float_name(value: float) -> str | None:
    if math.isnan(value):
        return "nan"
    if math.isinf(value):
        return "inf" if value > 0 else "-inf"
    return None


def _tag_map(pairs: list[tuple[Any, Any]]) -> Any:
    plain = all(isinstance(key, str) and not key.startswith("$") for key, _ in pairs)
    if plain and len({key for key, _ in pairs}) == len(pairs):
        return {key: tag(value) for key, value in pairs}
    return {"$map": [[tag(key), tag(value)] for key, value in pairs]}


def _tag_leaf(value: Any) -> Any:
    match value:
        case None | bool() | str():
            return value
        case int():
            return value if abs(value) <= _SAFE_INTEGER else {"$int": str(value)}
        case float():
            name = _float_name(value)
            return value if name is None else {"$float": name}
        case bytes() | bytearray():
            return {"$bin": value.hex()}
        case BadStr():
            return {"$str": value.data.hex()}
        case Raw():
            return {"$raw": value.data.hex()}
        case Timestamp():
            return {"$timestamp": [value.seconds, value.nanoseconds]}
        case Ext():
            return {"$ext": [value.type, value.data.hex()]}
    raise TagError(f"there is no tag for a {type(value).__name__}")


def tag(value: Any) -> Any:
    """Return the JSON form of a value.

    Raises TagError, and RecursionError for a value deeper than the interpreter's stack.
    """
    if isinstance(value, list | tuple):
        return [tag(item) for item in value]
    if isinstance(value, dict):
        return _tag_map(list(value.items()))
    if isinstance(value, Map):
        return _tag_map(list(value.pairs))
    return _tag_leaf(value)


def _untag_map(pairs: Any) -> Any:
    read = tuple((untag(key), untag(value)) for key, value in pairs)
    if all(isinstance(key, str) for key, _ in read) and len({key for key, _ in read}) == len(read):
        return dict(read)
    return Map(read)


def _untag_ext(content: Any) -> Ext:
    kind, data = content
    return Ext(int(kind), bytes.fromhex(data))


def _untag_timestamp(content: Any) -> Timestamp:
    seconds, nanoseconds = content
    return Timestamp(int(seconds), int(nanoseconds))


_UNTAG: dict[str, Callable[[Any], Any]] = {
    "$bin": bytes.fromhex,
    "$ext": _untag_ext,
    "$timestamp": _untag_timestamp,
    "$float": _FLOATS.__getitem__,
    "$int": int,
    "$map": _untag_map,
    "$str": lambda content: BadStr(bytes.fromhex(content)),
    "$raw": lambda content: Raw(bytes.fromhex(content)),
}


def untag(json_value: Any) -> Any:
    """Return the value that a JSON form stands for. Raises TagError."""
    if isinstance(json_value, list):
        return [untag(item) for item in json_value]
    if not isinstance(json_value, dict):
        return json_value
    tags = [key for key in json_value if key.startswith("$")]
    if not tags:
        return {key: untag(value) for key, value in json_value.items()}
    if len(json_value) != 1 or tags[0] not in _UNTAG:
        raise TagError(f"no tag: {json_value!r:.80}")
    try:
        return _UNTAG[tags[0]](json_value[tags[0]])
    except (ValueError, TypeError, KeyError) as error:
        raise TagError(f"{tags[0]}: {error}") from error


def _canonical(value: Any) -> Any:
    """Return a form whose JSON text is the same for the same values, whatever the order of a map's keys."""
    if isinstance(value, list | tuple):
        return [_canonical(item) for item in value]
    if isinstance(value, dict | Map):
        pairs = value.items() if isinstance(value, dict) else value.pairs
        texts = ([canonical_text(key), canonical_text(item)] for key, item in pairs)
        return {"$map": sorted(texts)}
    return _tag_leaf(value)


def canonical_text(value: Any) -> str:
    """Return one text for each value: maps in any order are one, but 1, 1.0 and true are three.

    Raises as `tag` does.
    """
    return json.dumps(_canonical(value), sort_keys=True)


def identical(one: Any, other: Any) -> bool:
    """Tell whether two values are the same on the wire but for encodings and the order of keys."""
    return canonical_text(one) == canonical_text(other)
