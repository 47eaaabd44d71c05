"""What a live fuzzer does, drawn: lists of actions, plain JSON values that `script` makes a case of."""

from __future__ import annotations

from functools import cache
from typing import Any

from hypothesis import strategies as st

from iptc_fuzz.strategies.malformed import broken_bodies
from iptc_fuzz.strategies.messages import bodies

Action = list[Any]
"""`[verb, slot of the connection, which call, choice, …]`; numbers are taken modulo what there is."""

_MOST_ACTIONS = 12
_LONGEST = 600

LEAVES: tuple[Any, ...] = (
    *(
        None,
        True,
        False,
        0,
        1,
        -1,
        127,
        128,
        -33,
        -32,
        255,
        256,
        65535,
        65536,
        -129,
        -32769,
        -(1 << 31),
        1 << 32,
    ),
    *(1 << 53, {"$int": str((1 << 53) + 1)}, {"$int": str(1 << 63)}, {"$int": str((1 << 63) - 1)}),
    *({"$int": str((1 << 64) - 1)}, {"$int": str(-(1 << 63))}, {"$int": str(-(1 << 53) - 1)}),
    *(0.5, 0.1, 1e300, 5e-324, {"$float": "1.0"}, {"$float": "nan"}, {"$float": "inf"}, {"$float": "-inf"}),
    *({"$float": "-0.0"}, "", "x", "a\0b", "é", "e\u0301", "\U0001f600", "\ufeffx", " x ", "\u212b", "\r\n"),
    *({"$repeat": ["x", count]} for count in (31, 32, 255, 256, 65535, 65536, 300_000)),
    *({"$repeat": ["\U0001f600", 20000]}, {"$repeat": ["é", 100_001]}),
    *({"$bin": ""}, {"$bin": "00ff"}, {"$bin": "6162"}, {"$zeros": 255}, {"$zeros": 256}, {"$zeros": 70000}),
    *({"$ext": [1, "01"]}, {"$ext": [5, "0102"]}, {"$ext": [127, "01020304"]}, {"$ext": [-2, "00" * 8]}),
    *({"$ext": [0, "00" * 16]}, {"$ext": [3, "010203"]}, {"$ext": [3, "00" * 300]}, {"$ext": [7, ""]}),
    *({"$timestamp": [0, 0]}, {"$timestamp": [1, 500_000_000]}, {"$timestamp": [(1 << 32) - 1, 0]}),
    *({"$timestamp": [1 << 34, 1000]}, {"$timestamp": [-1, 0]}, {"$timestamp": [-5, 250_000_000]}),
    *(
        {"$map": []},
        {"$map": [[1, 2]]},
        {"$map": [[None, None]]},
        {"$map": [["k", None]]},
        {"$map": [[True, 1]]},
    ),
    *({"$map": [[{"$bin": "6b"}, 1]]}, {"$map": [[0.5, 1]]}, {"$map": [[-1, "x"], [1, "y"]]}),
    *({"$map": [["k", 1], [{"$bin": "6b"}, 2]]}, {"$map": [[1, "a"], ["1", "b"]]}),
    *({"$map": [[number, number] for number in range(20)]}, {"$nest": 64}, {"$nest": 90}),
    *([], [[]], [{}], {"$range": 15}, {"$range": 16}, {"$range": 300}, {"$range": 66_000}),
)
"""Values at the borders of types, tagged as cases tag them."""


def values() -> st.SearchStrategy[Any]:
    """Values, tagged: borders of types, alone or inside of arrays and maps."""
    leaf = st.sampled_from(LEAVES)
    inside = st.lists(leaf, max_size=3) | st.dictionaries(
        st.sampled_from("abé"), leaf, min_size=2, max_size=3
    )
    return leaf | inside


VERBS = {
    "open": 6,
    "await": 4,
    "item": 4,
    "end": 2,
    "cancel": 5,
    "fail": 2,
    "late": 3,
    "wrong": 3,
    "reuse": 2,
    "barrier": 2,
    "together": 2,
    "burst": 1,
    "refused": 3,
    "notice": 1,
    "close": 3,
    "goodbye": 2,
    "fatal": 1,
    "same": 1,
    "early": 1,
    "hello": 1,
    "again": 1,
    "stray": 2,
    "odd": 2,
    "garbage": 2,
    "noise": 1,
    "named": 2,
    "talk": 1,
    "twin": 2,
    "foreseen": 1,
    "hold": 2,
    "pour": 2,
    "crossing": 2,
    "crowd": 1,
    "listen": 1,
    "behind": 1,
    "form": 3,
    "body": 2,
}
"""Each verb of a quick conversation, and how often it is drawn."""
HEAVY = ("many", "flood", "deaf", "feed", "slow", "visitors", "bulk", "largest", "choke", "silent")
"""Those that take their time: a conversation has at most one of them, and few have any."""
_ONE_HEAVY_IN = 40
VALUED = frozenset({"open", "item", "reuse", "odd", "together", "talk", "hold", "pour", "crossing", "early"})
"""Those that take a value."""


@cache
def actions() -> st.SearchStrategy[list[Action]]:
    """What is done in one conversation."""
    each = {verb: _action(verb) for verb in (*VERBS, *HEAVY)}
    verb = st.sampled_from([verb for verb, weight in VERBS.items() for _ in range(weight)])
    quick = st.lists(verb.flatmap(each.__getitem__), min_size=1, max_size=_MOST_ACTIONS)
    heavy = st.sampled_from(HEAVY).flatmap(each.__getitem__)
    few = st.lists(verb.flatmap(each.__getitem__), max_size=2)
    slow = st.tuples(few, heavy).map(lambda pair: [*pair[0], pair[1]])
    return st.integers(0, _ONE_HEAVY_IN - 1).flatmap(
        lambda which: slow if which == _ONE_HEAVY_IN // 2 else quick
    )


def _action(verb: str) -> st.SearchStrategy[Action]:
    slot = st.sampled_from((0, 0, 0, 1, 1, 2))
    more: list[st.SearchStrategy[Any]] = []
    if verb in VALUED:
        more = [values()]
    elif verb == "garbage":
        more = [(broken_bodies() | bodies()).filter(lambda body: len(body) < _LONGEST).map(bytes.hex)]
    return st.tuples(st.just(verb), slot, st.integers(0, 7), st.integers(0, 63), *more).map(list)
