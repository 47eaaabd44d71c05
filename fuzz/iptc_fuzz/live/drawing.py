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
    *(None, True, False, 0, 1, -1, 127, 128, -33, 65536, -(1 << 31), 1 << 53, {"$int": str(1 << 63)}),
    *(
        {"$int": str((1 << 64) - 1)},
        {"$int": str(-(1 << 63))},
        {"$int": str((1 << 53) + 1)},
        0.5,
        {"$float": 1.0},
    ),
    *(
        {"$float": "nan"},
        {"$float": "inf"},
        {"$float": "-0.0"},
        "",
        "x",
        "a\0b",
        "é",
        "e\u0301",
        "\U0001f600",
    ),
    *(
        {"$repeat": ["x", 300]},
        {"$repeat": ["\U0001f600", 20000]},
        {"$bin": ""},
        {"$bin": "00ff"},
        {"$bin": "6162"},
    ),
    *({"$zeros": 70000}, {"$map": []}, {"$map": [[1, 2]]}),
    *({"$map": [[None, None]]}, {"$map": [["k", None]]}, {"$nest": 90}, [], {"$range": 20}, {"$range": 300}),
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
    "many": 1,
    "flood": 1,
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
    "deaf": 1,
}
"""Each verb of `script`, and how often it is drawn."""


@cache
def actions() -> st.SearchStrategy[list[Action]]:
    """What is done in one conversation."""
    each = {verb: _action(verb) for verb in VERBS}
    verb = st.sampled_from([verb for verb, weight in VERBS.items() for _ in range(weight)])
    return st.lists(verb.flatmap(each.__getitem__), min_size=1, max_size=_MOST_ACTIONS)


def _action(verb: str) -> st.SearchStrategy[Action]:
    slot = st.sampled_from((0, 0, 0, 1, 1, 2))
    more: list[st.SearchStrategy[Any]] = []
    if verb in {"open", "item", "reuse", "odd", "together"}:
        more = [values()]
    elif verb == "garbage":
        more = [(broken_bodies() | bodies()).filter(lambda body: len(body) < _LONGEST).map(bytes.hex)]
    return st.tuples(st.just(verb), slot, st.integers(0, 7), st.integers(0, 63), *more).map(list)
