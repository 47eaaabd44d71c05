"""The generated modules say what the specification says, cell by cell."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from iptc_codec import Limits, _call_table, _connection_table, _limits_table
from iptc_codec._call_table import CALL_TABLE, CallEvent, Cell, Sender, State
from iptc_codec._connection_table import HALF_TABLE, HalfCell, HalfEvent, HalfState

if TYPE_CHECKING:
    from types import ModuleType

ROOT = Path(__file__).parents[2]
SPEC = ROOT / "spec" / "v1"


def read(name: str) -> Any:
    """One table of the specification."""
    return json.loads((SPEC / f"{name}.json").read_text("utf-8"))


def generator() -> ModuleType:
    """The module that renders the tables."""
    where = ROOT / "tools" / "generation" / "codec_tables.py"
    spec = importlib.util.spec_from_file_location("codec_tables", where)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def breach_of(cell: Cell | HalfCell) -> tuple[str, str] | None:
    """Clause and reaction, as the specification writes them."""
    return None if cell.breach is None else (cell.breach.clause, cell.breach.reaction.value)


def expected_breach(cell: dict[str, Any]) -> tuple[str, str] | None:
    """The same of a cell of the specification."""
    return (cell["violates"], cell["reaction"]) if "violates" in cell else None


def test_the_call_table_is_the_specification_s() -> None:
    """Every state, sender and event has its cell, and no other."""
    cells = read("call")["cells"]
    rows = {
        (State(state), Sender(sender), CallEvent(event)): cell | {"next": cell.get("next", state)}
        for state, senders in cells.items()
        for sender, events in senders.items()
        for event, cell in events.items()
    }
    assert len(rows) == len(State) * len(Sender) * len(CallEvent)
    assert CALL_TABLE.keys() == rows.keys()
    for key, row in rows.items():
        cell = CALL_TABLE[key]
        assert (cell.next.value, breach_of(cell)) == (row["next"], expected_breach(row))
        assert cell.crossed == row.get("ignore")
        assert cell.legal == ("keeps" in row)


def test_the_live_states_are_the_specification_s() -> None:
    """What counts as live decides what may be opened again, and what a side owes."""
    call = read("call")
    assert {state.value for state in _call_table.LIVE} == {n for n, s in call["states"].items() if s["live"]}
    assert _call_table.INITIAL.value == call["initial"]


def test_the_connection_table_is_the_specification_s() -> None:
    """Every state and event of a half has its cell, with its effects."""
    connection = read("connection")
    rows = {
        (HalfState(state), HalfEvent(event)): cell
        for state, events in connection["cells"].items()
        for event, cell in events.items()
    }
    assert len(rows) == len(HalfState) * len(HalfEvent)
    assert HALF_TABLE.keys() == rows.keys()
    for key, row in rows.items():
        cell = HALF_TABLE[key]
        assert (cell.next.value, breach_of(cell)) == (row["next"], expected_breach(row))
        assert (cell.call.value if cell.call else None) == row.get("call")
        assert (cell.calls.value if cell.calls else None) == row.get("calls")
    assert _connection_table.HALF_INITIAL.value == connection["initial"]


def test_a_cancel_is_told_by_the_specification() -> None:
    """The function and the arguments that make a call a CANCEL."""
    cancel = read("connection")["cancel"]
    assert (cancel["ns"], cancel["func"]) == _connection_table.CANCEL_FUNCTION
    assert set(cancel["kwargs"]) == _connection_table.CANCEL_KWARGS


def test_every_limit_is_a_choice_or_part_of_the_format() -> None:
    """`Limits` takes its defaults from the specification, but for the two that nobody may choose."""
    limits = {name: limit["default"] for name, limit in read("limits")["limits"].items()}
    assert {name: getattr(_limits_table, name.upper()) for name in limits} == limits
    chosen = {name: getattr(Limits(), name) for name in Limits.__struct_fields__}
    assert chosen == {n: v for n, v in limits.items() if n not in {"cid_bytes", "nesting"}}


@pytest.mark.parametrize("name", Limits.__struct_fields__)
@pytest.mark.parametrize("value", [-1, float("nan"), "1", None])
def test_a_limit_that_makes_no_sense_is_refused(name: str, value: Any) -> None:
    """At once, not where it is first used."""
    with pytest.raises(ValueError, match=name):
        Limits(**{name: value})


COUNTS = [name for name in Limits.__struct_fields__ if not name.endswith("_seconds")]


@pytest.mark.parametrize("name", COUNTS)
def test_a_count_is_whole_and_leaves_room(name: str) -> None:
    """Only the memory of ended calls may be none; less than the floor is one's own affair."""
    for value in (1.5, float("inf")) + (() if name == "finished_calls" else (0,)):
        with pytest.raises(ValueError, match=name):
            Limits(**{name: value})  # type: ignore[arg-type]
    assert getattr(Limits(**{name: 1}), name) == 1


def test_the_other_bounds_of_the_limits() -> None:
    """A frame that has a header; a time that is none, and one without an end."""
    with pytest.raises(ValueError, match="frame_bytes"):
        Limits(frame_bytes=1 << 32)
    Limits(frame_bytes=(1 << 32) - 1, finished_calls=0, hello_seconds=0, stall_seconds=float("inf"))


def test_the_modules_are_what_the_generator_renders() -> None:
    """Nobody has edited them by hand, or forgotten to generate them."""
    rendered = generator().render(SPEC)
    assert set(rendered) == {f"iptc_codec/_{name}_table.py" for name in ("call", "connection", "limits")}
    for path, text in rendered.items():
        assert (ROOT / path).read_text("utf-8") == text


def test_the_rendered_modules_are_formatted() -> None:
    """So that a formatter's run leaves nothing to generate again."""
    paths = [str(ROOT / path) for path in generator().render(SPEC)]
    ruff = [sys.executable, "-m", "ruff"]
    formatted = subprocess.run([*ruff, "format", "--check", *paths], cwd=ROOT, capture_output=True, text=True)
    assert formatted.returncode == 0, formatted.stdout
