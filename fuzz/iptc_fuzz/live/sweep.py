"""What every hunt begins with: small conversations that visit each verb, each of its choices, once.

They are the same in every run. Dice come after them: what needs two things at once is theirs to find.
"""

from __future__ import annotations

from functools import cache
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from iptc_fuzz.live import forms, frames, on_names
from iptc_fuzz.live.calls import FUNCTIONS, LASTING, STREAMS
from iptc_fuzz.live.drawing import LEAVES, Action

if TYPE_CHECKING:
    from collections.abc import Iterator

Actions = list[Action]

_SETTLED = 1
_FALSY: tuple[Any, ...] = (None, False, 0, "", [], {"$map": []}, {"$float": "-0.0"})
_LARGE: tuple[Any, ...] = ({"$zeros": 70000}, {"$repeat": ["x", 300_000]}, {"$range": 66_000})
_CONTAINERS: tuple[Any, ...] = (
    [[1, [2]], {"a": {"b": [None]}}],
    [{"a": 1}, {"b": 2}],
    {"a": [], "b": {}, "c": None},
    [None, True, 0.5, "x", {"$bin": "00"}],
)


def _func(name: str) -> int:
    return FUNCTIONS.index(name)


def _open(slot: int, name: str) -> Action:
    return ["open", slot, _SETTLED, _func(name), 1]


_BESIDE = _open(1, "hang")
"""A call on another connection: whatever becomes of the first, it lasts."""
_WITH = _open(0, "hang")
"""A call on the same connection."""


@cache
def sweep() -> tuple[Actions, ...]:
    """Every conversation of the sweep: quick ones first, of every kind in turn; then those that take time."""
    kinds: dict[tuple[str, ...], list[Actions]] = {}
    for kind in (_calls, _values, _cancels, _streams, _wrong, _endings, _names):
        for one in kind():
            kinds.setdefault(tuple(action[0] for action in one), []).append(one)
    placed = [(at / len(kind), one) for kind in kinds.values() for at, one in enumerate(kind)]
    quick = [one for _, one in sorted(placed, key=itemgetter(0))]
    return (*quick, *_heavy())


@cache
def tiny() -> tuple[Actions, ...]:
    """The smallest conversations: a connection alone, a call, and a call that is cancelled."""
    calls = [[["open", 0, _SETTLED, choice, 1]] for choice in range(len(FUNCTIONS))]
    bare: list[Actions] = [[["barrier", 0, 0, 1]], [["barrier", 0, 0, 0]]]
    return (*bare, *calls, *([["cancel", 0, choice, 1]] for choice in range(len(LASTING))))


def _calls() -> Iterator[Actions]:
    for choice in range(4 * len(FUNCTIONS)):
        if (
            choice < len(FUNCTIONS)
            or "count" in FUNCTIONS[choice % len(FUNCTIONS)]
            or "push" in FUNCTIONS[choice % len(FUNCTIONS)]
        ):
            yield [["open", 0, _SETTLED, choice, 1]]
    for choice in range(len(FUNCTIONS)):
        yield [["burst", 0, 1, choice, 1]]
        yield [["early", 0, 0, choice, 1]]
    for choice in range(frames.REFUSED):
        yield [_WITH, _BESIDE, ["refused", 0, 1, choice]]
    for split in range(4):
        yield [["together", 0, split | 4, choice, 1] for choice in range(3)]
        yield [["odd", 0, 0, 2 * split + 1, 1], ["odd", 0, 0, 0, "x"]]
    for func in ("echo", "count", "ctx_return", "hang", "ctx_collect", "fail"):
        yield [["reuse", 0, 0, _func(func), 1]]
        yield [_open(0, "echo"), ["reuse", 0, 0, _func(func), 1]]
    for choice in range(9):
        yield [["crowd", 0, 0, choice]]


def _values() -> Iterator[Actions]:
    for value in (*LEAVES, *_CONTAINERS):
        yield [["open", 0, _SETTLED, _func("echo"), value]]
    for value in _LARGE:
        yield [["item", 0, 0, 0, value]]
    for value in (*_FALSY, *_CONTAINERS):
        yield [["open", 0, _SETTLED, _func("ctx_return"), value]]
        yield [["item", 0, 0, 0, value], ["item", 0, 0, 0, value], ["end", 0, 0, 0]]
        yield [["item", 0, 0, 1, value], ["end", 0, 0, 1]]


def _cancels() -> Iterator[Actions]:
    for choice, name in enumerate(LASTING):
        yield [_open(0, name), ["cancel", 0, 0, 1], ["barrier", 0, 0, 1]]
        yield [["open", 0, 0, _func(name), 1], ["cancel", 0, 0, 1]]
        yield [_open(0, name), _open(0, name), _BESIDE, ["cancel", 0, 0, 1], ["barrier", 0, 0, 1]]
        yield [["together", 0, 4, _func(name), 1]]
        yield [_open(0, name), ["cancel", 0, 0, 1], ["late", 0, 0, 5]]
        yield [["cancel", 0, choice, 1], ["cancel", 0, choice, 0], _open(0, "echo")]
    for name in (*STREAMS, "count_forever", "hang"):
        yield [_open(0, name), ["stray", 1, 1, 0], ["barrier", 0, 0, 1]]
        yield [_open(0, name), ["again", 0, 0, 0]]
        yield [_open(0, name), ["again", 0, 0, 0], ["close", 1, 0, 0], ["barrier", 0, 0, 1]]
    for choice in range(3):
        yield [["end", 0, choice, choice | 8], ["cancel", 0, 0, 1]]
        yield [["foreseen", 0, 0, choice]]
        yield [["fail", 0, 0, choice]]
        yield [_WITH, _open(0, STREAMS[choice]), ["fail", 0, 0, 3], ["barrier", 0, 0, 1]]
        yield [
            _open(0, STREAMS[choice]),
            ["notice", 0, 0, 0],
            ["item", 0, 0, choice, 2],
            ["end", 0, 0, choice],
        ]
    yield [_open(0, "count_forever"), ["notice", 0, 0, 0], ["barrier", 0, 0, 1]]
    yield [_open(0, "fail"), _WITH, ["barrier", 0, 0, 1]]
    yield [_WITH, _open(0, "fail"), _open(0, "ctx_fail"), _open(0, "count_then_fail"), ["barrier", 0, 0, 1]]
    yield [_open(0, "fail"), ["late", 0, 0, 1]]


