"""Every row of `connection.json`, through real traces, for either side."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from iptc_conformance import _specdata
from iptc_conformance.trace import SIDES, Side, other_side

if TYPE_CHECKING:
    from iptc_conformance.judge import Finding
    from tests.judge.conftest import Helpers, Talk

TABLE = _specdata.connection_table()
PATHS: dict[str, list[str]] = {
    "silent": [],
    "talking": ["HELLO"],
    "failing": ["HELLO", "FATAL"],
    "left": ["HELLO", "GOODBYE"],
    "gone": ["HELLO", "EOF"],
}
FRAME_CLAUSES = {"MALFORMED_CALL": "ENC-05s", "MALFORMED_OBJECT": "ROB-02s", "MALFORMED_BYTES": "ENC-01s"}
FATAL = {"error": {"tb_str": "", "type_str": "E"}}
ROWS = [
    pytest.param(state, event, cell, id=f"{state}-{event}")
    for state, events in TABLE["cells"].items()
    for event, cell in events.items()
]


def _do(talk: Talk, helpers: type[Helpers], side: Side, event: str) -> list[Finding]:
    if event == "EOF":
        return talk.eof(side)
    if event == "MALFORMED_BYTES":
        return talk.body(side, b"\xc1")
    values: dict[str, Any] = {
        "HELLO": helpers.uids[side],
        "CALL": helpers.message(side, "OPEN"),
        "FATAL": FATAL,
        "GOODBYE": None,
        "MALFORMED_CALL": helpers.message(side, "MALFORMED"),
        "MALFORMED_OBJECT": 5,
    }
    return talk.say(side, values[event])


def _state(talk: Talk, side: Side) -> str:
    return talk.judge._connections[talk.conn]._halves[side].state


def test_the_table_is_total() -> None:
    assert set(TABLE["cells"]) == set(TABLE["states"]) == set(PATHS)
    for events in TABLE["cells"].values():
        assert set(events) == set(TABLE["events"])


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize(("state", "event", "cell"), ROWS)
def test_row(
    fresh: Talk, helpers: type[Helpers], side: Side, state: str, event: str, cell: dict[str, Any]
) -> None:
    fresh.say(other_side(side), helpers.uids[other_side(side)])
    for step in PATHS[state]:
        assert _do(fresh, helpers, side, step) == []
    assert fresh.report().verdict == "pass"
    found = _do(fresh, helpers, side, event)
    assert _state(fresh, side) == cell["next"]
    if "violates" in cell:
        clause = FRAME_CLAUSES[event] if cell["violates"] == "frame" else cell["violates"]
        assert helpers.clauses(found) == [(clause, side, None, cell["reaction"])]
        assert _do(fresh, helpers, side, "MALFORMED_OBJECT") == []  # one finding, then no more of this side
    elif cell.get("call") == "malformed":
        assert helpers.clauses(found) == [("ENC-05s", side, "c1", "drop")]
    else:
        assert found == []
        statuses = fresh.report().sides[side]
        assert all(statuses[clause] == "pass" for clause in cell["keeps"])


def test_goodbye_with_an_acknowledged_call_is_refused(talk: Talk, helpers: type[Helpers]) -> None:
    for event in ("ACK_ASYNCFUNC", "ACK_ASYNCGEN", "ACK_CONTEXT"):
        talk.send("initiator", "OPEN", event)
        talk.send("acceptor", event, event)
    found = talk.say("acceptor", None)
    assert helpers.clauses(found) == [("DSC-02s", "acceptor", None, "close")]
    assert "ACK_ASYNCFUNC" in found[0].detail
    assert "ACK_CONTEXT" in found[0].detail


@pytest.mark.parametrize("steps", [["STARTED"], ["STARTED", "END"]])
def test_goodbye_inside_a_context_is_refused(talk: Talk, helpers: type[Helpers], steps: list[str]) -> None:
    talk.sends(("initiator", "OPEN"), ("acceptor", "ACK_CONTEXT"))
    for step in steps:
        talk.send("acceptor", step)
    assert helpers.clauses(talk.say("acceptor", None)) == [("DSC-02s", "acceptor", None, "close")]


def test_goodbye_of_the_caller_may_leave_its_calls_open(talk: Talk) -> None:
    talk.sends(("initiator", "OPEN"), ("acceptor", "ACK_ASYNCFUNC"))
    assert talk.say("initiator", None) == []
    assert talk.send("acceptor", "FAIL", type_str="ContextCancelled") == []
    assert talk.say("acceptor", None) == []
    assert talk.report().verdict == "pass"
    assert talk.report().notes == ()


def test_a_wrong_uid_fails_its_call(talk: Talk, helpers: type[Helpers]) -> None:
    found = talk.send("initiator", "OPEN", uid=["anna", "other"])
    assert helpers.clauses(found) == [("OPN-08s", "initiator", "c1", "fail-call")]
    assert talk.state() == "failed"
    assert talk.send("acceptor", "FAIL", type_str="ProtocolError") == []
    assert talk.send("initiator", "OPEN", "c2") == []
    assert talk.report().sides["initiator"]["OPN-08s"] == "fail"


def test_connections_are_judged_alone(helpers: type[Helpers]) -> None:
    one, two = helpers.Talk("one").hellos(), helpers.Talk("two")
    two.judge = one.judge
    two.hellos()
    one.send("initiator", "OPEN")
    assert helpers.clauses(two.send("acceptor", "RESULT")) == [("CID-04s", "acceptor", "c1", "drop")]
    assert two.send("initiator", "OPEN") == []
    assert one.body("initiator", b"\xc1")[0].conn == "one"
    assert two.send("initiator", "OPEN", "c2") == []
    assert [finding.conn for finding in one.report().findings] == ["two", "one"]


def test_both_ends_call_in_one_cid_space(talk: Talk, helpers: type[Helpers]) -> None:
    talk.send("initiator", "OPEN", "c1")
    assert talk.send("acceptor", "OPEN", "c2") == []
    assert talk.send("initiator", "ACK_ASYNCFUNC", "c2") == []
    assert talk.send("acceptor", "ACK_ASYNCFUNC", "c1") == []
    assert talk.send("initiator", "RESULT", "c2") == []
    assert helpers.clauses(talk.send("acceptor", "OPEN", "c1")) == [("CID-02s", "acceptor", "c1", "close")]


def test_an_oversize_header_is_judged_without_its_body(talk: Talk, helpers: type[Helpers]) -> None:
    found = talk.data("acceptor", bytes.fromhex("01000004"))
    assert helpers.clauses(found) == [("FRM-03s", "acceptor", None, "close")]


def test_a_stream_that_ends_inside_a_frame_is_noted(talk: Talk) -> None:
    assert talk.data("acceptor", bytes.fromhex("0500000001")) == []
    assert talk.eof("acceptor") == []
    (note,) = talk.report().notes
    assert (note.side, note.text) == ("acceptor", "the stream ends inside a frame, after 5 of its bytes")
