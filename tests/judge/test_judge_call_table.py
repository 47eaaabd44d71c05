"""Every row of `call.json`, through real traces: state x sender x event, with either side as the caller."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from iptc_conformance import _specdata
from iptc_conformance.judge.calls import cell_at
from iptc_conformance.trace import SIDES, Side, other_side

if TYPE_CHECKING:
    from tests.judge.conftest import Helpers, Talk

TABLE = _specdata.call_table()
FRAME_CLAUSE = "ENC-05s"  # what the malformed message of these tests breaks

# How a conversation reaches each state: sender's role and event.
PATHS: dict[str, list[tuple[str, str]]] = {
    "idle": [],
    "requested": [("caller", "OPEN")],
    "unary": [("caller", "OPEN"), ("callee", "ACK_ASYNCFUNC")],
    "generator": [("caller", "OPEN"), ("callee", "ACK_ASYNCGEN")],
    "starting": [("caller", "OPEN"), ("callee", "ACK_CONTEXT")],
}
PATHS["open"] = [*PATHS["starting"], ("callee", "STARTED")]
PATHS["callee-stopped"] = [*PATHS["open"], ("callee", "END")]
PATHS["caller-stopped"] = [*PATHS["open"], ("caller", "END")]
PATHS["both-stopped"] = [*PATHS["caller-stopped"], ("callee", "END")]
PATHS["draining"] = [*PATHS["open"], ("callee", "RESULT")]
PATHS["done"] = [*PATHS["caller-stopped"], ("callee", "RESULT")]
PATHS["failed"] = [*PATHS["requested"], ("callee", "ITEM")]

ROWS = [
    pytest.param(state, role, event, cell, id=f"{state}-{role}-{event}")
    for state, roles in TABLE["cells"].items()
    for role, events in roles.items()
    for event, cell in events.items()
]


def _reach(talk: Talk, caller: Side, state: str) -> None:
    for role, event in PATHS[state]:
        talk.send(caller if role == "caller" else other_side(caller), event)
    assert talk.state() == state


def test_the_table_is_total() -> None:
    assert set(TABLE["cells"]) == set(TABLE["states"]) == set(PATHS)
    for roles in TABLE["cells"].values():
        assert set(roles) == set(TABLE["senders"])
        for events in roles.values():
            assert set(events) == set(TABLE["events"])
            assert all(len({"keeps", "ignore", "violates"} & set(cell)) == 1 for cell in events.values())


@pytest.mark.parametrize("caller", SIDES)
@pytest.mark.parametrize(("state", "role", "event", "cell"), ROWS)
def test_row(
    talk: Talk, helpers: type[Helpers], caller: Side, state: str, role: str, event: str, cell: dict[str, Any]
) -> None:
    if "unreachable" in cell:
        assert (state, role, event) == ("idle", "callee", "OPEN")  # its sender would be the caller
        assert cell_at("idle", "callee", "OPEN")["reaction"] == "close"
        return
    _reach(talk, caller, state)
    side = caller if role == "caller" else other_side(caller)
    found = talk.send(side, event)
    if "violates" in cell:
        clause = FRAME_CLAUSE if cell["violates"] == "frame" else cell["violates"]
        assert helpers.clauses(found) == [(clause, side, "c1", cell["reaction"])]
        assert found[0].seq == len(talk.events) - 1
        assert talk.report().sides[side][clause] == "fail"
    else:
        assert found == []
        statuses = talk.report().sides[side]
        for clause in cell.get("keeps", []):
            assert statuses[clause] == "pass"
    assert talk.state() == cell.get("next", state)


@pytest.mark.parametrize("caller", SIDES)
@pytest.mark.parametrize("state", list(PATHS))
def test_a_malformed_open_is_first_an_open(
    talk: Talk, helpers: type[Helpers], caller: Side, state: str
) -> None:
    _reach(talk, caller, state)
    found = talk.say(caller, {"cmd": ["mod", "f", [], ["n", "u"], "c1"]})
    opened = TABLE["cells"][state]["caller"]["OPEN"]
    if "violates" in opened:
        assert helpers.clauses(found) == [("CID-02s", caller, "c1", "close")]
    else:
        assert helpers.clauses(found) == [("OPN-01s", caller, "c1", "fail-call")]
        assert talk.state() == "failed"
        assert talk.send(other_side(caller), "FAIL", type_str="ProtocolError") == []
        assert talk.report().sides[other_side(caller)]["ERR-06s"] == "pass"


def test_after_a_close_the_side_is_judged_no_further(talk: Talk, helpers: type[Helpers]) -> None:
    talk.send("initiator", "OPEN")
    assert helpers.clauses(talk.send("initiator", "OPEN")) == [("CID-02s", "initiator", "c1", "close")]
    judged = talk.report().judged
    assert talk.body("initiator", b"\xc1") == []
    assert talk.report().judged == judged
