"""The targets themselves: they run, they reach what can be reached, and they see what is broken."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import pytest

from iptc_codec import CallEvent, Sender, State, _calls
from iptc_codec._call_table import CALL_TABLE, Cell
from iptc_codec._places import PLACES
from iptc_conformance.judge import calls as judge_calls
from iptc_fuzz import TARGETS, cells, commands, corpus
from iptc_fuzz.running import Profile, run_target
from iptc_fuzz.strategies.dialogues import tour

if TYPE_CHECKING:
    from pathlib import Path

    from iptc_fuzz.targets.registry import Target


def shortened(target: Target, executions: int) -> Target:
    """The same target with fewer executions."""
    return type(target)(
        target.name, target.check, target.inputs, target.invariants, executions, target.show, target.seeds
    )


# A tenth of what the profile ci does, and with other dice: `make fuzz` is the rest.
@pytest.mark.parametrize("name", TARGETS)
def test_a_target_finds_nothing(name: str) -> None:
    target = TARGETS[name]
    own = len(target.seeds()) + len(corpus.inputs(name))
    outcome = run_target(shortened(target, own + target.ci // 10), Profile(seed=1), lambda _: None)
    assert {place: (each.error, each.data) for place, each in outcome.findings.items()} == {}
    assert outcome.executions >= own + target.ci // 10


def test_every_cell_that_can_be_reached_is() -> None:
    for data in tour():
        TARGETS["dialogues"].check(data)
    assert cells.reached.missing() == []


@pytest.mark.parametrize("name", ["dialogues", "seats"])
def test_a_wrong_cell_in_the_codec_is_found(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    place = (State.STARTING, Sender.CALLEE, CallEvent.FAIL)
    broken = {**CALL_TABLE, place: Cell(State.DRAINING)}
    assert CALL_TABLE[place] != broken[place]
    monkeypatch.setattr(_calls, "CALL_TABLE", broken)
    # The places were made of the table when the codec was imported.
    for (seat, opener), places in PLACES.items():
        starting = places[State.STARTING]
        row = starting.theirs if seat is opener else starting.ours
        monkeypatch.setitem(row, CallEvent.FAIL, places[State.DRAINING])
    assert run_target(TARGETS[name], Profile(), lambda _: None).findings != {}


def test_a_wrong_cell_in_the_judge_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    cell_at = judge_calls.cell_at

    def wrong(state: str, role: judge_calls.Role, event: str) -> dict[str, Any]:
        if (state, role, event) == ("callee-stopped", "callee", "ITEM"):
            return {"next": state, "keeps": []}
        return cell_at(state, role, event)

    monkeypatch.setattr(judge_calls, "cell_at", wrong)
    outcome = run_target(TARGETS["dialogues"], Profile(), lambda _: None)
    assert outcome.findings != {}


def test_a_finding_is_shrunk_written_and_replayed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def check(data: bytes) -> None:
        if b"\xc3" in data:
            raise ValueError("true is broken")

    broken = shortened(TARGETS["roundtrip"], 500)
    object.__setattr__(broken, "check", check)
    monkeypatch.setitem(TARGETS, "roundtrip", broken)
    out = io.StringIO()
    assert commands.fuzz(["roundtrip"], Profile(), tmp_path, out) == commands.EXIT_FINDINGS
    (path,) = tmp_path.iterdir()
    assert path.read_bytes() == b"\xc3"
    assert "true is broken" in out.getvalue()
    assert commands.replay([path], out) == commands.EXIT_FINDINGS
    path.write_bytes(b"\xc2")
    assert commands.replay([path], out) == commands.EXIT_CLEAN


def test_any_bytes_are_an_input() -> None:
    for target in TARGETS.values():
        for data in (b"", b"\0", b"\xff" * 40, bytes(range(64)), b"null", b"[]", b'{"seed": 1}'):
            target.check(data)


def test_the_schema_is_asked_about_what_it_refuses() -> None:
    from iptc_fuzz.targets import schema  # noqa: PLC0415

    assert not schema.accepts({"stop": 1, "cid": "c"})
    assert schema.accepts({"stop": True, "cid": "c"})
