"""Frames that are wrong, and nearly right: legal ones with something changed where it counts.

Three levels. A message with other keys, parts or types (`broken_messages`), a body with other bytes at the
borders of its objects (`broken_bodies`), a frame with another length (`broken_frames`). A mutation may by
chance give something legal: who uses these asks the judge, not the strategy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

from iptc_conformance.msgpack_reader import Malformed, end_of, tokens
from iptc_conformance.msgpack_values import BadStr, Ext, Map
from iptc_fuzz.strategies import encodings
from iptc_fuzz.strategies.messages import bodies, cids, messages
from iptc_fuzz.strategies.values import nested, texts, values
from iptc_fuzz.traffic import frame

if TYPE_CHECKING:
    from collections.abc import Callable

KEYS = ("cmd", "functype", "started", "yield", "stop", "return", "error", "cid")
_FRAME_LIMIT = 64 << 20

# ---- values that no message may carry


def illegal_values() -> st.SearchStrategy[Any]:
    """Well-formed values that break a rule: UTF-8 (ENC-02s), keys (ENC-07s), timestamps (ENC-08s)."""
    bad_text = st.sampled_from((b"\xff", b"\xc3", b"\xed\xa0\x80", b"a\x80", b"\xf4\x90\x80\x80")).map(BadStr)
    bad_time = st.builds(
        Ext, st.just(-1), st.sampled_from((0, 3, 5, 8, 12, 13)).flatmap(lambda n: st.just(b"\xff" * n))
    )
    bad_key = st.sampled_from((Map(()), {}, Ext(5, b"x"), [{}], [[Ext(1, b"")]], BadStr(b"\xff")))
    pairs = st.tuples(bad_key, st.none())
    return bad_text | bad_time | pairs.map(lambda pair: Map((pair,)))


def any_values() -> st.SearchStrategy[Any]:
    """Values legal and not, the latter also deep inside."""
    inside = st.builds(lambda bad, rest: [*rest, bad], illegal_values(), st.lists(values(2), max_size=2))
    in_map = st.builds(lambda bad, key: {key: bad}, illegal_values(), texts())
    return st.one_of(values(4), illegal_values(), inside, in_map, nested(st.sampled_from((101, 300, 3000))))


def bad_cids() -> st.SearchStrategy[Any]:
    """Whatever is no cid (CID-01s)."""
    wrong: tuple[Any, ...] = (
        "",
        "x" * 257,
        "é" * 129,
        BadStr(b"\xff"),
        BadStr(b"c1\xc3"),
        b"c1",
        1,
        None,
        True,
        ["c1"],
        {},
    )
    return st.sampled_from(wrong) | values(2)


# ---- messages

Pairs = list[tuple[Any, Any]]


def _command(value: Any) -> list[Any] | None:
    return value if isinstance(value, list) and len(value) == 5 else None


def _drop(pairs: Pairs, at: int, _value: Any) -> Pairs:
    return pairs[:at] + pairs[at + 1 :]


def _repeat(pairs: Pairs, at: int, _value: Any) -> Pairs:
    return [*pairs, pairs[at]]


def _repeat_differing(pairs: Pairs, at: int, value: Any) -> Pairs:
    return [*pairs, (pairs[at][0], value)]


def _add(pairs: Pairs, at: int, value: Any) -> Pairs:
    return [*pairs[:at], (KEYS[at % len(KEYS)], value), *pairs[at:]]


def _add_unknown(pairs: Pairs, at: int, value: Any) -> Pairs:
    return [*pairs[:at], ("more", value), *pairs[at:]]


def _rename(pairs: Pairs, at: int, value: Any) -> Pairs:
    return [*pairs[:at], (value, pairs[at][1]), *pairs[at + 1 :]]


def _as_bin(pairs: Pairs, at: int, _value: Any) -> Pairs:
    key = pairs[at][0]
    return [*pairs[:at], (key.encode() if isinstance(key, str) else 1, pairs[at][1]), *pairs[at + 1 :]]


def _replace(pairs: Pairs, at: int, value: Any) -> Pairs:
    return [*pairs[:at], (pairs[at][0], value), *pairs[at + 1 :]]


def _in_command(pairs: Pairs, at: int, value: Any) -> Pairs:
    """Change one part of an OPEN, or how many parts it has."""
    cmd = _command(pairs[0][1])
    if cmd is None:
        return _replace(pairs, 0, value)
    changed = [
        [*cmd[:at], value, *cmd[at + 1 :]],
        cmd[:at] + cmd[at + 1 :],
        [*cmd, value],
        [*cmd[:2], Map(((value, 1),)), *cmd[3:]],
    ]
    return [(pairs[0][0], changed[at % len(changed)]), *pairs[1:]]


def _second_cid(pairs: Pairs, _at: int, value: Any) -> Pairs:
    return [*pairs, ("cid", value)]


_MUTATIONS: tuple[Callable[[Pairs, int, Any], Pairs], ...] = (
    *(_drop, _repeat, _repeat_differing, _add, _add_unknown, _rename, _as_bin, _replace),
    *(_in_command, _in_command, _second_cid),
)


def _mutated(message: Any, steps: list[tuple[int, int, Any]]) -> Any:
    if isinstance(message, list):  # a hello
        return [*message[: steps[0][1]], steps[0][2], *message[steps[0][1] + 1 :]]
    pairs: Pairs = list(message.items())
    for which, at, value in steps:
        if not pairs:
            break
        pairs = _MUTATIONS[which](pairs, at % (5 if which in {8, 9} else len(pairs)), value)
    return Map(tuple(pairs))


def broken_messages(message: st.SearchStrategy[Any] | None = None) -> st.SearchStrategy[Any]:
    """Messages, well-formed, with one or two things changed: a key, a part, a type, a value."""
    whole = messages(
        tuple(kind for kind in ("OPEN", "ACK", "STARTED", "ITEM", "END", "RESULT", "FAIL", "FATAL"))
    )
    value = st.one_of(any_values(), bad_cids(), cids(), st.sampled_from(KEYS))
    step = st.tuples(st.integers(0, len(_MUTATIONS) - 1), st.integers(0, 4), value)
    hello = messages(("HELLO",))
    return st.builds(
        _mutated, (whole | hello) if message is None else message, st.lists(step, min_size=1, max_size=2)
    )


# ---- bytes


def _places(body: bytes) -> list[int]:
    """Where the objects of a body begin, as far as it is well-formed."""
    found = []
    try:
        for seen in tokens(body):
            found.append(seen.token.start)
            if len(found) > 200:
                break
    except Malformed:
        pass
    return found or [0]


def _span(body: bytes, at: int) -> tuple[int, int]:
    try:
        return at, end_of(body, at)
    except Malformed:
        return at, min(at + 1, len(body))


def _truncate(body: bytes, at: int, number: int) -> bytes:
    return body[: number % (len(body) + 1)] if number & 1 else body[:at]


def _append(body: bytes, _at: int, number: int) -> bytes:
    return body + bytes([number & 0xFF])


def _set(body: bytes, at: int, number: int) -> bytes:
    return body[:at] + bytes([number & 0xFF]) + body[at + 1 :]


def _flip(body: bytes, _at: int, number: int) -> bytes:
    at = (number >> 3) % max(1, len(body))
    return body[:at] + bytes([body[at] ^ 1 << (number & 7)]) + body[at + 1 :] if body else b""


def _count_more(body: bytes, at: int, number: int) -> bytes:
    """Let an array, a map or a short str say that it is longer or shorter than it is."""
    return _set(body, at, body[at] + (1 if number & 1 else -1)) if at < len(body) else body


def _delete(body: bytes, at: int, _number: int) -> bytes:
    start, end = _span(body, at)
    return body[:start] + body[end:]


def _double(body: bytes, at: int, _number: int) -> bytes:
    start, end = _span(body, at)
    return body[:end] + body[start:]


def _splice(body: bytes, at: int, number: int) -> bytes:
    """Put one of the body's own objects in the place of another."""
    start, end = _span(body, at)
    places = _places(body)
    first, last = _span(body, places[number % len(places)])
    return body[:start] + body[first:last] + body[end:]


