"""One faulty message never makes the other, conforming end look guilty.

As the walk of races, with one end that sends a single message which its own view of the call forbids. The
receiver of a violation does what the table says. Whatever the conforming end sends is no violation to itself
or to an observer (what the faulty one makes of it is worth nothing).
The cid is opened once: after a second terminal, whoever opens the cid again shares the sequel.
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
UNDER_WAY = 2

Stretches = tuple[tuple[str, ...], ...]
STRETCHES = (
    ("caller", "observer", 0, 1),
    ("caller", "callee", 1, None),
    ("callee", "observer", 2, 3),
    ("callee", "caller", 3, None),
)


class World(NamedTuple):
    """Three views of one call, what is under way, and whether the fault has been committed."""

    caller: str
    observer: str
    callee: str
    path: Stretches
    spent: bool


def allowed(view: str, sender: str, event: str, cell: Any) -> bool:
    """Whether a conforming end sends this: a callee in `failed` sends FAIL and nothing else."""
    if view == "failed" and sender == "callee":
        return event == "FAIL"
    return "keeps" in cell and (event != "OPEN" or view == "idle")


def sends(world: World, faulty: str) -> Iterator[World]:
    """Each world in which one end has sent something."""
    for sender, stretch in (("caller", 0), ("callee", 2)):
        if len(world.path[stretch]) + len(world.path[stretch + 1]) >= UNDER_WAY:
            continue
        view = getattr(world, sender)
        for event, cell in CELLS[view][sender].items():
            sent = append(world, stretch, event)
            if allowed(view, sender, event, cell):
                yield sent._replace(**{sender: cell["next"]})
            elif sender == faulty and not world.spent and view != "idle" and "violates" in cell:
                yield sent._replace(spent=True)


def append(world: World, stretch: int, event: str) -> World:
    """The world with one more message under way."""
    path = list(world.path)
    path[stretch] = (*path[stretch], event)
    return world._replace(path=tuple(path))


def arrivals(world: World, faulty: str) -> Iterator[World]:
    """Each world in which the first message of a stretch has come to its end; `close` ends a world."""
    for sender, place, stretch, onward in STRETCHES:
        if not world.path[stretch]:
            continue
        event, *rest = world.path[stretch]
        view = getattr(world, place)
        cell = CELLS[view][sender][event]
        blamed = "violates" in cell and sender != faulty and place != faulty
        assert not blamed, (place, view, sender, event, cell["violates"])
        if cell.get("reaction") == "close":
            continue
        path = list(world.path)
        path[stretch] = tuple(rest)
        moved = world._replace(path=tuple(path), **{place: cell.get("next", view)})
        yield moved if onward is None else append(moved, onward, event)


@pytest.mark.parametrize("faulty", ["caller", "callee"])
def test_the_conforming_end_is_never_blamed(faulty: str) -> None:
    """The walk asserts at each arrival, and reaches the states in which a fault leaves a call."""
    start = World("idle", "idle", "idle", ((), (), (), ()), spent=False)
    seen, ahead = {start}, [start]
    while ahead:
        world = ahead.pop()
        for after in (*sends(world, faulty), *arrivals(world, faulty)):
            if after not in seen:
                seen.add(after)
                ahead.append(after)
    other = {"caller": "callee", "callee": "caller"}[faulty]
    assert {"failed", "done"} <= {getattr(world, other) for world in seen}
