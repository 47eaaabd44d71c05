"""No order of messages that two conforming peers can cause is a violation, wherever one looks.

The whole space is walked: a caller and a callee that send whatever their own view of the call allows, an
observer between them, and the messages under way on the four stretches of the path.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

CALL = json.loads((Path(__file__).resolve().parents[2] / "spec/v1/call.json").read_text(encoding="utf-8"))
CELLS = CALL["cells"]
UNDER_WAY = 3
"""How many messages of one sender are on the path at once: enough to cross a terminal and a new OPEN."""

Stretches = tuple[tuple[str, ...], ...]


class World(NamedTuple):
    """Three views of one call, and what is under way: caller to observer to callee, and back."""

    caller: str
    observer: str
    callee: str
    path: Stretches


START = World("idle", "idle", "idle", ((), (), (), ()))
STRETCHES = (
    ("caller", "observer", 0, 1),
    ("caller", "callee", 1, None),
    ("callee", "observer", 2, 3),
    ("callee", "caller", 3, None),
)
"""Who sends, where it arrives, on which stretch, and which stretch comes next."""


def look(view: str, sender: str, event: str) -> Any:
    """The cell of one view."""
    return CELLS[view][sender][event]


def sends(world: World) -> Iterator[World]:
    """Each world in which one end has sent what its own view allows."""
    for sender, stretch in (("caller", 0), ("callee", 2)):
        if len(world.path[stretch]) + len(world.path[stretch + 1]) >= UNDER_WAY:
            continue
        view = getattr(world, sender)
        for event, cell in CELLS[view][sender].items():
            if "keeps" in cell:
                yield append(world._replace(**{sender: cell["next"]}), stretch, event)


def append(world: World, stretch: int, event: str) -> World:
    """The world with one more message under way."""
    path = list(world.path)
    path[stretch] = (*path[stretch], event)
    return world._replace(path=tuple(path))


def arrivals(world: World) -> Iterator[World]:
    """Each world in which the first message of a stretch has come to its end."""
    for sender, place, stretch, onward in STRETCHES:
        if world.path[stretch]:
            event, *rest = world.path[stretch]
            cell = look(getattr(world, place), sender, event)
            assert "violates" not in cell, (world, place, sender, event, cell["violates"])
            path = list(world.path)
            path[stretch] = tuple(rest)
            moved = world._replace(path=tuple(path), **{place: cell.get("next", getattr(world, place))})
            yield moved if onward is None else append(moved, onward, event)


def walk() -> set[World]:
    """Every world that conforming peers can bring about."""
    seen, ahead = {START}, [START]
    while ahead:
        world = ahead.pop()
        for after in (*sends(world), *arrivals(world)):
            if after not in seen:
                seen.add(after)
                ahead.append(after)
    return seen


def test_no_conforming_order_is_a_violation() -> None:
    """The walk asserts at each arrival, and sees every state but `failed`: only a violation leads there."""
    worlds = walk()
    for place in ("caller", "observer", "callee"):
        assert {getattr(world, place) for world in worlds} == set(CALL["states"]) - {"failed"}


def test_every_ignored_race_can_happen() -> None:
    """A cell is ignored because a conforming peer's message can come there, not to be lenient."""
    raced = set()
    for world in walk():
        for sender, place, stretch, _ in STRETCHES:
            view = getattr(world, place)
            if world.path[stretch] and "ignore" in look(view, sender, world.path[stretch][0]):
                raced.add((view, sender, world.path[stretch][0]))
    ignored = {
        (state, sender, event)
        for state, senders in CELLS.items()
        for sender, row in senders.items()
        for event, cell in row.items()
        if "ignore" in cell and state != "failed"
    }
    assert raced == ignored


def test_the_walk_can_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    """A table that forgets one race is found out."""
    late = CELLS["done"]["caller"]["ITEM"]
    monkeypatch.setitem(CELLS["draining"]["caller"], "ITEM", late)
    with pytest.raises(AssertionError, match="TRM-03s"):
        walk()