def _big_head(body: bytes, at: int, number: int) -> bytes:
    """Announce far more than there is."""
    first = (0xDD, 0xDF, 0xDB, 0xC6, 0xC9, 0xDC, 0xDE)[number % 7]
    return body[:at] + bytes([first]) + b"\xff\xff\xff\xfe"[: 2 if first in {0xDC, 0xDE} else 4] + body[at:]


_BYTE_MUTATIONS: tuple[Callable[[bytes, int, int], bytes], ...] = (
    *(_truncate, _append, _set, _flip, _count_more, _delete, _double, _splice, _big_head),
)


def mutated_bytes(body: bytes, steps: list[tuple[int, int, int]]) -> bytes:
    """Change a body at the borders of its objects; a step is which change, which object, a number for it."""
    for which, place, number in steps:
        places = _places(body)
        body = _BYTE_MUTATIONS[which % len(_BYTE_MUTATIONS)](body, places[place % len(places)], number)
    return body


def byte_mutations() -> st.SearchStrategy[list[tuple[int, int, int]]]:
    """Steps for `mutated_bytes`."""
    step = st.tuples(st.integers(0, len(_BYTE_MUTATIONS) - 1), st.integers(0, 12), st.integers(0, 2047))
    return st.lists(step, min_size=1, max_size=3)


def broken_bodies() -> st.SearchStrategy[bytes]:
    """Bodies that are mostly no legal message, and mostly not far from one; a few are any bytes at all."""
    by_structure = encodings.bodies(broken_messages())
    by_bytes = st.builds(mutated_bytes, bodies(), byte_mutations())
    both = st.builds(mutated_bytes, by_structure, byte_mutations())
    strange = encodings.bodies(any_values())
    return st.one_of(by_structure, by_bytes, both, strange, st.binary(max_size=24))


def _with_length(body: bytes, change: int) -> bytes:
    length = {0: 0, 1: len(body) + 1, 2: max(0, len(body) - 1), 3: _FRAME_LIMIT, 4: _FRAME_LIMIT + 1}
    return length.get(change, 0xFFFFFFFF).to_bytes(4, "little") + body


def broken_frames() -> st.SearchStrategy[bytes]:
    """Frames with a broken body, or with a length that is not the body's."""
    lengths = st.builds(_with_length, bodies(), st.integers(0, 5))
    return st.one_of(broken_bodies().map(frame), broken_bodies().map(frame), lengths)
