"""What a fuzzer of callers does: drawn, and before that a sweep that visits each kind of dishonesty once."""

from __future__ import annotations

import json
from functools import cache
from itertools import chain, zip_longest
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

from iptc_fuzz.live.drawing import LEAVES, Action, values
from iptc_fuzz.live_caller import floods, frames, on_connection
from iptc_fuzz.live_caller.calls import CALL, COLLECT, ECHO, FORMS, STREAM
from iptc_fuzz.live_caller.on_calls import ODDITIES
from iptc_fuzz.live_caller.table import script_of
from iptc_fuzz.strategies.malformed import broken_bodies
from iptc_fuzz.strategies.messages import bodies

if TYPE_CHECKING:
    from collections.abc import Iterator

_BATCH = 6
_MOST_ACTIONS = 10
_LONGEST = 600
_MOST_PICK = 47
_MOST_CHOICE = 255

VERBS = {
    "ask": 8,
    "answer": 8,
    "item": 4,
    "fail": 3,
    "early": 1,
    "again": 4,
    "wrong": 4,
    "kind": 1,
    "late": 3,
    "cancel": 4,
    "together": 2,
    "odd": 1,
    "notice": 1,
    "barrier": 2,
    "stray": 3,
    "open": 4,
    "shut": 1,
    "leave": 1,
    "quit": 1,
    "hello": 1,
    "garbage": 1,
    "flood": 1,
}
"""Each verb of `table`, and how often it is drawn."""
_VALUED = frozenset({"ask", "item", "together", "odd"})
_RAW = frozenset({"$nest", "$raw"})


def sayable(value: Any) -> bool:
    """Whether a value can be handed to a driver: as JSON says it, with tags."""
    if isinstance(value, dict):
        return not value.keys() & _RAW and all(map(sayable, value.values()))
    return not isinstance(value, list) or all(map(sayable, value))


@cache
def actions() -> st.SearchStrategy[list[Action]]:
    """What is done in one conversation."""
    each = {verb: _action(verb) for verb in VERBS}
    verb = st.sampled_from([verb for verb, weight in VERBS.items() for _ in range(weight)])
    return st.lists(verb.flatmap(each.__getitem__), min_size=1, max_size=_MOST_ACTIONS)


def _action(verb: str) -> st.SearchStrategy[Action]:
    more: list[st.SearchStrategy[Any]] = []
    if verb in _VALUED:
        more = [values().filter(sayable)]
    elif verb == "garbage":
        more = [(broken_bodies() | bodies()).filter(lambda body: len(body) < _LONGEST).map(bytes.hex)]
    choice = st.integers(0, floods.QUICK - 1 if verb == "flood" else _MOST_CHOICE)
    return st.tuples(st.just(verb), st.just(0), st.integers(0, _MOST_PICK), choice, *more).map(list)


def sweep() -> Iterator[list[Action]]:
    """Small conversations that visit each kind of dishonesty once, kind by kind in turn."""
    yield from ([["ask", 0, 0, form, 1]] for form in range(len(FORMS)))
    kinds = (_honest(), _dropped(), _calls_of_ours(), _costly(), _given_up(), _endings(), _floods())
    done: set[str] = set()
    for conversation in filter(None, chain.from_iterable(zip_longest(*kinds))):
        steps = json.dumps(script_of(conversation).steps)
        if steps not in done:
            done.add(steps)
            yield conversation


def _honest() -> Iterator[list[Action]]:
    leaves = list(filter(sayable, LEAVES))
    for at in range(0, len(leaves), _BATCH):
        for form in (CALL, ECHO):
            yield [["ask", 0, 0, form, leaves[at : at + _BATCH]]]
    small: tuple[Any, ...] = (None, False, 0, "", {"$float": 1.0}, {"$map": []})
    for value in small:
        yield [["ask", 0, 0, CALL, value]]
        yield [["ask", 0, 0, COLLECT, value]]
        yield [["ask", 0, 0, STREAM + 2 * len(FORMS), value]]
    for choice in range(floods.QUICK - 1):
        yield [["flood", 0, 1, choice]]
    for choice in (0, 1, 4, 5, 8, 12):
        yield [["together", 0, choice & 3, choice, 1]]
    for choice in range(ODDITIES):
        yield [["odd", 0, 0, choice, 1]]
    for choice in range(4):
        yield [["early", 0, 0, choice]]


def _dropped() -> Iterator[list[Action]]:
    for at in (0, 5):
        strays = [["stray", 0, 0, choice] for choice in range(at, at + 5)]
        yield strays
        yield [["ask", 0, 0, 0, 1], ["answer", 0, 0, 0], *([*stray[:2], 1, stray[3]] for stray in strays)]
    for pick in range(20):
        for choice in (0, 2, 4):
            yield [["again", 0, pick, choice]]
    for pick in (11, 14):
        for choice in (1, 3, 5, 7):
            yield [["again", 0, pick, choice]]
    for event in range(0, len(frames.EVENTS), 3):
        for form in range(4):
            yield [["late", 0, 2, form + 4 * event]]
    for choice in range(3):
        yield [["notice", 0, 0, choice]]
    for choice in range(24):
        yield [["fail", 0, choice, choice]]


def _calls_of_ours() -> Iterator[list[Action]]:
    yield [["open", 0, 0, 0]]
    yield [["ask", 0, 0, 0, 1], ["answer", 0, 0, 0], ["open", 0, 1, 0]]
    for choice in range(0, 39, 3):
        yield [["open", 0, 0, 1 + 5 * (choice + more)] for more in range(3)]


def _costly() -> Iterator[list[Action]]:
    yield [["ask", 0, 0, 0, 1], ["ask", 0, 0, 1, 1], ["kind", 0, 0, 0], ["answer", 0, 1, 1]]
    for choice in range(8):
        yield [["kind", 0, 0, choice]]
    for choice in range(frames.SAYINGS):
        plain = choice < len(frames.EVENTS)
        for pick in (0, 1, 2, 4, 5, 6, 10) if plain else (4, 5 + choice % 3):
            yield [["wrong", 0, pick, choice]]


def _given_up() -> Iterator[list[Action]]:
    for answer in (0, 2, 3, 5, 1, 4, 6, 7, 8, 9):
        for form in range(5) if answer in {0, 2, 5} else (0,):
            yield [["cancel", 0, 2, form + 5 * answer]]
    yield [["cancel", 0, 0, 0]]
    yield [["cancel", 0, 1, 2]]


def _endings() -> Iterator[list[Action]]:
    yield [["quit", 0, 0, 0]]
    for choice in range(on_connection.LEAVINGS):
        yield [["leave", 0, 6 + choice % 4, choice + on_connection.LEAVINGS]]
    yield [["quit", 0, 3, 1]]
    for choice in range(len(frames.CLOSING) + 1):
        yield [["shut", 0, 6, choice]]
    for choice in reversed(range(on_connection.HELLOS)):
        yield [["hello", 0, 0, choice]]
    yield [["leave", 0, 6, 2]]
    for form in range(5):
        for way in (0, 6):
            yield [["leave", 0, form + 12, way]]
    yield [["leave", 0, 0, 3 + 3 * on_connection.LEAVINGS]]


def _floods() -> Iterator[list[Action]]:
    for choice in range(floods.QUICK - 1, len(floods.FLOODS)):
        yield [["flood", 0, 0, choice]]