def _streams() -> Iterator[Actions]:
    for choice in range(12):
        yield [["item", 0, 0, choice, 1], ["end", 0, 0, choice]]
    for pick in range(2):
        for choice in range(21):
            yield [["pour", 0, pick, choice, False]]
    for choice in range(7):
        for pick in range(3):
            yield [["hold", 0, pick, choice, False]]
        yield [["hold", 0, 0, choice | 8, 1]]
        yield [["hold", 0, 0, choice | 16, 1]]
        yield [["pour", 0, 2 | choice & 1, choice, 1]]
    for choice in range(4):
        for pick in range(3):
            yield [["crossing", 0, pick, choice, 1]]
    for choice in range(8):
        yield [["item", 0, 0, 0, 1], ["item", 0, 1, 0, 2], ["wrong", 0, 0, choice]]


def _wrong() -> Iterator[Actions]:
    for at in range(forms.GOOD + forms.BAD):
        yield [["form", 0, 2 * (at // 64), at % 64]]
    for at in range(len(forms.commands("x"))):
        yield [["body", 0, 2 * (at // 64), at % 64]]
    for number, name in enumerate(LASTING):
        for choice in range(number % 2, frames.OF_CALLER, 2):
            yield [_open(0, name), ["wrong", 0, 0, choice]]
    for choice in range(frames.OF_CALLER):
        yield [["end", 0, 1, 1 | 8], ["wrong", 0, 0, choice]]
        yield [["late", 0, 0, choice + 32]]
        yield [_open(0, "ctx_return"), ["late", 0, 0, choice], ["late", 0, 0, choice], ["barrier", 0, 0, 1]]
        yield [["stray", 0, 0, choice]]
        if choice % 3 == 1:
            continue
        yield [_open(0, "ctx_echo"), ["stray", 1, 1, choice], ["item", 0, 0, 0, 1], ["item", 0, 0, 0, 2]]
    for name in LASTING[:4]:
        yield [_WITH, _BESIDE, _open(0, name), ["wrong", 0, 1, 3], ["barrier", 0, 0, 1]]
    for choice in range(len(LASTING)):
        yield [["same", 0, choice, 0]]
        yield [["same", 0, choice, 1]]


def _endings() -> Iterator[Actions]:
    for choice in range(8):
        yield [_BESIDE, ["behind", 0, 1, choice], ["barrier", 1, 0, 1]]
    for choice in range(len(frames.NOISE)):
        yield [_BESIDE, _WITH, _open(0, "ctx_hang"), ["noise", 0, 0, choice], ["barrier", 1, 0, 1]]
    for choice in range(3):
        for name in ("hang", "ctx_hang", "count_forever", "ctx_echo"):
            yield [_BESIDE, _open(0, name), _open(0, name), ["close", 0, 0, choice], ["barrier", 1, 0, 1]]
        yield [["close", 0, 0, choice | 4], ["barrier", 0, 0, 0]]
        yield [_WITH, ["again", 0, 0, 0], ["close", 1, 0, choice], ["barrier", 0, 0, 1]]
    for name in (*LASTING, *FUNCTIONS[:2]):
        yield [_BESIDE, _open(0, name), ["goodbye", 0, 0, 1], ["barrier", 1, 0, 1]]
        yield [_BESIDE, _open(0, name), ["fatal", 0, 0, 1], ["barrier", 1, 0, 1]]
    yield [["goodbye", 0, 0, 0]]
    yield [["goodbye", 0, 0, 1]]
    for choice in range(frames.HELLOS):
        yield [_BESIDE, ["hello", 0, 0, choice], ["barrier", 1, 0, 1]]
    yield [["listen", 0, 0, 0]]


def _names() -> Iterator[Actions]:
    for choice in range(on_names.PAIRS):
        yield [["named", 0, choice & 1, choice]]
        yield [["talk", 0, 0, choice, 1]]
        yield [["talk", 0, 1, choice, 1]]
    for choice in range(4):
        for pick in range(2):
            yield [["twin", 0, pick, choice]]


def _heavy() -> Iterator[Actions]:
    for choice in range(4):
        yield [["slow", 0, 0, choice]]
    yield [["feed", 0, 0, 0]]
    for pick, choice in ((1, 1), (0, 0)):
        yield [["flood", 0, pick, choice]]
    yield [["visitors", 0, 0, 0]]
    for choice in range(3):
        yield [["bulk", 0, 0, choice]]
    for choice in range(14):
        yield [["many", 0, 0, choice]]
    for choice in range(2):
        yield [["silent", 0, 0, choice]]
    yield [["largest", 0, 0, 1]]
    yield [["largest", 0, 0, 3]]
    yield [["deaf", 0, 1, 0]]
    yield [["choke", 0, 0, 0]]
