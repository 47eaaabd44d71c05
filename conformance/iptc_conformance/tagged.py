"""msgpack values as JSON, for cases, vectors, dialogues and reports.

JSON stands for itself, except for one-member objects whose key begins with `$`:

    {"$bin": "c0ff"}   {"$ext": [5, "00"]}   {"$timestamp": [seconds, nanoseconds]}
    {"$float": "nan"|"-inf"|"1.0"}   {"$int": "18446744073709551615"}   {"$map": [[key, value], …]}
    {"$str": "ff"} (bytes that are not UTF-8)
    {"$arrays": [depth, value]} and {"$maps": [depth, value]} (to be read only: a value in that many
    arrays of one, or in that many maps of the one key k)
    {"$raw": "93"} (to be written only: these very bytes in the place of one object)
"""

from __future__ import annotations

import math
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from iptc_conformance.msgpack_values import BadStr, Ext, Map, Raw, Timestamp
from iptc_conformance.msgpack_writer import encode

if TYPE_CHECKING:
    from collections.abc import Callable

_SAFE_INTEGER = 2**53  # beyond it JSON readers of other languages lose digits


class TagError(ValueError):
    """A tagged value that means nothing."""


def _float_name(value: float) -> str | None:
    """Return how to name a float that JSON cannot say, or cannot tell from an integer."""
    return None if math.isfinite(value) and not value.is_integer() else repr(value)


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


def _wrapped(content: Any, wrap: Callable[[Any], Any]) -> Any:
    depth, inner = content
    value = untag(inner)
    for _ in range(int(depth)):
        value = wrap(value)
    return value


_UNTAG: dict[str, Callable[[Any], Any]] = {
    "$bin": bytes.fromhex,
    "$arrays": lambda content: _wrapped(content, lambda value: [value]),
    "$maps": lambda content: _wrapped(content, lambda value: {"k": value}),
    "$ext": _untag_ext,
    "$timestamp": _untag_timestamp,
    "$float": float,
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


def _parts(value: Any) -> tuple[str, list[Any]] | None:
    """Return the shape of an array or a map, and its parts in an order that is not the wire's."""
    if isinstance(value, list | tuple):
        return f"array of {len(value)}", list(value)
    if isinstance(value, dict | Map):
        pairs = value.items() if isinstance(value, dict) else value.pairs
        keyed = sorted(((encode(key), item) for key, item in pairs), key=itemgetter(0))
        return f"map of {[key for key, _ in keyed]!r}", [item for _, item in keyed]
    return None


def _same_leaf(one: Any, other: Any) -> bool:
    """Tell whether two values that are neither arrays nor maps are the same."""
    if type(one) is type(other) and isinstance(one, int | str | bytes):
        return bool(one == other)
    if isinstance(one, float) and isinstance(other, float) and math.isnan(one):
        return math.isnan(other)
    return encode(one) == encode(other)


def identical(one: Any, other: Any) -> bool:
    """Tell whether two values are the same but for encodings and the order of keys, at any depth.

    1, 1.0 and true are three values, 0.0 and -0.0 two. Raises ValueError for what msgpack cannot hold.
    """
    todo = [(one, other)]
    while todo:
        left, right = todo.pop()
        left_parts, right_parts = _parts(left), _parts(right)
        if left_parts is None or right_parts is None:
            if left_parts is not right_parts or not _same_leaf(left, right):
                return False
        elif left_parts[0] != right_parts[0]:
            return False
        else:
            todo += zip(left_parts[1], right_parts[1], strict=True)
    return True
