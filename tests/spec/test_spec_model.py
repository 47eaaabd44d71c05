"""The model of the state machine: its constants are the tables, and what it has found stands beside them.

What spin explores is checked by `make verify-model`. Here a walk in Python, of one call and two messages
under way in each direction, comes to the same cells as the model: neither is the other's copy.
"""

from __future__ import annotations

import copy
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from tools import model_mutations, model_runs
from tools.generation import promela

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]
V1 = ROOT / "spec/v1"


def load(name: str) -> Any:
    """Read a file of version 1."""
    return json.loads((V1 / f"{name}.json").read_text(encoding="utf-8"))


CALL = load("call")
CONNECTION = load("connection")
REACHED = load("model/reachability")
CELLS = CALL["cells"]
PLACES = ("caller", "observer", "callee")
UNDER_WAY = 2

Seen = tuple[str, str, str, str]


class World(NamedTuple):
    """Three views of one call, and what is under way: to the observer and on from it, in each direction."""

    caller: str = "idle"
    observer: str = "idle"
    callee: str = "idle"
    path: tuple[tuple[str, ...], ...] = ((), (), (), ())


STRETCHES = (
    ("caller", "observer", 0, 1),
    ("caller", "callee", 1, None),
    ("callee", "observer", 2, 3),
    ("callee", "caller", 3, None),
)


def put(world: World, stretch: int, messages: tuple[str, ...], **views: str) -> World:
    """The world with other messages on one stretch."""
    path = list(world.path)
    path[stretch] = messages
    return world._replace(path=tuple(path), **views)


def steps(world: World) -> Iterator[tuple[Seen, World]]:
    """What can happen next: the cell that some place sees, and the world after it."""
    for sender, stretch in (("caller", 0), ("callee", 2)):
        if len(world.path[stretch]) + len(world.path[stretch + 1]) < UNDER_WAY:
            view = getattr(world, sender)
            for event, cell in CELLS[view][sender].items():
                if "keeps" in cell:
                    messages = (*world.path[stretch], event)
                    yield (
                        (sender, view, sender, event),
                        put(world, stretch, messages, **{sender: cell["next"]}),
                    )
    for sender, place, stretch, onward in STRETCHES:
        if world.path[stretch]:
            event, *rest = world.path[stretch]
            view = getattr(world, place)
            cell = CELLS[view][sender][event]
            after = put(world, stretch, tuple(rest), **{place: cell.get("next", view)})
            if onward is not None:
                after = put(after, onward, (*after.path[onward], event))
            yield (place, view, sender, event), after


def walk() -> set[Seen]:
    """Every cell that some place sees between two conforming peers."""
    seen, worlds, ahead = set(), {World()}, [World()]
    while ahead:
        for cell, after in steps(ahead.pop()):
            seen.add(cell)
            if after not in worlds:
                worlds.add(after)
                ahead.append(after)
    return seen


def call_cells() -> Iterator[tuple[str, str, str, Any, str]]:
    """Each cell of the call table, and who reaches it."""
    for state, senders in CELLS.items():
        for sender, row in senders.items():
            for event, cell in row.items():
                yield state, sender, event, cell, REACHED["call"][state][sender][event]


def half_cells() -> Iterator[tuple[str, str, Any, str]]:
    """Each cell of the connection table, and who reaches it."""
    for state, row in CONNECTION["cells"].items():
        for event, cell in row.items():
            yield state, event, cell, REACHED["half"][state][event]


def test_two_walks_reach_the_same() -> None:
    """Which place sees which cell of a call: spin and this file agree on all 264 times 3."""
    found = {
        (place, state, sender, event)
        for state, sender, event, _, who in call_cells()
        for place in who.split()
        if place in PLACES
    }
    assert found == walk()


def test_conforming_peers_reach_what_is_legal() -> None:
    """Legal moves and races happen, violations do not; `failed` begins with a violation."""
    for state, sender, event, cell, who in call_cells():
        conforming = who not in ("violator", "unreachable")
        assert conforming == ("violates" not in cell and state != "failed"), (state, sender, event)
    for state, event, cell, who in half_cells():
        conforming = who not in ("violator", "unreachable")
        assert conforming == ("violates" not in cell and event != "MALFORMED_CALL"), (state, event)


def test_what_nobody_reaches_says_why() -> None:
    """A cell that even a violator does not reach has its reason, and no other has one."""
    for state, sender, event, cell, who in call_cells():
        excused = "unreachable" in cell or f"{state} {sender}" in REACHED["reasons"]
        assert (who == "unreachable") == excused, (state, sender, event)
    for state, event, cell, who in half_cells():
        assert (who == "unreachable") == ("unreachable" in cell), (state, event)


