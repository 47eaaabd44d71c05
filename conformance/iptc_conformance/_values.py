"""The rules for values of the application, wherever they stand.

ENC-02s, ENC-07s, ENC-08s, and the depth that ENC-06s speaks of.
"""

from __future__ import annotations

from dataclasses import dataclass

from iptc_conformance.msgpack_reader import Kind, Token, text_of, token_at, tokens
from iptc_conformance.msgpack_values import TIMESTAMP_TYPE, timestamp_of


@dataclass(frozen=True, slots=True)
class ValueFacts:
    """The first rule that a value breaks, in byte order, and what was seen in it.

    `depth` is the number of arrays and maps around its innermost part: 0 for a scalar, 1 for an empty array.
    """

    clause: str | None
    detail: str
    depth: int = 0
    has_map: bool = False
    has_timestamp: bool = False


_HARMLESS = frozenset({Kind.NIL, Kind.BOOL, Kind.INT, Kind.FLOAT, Kind.BIN})
_FLAT = ValueFacts(None, "")


def _is_timestamp(token: Token) -> bool:
    return token.kind is Kind.EXT and token.scalar == TIMESTAMP_TYPE


def _fault(body: bytes, token: Token, *, in_key: bool) -> tuple[str, str] | None:
    """Return the clause that one token breaks, and how."""
    if token.kind is Kind.STR and text_of(body, token) is None:
        return "ENC-02s", f"a str at byte {token.start} is not UTF-8"
    if _is_timestamp(token):
        if timestamp_of(body[token.payload : token.end]) is None:
            return (
                "ENC-08s",
                f"the ext of type -1 at byte {token.start} is no timestamp of the years 1 to 9999",
            )
    elif in_key and token.kind in {Kind.MAP, Kind.EXT}:
        return "ENC-07s", f"the {token.kind} at byte {token.start} is part of a map's key"
    return None


def check_value(body: bytes, at: int) -> ValueFacts:
    """Check the one value at `at` of a body that is known to be well-formed."""
    if token_at(body, at).kind in _HARMLESS:
        return _FLAT
    depth = 0
    has_map = has_timestamp = False
    for token, enclosing, in_key in tokens(body, at):
        if token.kind in _HARMLESS:
            continue
        if (fault := _fault(body, token, in_key=in_key)) is not None:
            return ValueFacts(*fault)
        if token.kind in {Kind.ARRAY, Kind.MAP}:
            depth = max(depth, enclosing + 1)
            has_map = has_map or token.kind is Kind.MAP
        has_timestamp = has_timestamp or _is_timestamp(token)
    return ValueFacts(None, "", depth, has_map, has_timestamp)