def test_properties_have_their_sentences() -> None:
    """PROTOCOL.md says what each property means, and names no other."""
    protocol = (ROOT / "PROTOCOL.md").read_text(encoding="utf-8")
    section = protocol.partition("### 21.5 ")[2].partition("<!-- generated:")[0]
    named = re.findall(r"^- \*\*([a-z ]+)\*\*: ", section, re.MULTILINE)
    assert named == list(load("model/configurations")["properties"])


def test_every_property_is_checked() -> None:
    """Each assertion and formula behind a property is in the model, and some run holds the model to it."""
    model = (V1 / "model/peers.pml").read_text(encoding="utf-8")
    runs = model_runs.configurations(V1 / "model").values()
    held = {name for run in runs for name in model_runs.checks(run)}
    behind = {name for names in load("model/configurations")["properties"].values() for name in names}
    assert held == behind
    for name in behind:
        assert f"assert({name})" in model or f"ltl {name} " in model


def test_every_property_can_fail() -> None:
    """Each assertion and formula is the one that finds some break: none of them is empty."""
    page = (ROOT / "docs/model.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([a-z-]+)` \|.*\| `([a-z_]+)` \|$", page, re.MULTILINE)
    assert [name for name, _ in rows] == [mutation.name for mutation in model_mutations.MUTATIONS]
    behind = {name for names in load("model/configurations")["properties"].values() for name in names}
    assert {by for _, by in rows} == behind | {"totality"}


@pytest.mark.parametrize("table", ["call", "connection"])
def test_a_missing_cell_is_found(table: str) -> None:
    """A table with a hole makes no model."""
    tables = {"call": copy.deepcopy(CALL), "connection": copy.deepcopy(CONNECTION)}
    row = tables[table]["cells"]["silent" if table == "connection" else "done"]
    del (row if table == "connection" else row["caller"])["HELLO" if table == "connection" else "ITEM"]
    with pytest.raises(promela.TotalityError, match="no cell for"):
        promela.tables(tables["call"], tables["connection"])


@pytest.mark.parametrize("mutation", model_mutations.MUTATIONS, ids=lambda mutation: str(mutation.name))
def test_each_break_breaks_something(mutation: model_mutations.Mutation) -> None:
    """A break changes the tables, or replaces a text that stands in the model exactly once."""
    call, connection = copy.deepcopy(CALL), copy.deepcopy(CONNECTION)
    if mutation.tables:
        mutation.tables(call, connection)
        assert (call, connection) != (CALL, CONNECTION)
    else:
        assert mutation.rule is not None
        assert (V1 / "model/peers.pml").read_text(encoding="utf-8").count(mutation.rule[0]) == 1
    assert mutation.configuration in model_runs.configurations(V1 / "model")


SAID = """{error}State-vector 124 byte, depth reached 2245, errors: {errors}
    27369 states, stored
   114032 transitions (= stored+matched)
reached call caller idle caller OPEN
views idle idle requested
"""


@pytest.mark.parametrize(
    ("error", "broken"),
    [
        ("", None),
        ("pan:1: assertion violated one_terminal (at depth 3)\n", "one_terminal"),
        ("pan:1: assertion violated (one_terminal) (at depth 3)\n", "one_terminal"),
        ("pan:1: invalid end state (at depth 3)\n", "no_deadlock"),
        ("pan:1: acceptance cycle (at depth 3)\n", "cancel_is_answered"),
    ],
)
def test_what_the_verifier_says(error: str, broken: str | None) -> None:
    """An error is told by the name of what it breaks."""
    configuration = model_runs.Configuration("c", "", "cancel_is_answered", {})
    text = SAID.format(error=error, errors=int(bool(error)))
    outcome = model_runs.read_outcome(configuration, text, seconds=1.0)
    assert (outcome.broken, outcome.states, outcome.transitions) == (broken, 27369, 114032)
    assert outcome.reached == {("call", "caller", "idle", "caller", "OPEN")}
    assert outcome.views == {("idle", "idle", "requested")}


@pytest.mark.parametrize(
    "text",
    [
        "error: max search depth too small\n" + SAID,
        "pan: out of memory\n" + SAID,
        "",
        SAID.replace("{error}", ""),
    ],
)
def test_an_unfinished_search_is_no_proof(text: str) -> None:
    """Nothing is taken as proved that was not explored to the end, nor an error that has no name."""
    configuration = model_runs.Configuration("c", "", "safety", {})
    with pytest.raises(model_runs.ModelError):
        model_runs.read_outcome(configuration, text.format(error="", errors=1), seconds=1.0)
