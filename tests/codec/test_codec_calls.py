"""Every row of call.json, received, sent and observed; and what spans more than one call."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from iptc_codec import (
    Ack,
    CallEvent,
    CallMessage,
    CallRecord,
    Calls,
    Connection,
    End,
    Fail,
    Hello,
    Item,
    LocalProtocolError,
    Open,
    Reaction,
    Result,
    Role,
    Sender,
    Started,
    State,
    Violation,
    encode,
    frame,
)

TABLE = json.loads((Path(__file__).parents[2] / "spec" / "v1" / "call.json").read_text("utf-8"))
US, THEM = ("us", "1"), ("them", "2")
CID = "c-1"

Step = tuple[str, str]
OPENED: list[Step] = [("caller", "OPEN")]
CONTEXT = [*OPENED, ("callee", "ACK_CONTEXT"), ("callee", "STARTED")]
PATHS: dict[str, list[Step]] = {
    "idle": [],
    "requested": OPENED,
    "unary": [*OPENED, ("callee", "ACK_ASYNCFUNC")],
    "generator": [*OPENED, ("callee", "ACK_ASYNCGEN")],
    "starting": CONTEXT[:2],
    "open": CONTEXT,
    "callee-stopped": [*CONTEXT, ("callee", "END")],
    "caller-stopped": [*CONTEXT, ("caller", "END")],
    "both-stopped": [*CONTEXT, ("caller", "END"), ("callee", "END")],
    "draining": [*CONTEXT, ("callee", "RESULT")],
    "done": [*OPENED, ("callee", "FAIL")],
}
# A call fails by a violation, which only the other side can commit.
FAILING = {"caller": [*OPENED, ("caller", "ITEM")], "callee": [*OPENED, ("callee", "ITEM")]}

ROWS = [
    (state, sender, event)
    for state, senders in TABLE["cells"].items()
    for sender, events in senders.items()
    for event, cell in events.items()
    if "unreachable" not in cell
]


def cell_of(row: tuple[str, str, str]) -> dict[str, Any]:
    """The specification's cell, with the next state filled in."""
    state, sender, event = row
    cell: dict[str, Any] = TABLE["cells"][state][sender][event]
    return {"next": state, **cell}


def message_of(event: str, uid: tuple[str, str]) -> CallMessage:
    """A message that the table sees as this event."""
    messages: dict[str, CallMessage] = {
        "OPEN": Open.of("ns", "func", {}, uid, CID),
        "ACK_ASYNCFUNC": Ack("asyncfunc", CID),
        "ACK_ASYNCGEN": Ack("asyncgen", CID),
        "ACK_CONTEXT": Ack("context", CID),
        "STARTED": Started(1, CID),
        "ITEM": Item(1, CID),
        "END": End.of(CID),
        "RESULT": Result(1, CID),
        "FAIL": Fail.of("ValueError", "", CID),
        "OVERRUN": Fail.of("StreamOverrun", "", CID),
    }
    return messages[event]


MALFORMED = bytes.fromhex("83a57969656c6401a3636964a3632d31a17801")  # {yield: 1, cid: "c-1", x: 1}


def body_of(event: str) -> bytes:
    """The other side's body for this event."""
    return MALFORMED if event == "MALFORMED" else encode(message_of(event, THEM))


def meet() -> Connection:
    """A connection on which both hellos have been said."""
    connection = Connection(US)
    connection.send(Hello(*US))
    connection.receive(frame(encode(Hello(*THEM))))
    return connection


def reach(state: str, our_part: str) -> Connection:
    """A connection with one call in this state, of which we are this end."""
    connection = meet()
    other = "callee" if our_part == "caller" else "caller"
    for sender, event in FAILING[other] if state == "failed" else PATHS[state]:
        if sender == our_part:
            connection.send(message_of(event, US))
        else:
            connection.receive(frame(body_of(event)))
    assert connection.call_state(CID).value == state
    return connection


def clause_of(cell: dict[str, Any]) -> str:
    """The clause of a violating cell; a malformed frame here always breaks ENC-05s."""
    return "ENC-05s" if cell["violates"] == "frame" else cell["violates"]


@pytest.mark.parametrize("row", ROWS, ids="-".join)
def test_each_row_when_received(row: tuple[str, str, str]) -> None:
    """What the other side sends leads where the table says, and costs what it says."""
    state, sender, event = row
    cell = cell_of(row)
    connection = reach(state, our_part="callee" if sender == "caller" else "caller")
    events = connection.receive(frame(body_of(event)))
    assert connection.call_state(CID).value == cell["next"]
    if "ignore" in cell:
        assert events == []
    elif "violates" in cell:
        (violation,) = events
        assert isinstance(violation, Violation)
        found = (violation.clause, violation.reaction.value, violation.cid)
        assert found == (clause_of(cell), cell["reaction"], CID)
        assert violation.sender_role is (None if state == "idle" else Sender(sender))
    else:
        assert events == [message_of(event, THEM)]


@pytest.mark.parametrize("row", [row for row in ROWS if row[2] != "MALFORMED"], ids="-".join)
def test_each_row_when_sent(row: tuple[str, str, str]) -> None:
    """What we may not send is refused by the same table, and leaves no trace."""
    state, sender, event = row
    cell = cell_of(row)
    connection = reach(state, our_part=sender)
    message = message_of(event, US)
    if "keeps" in cell:
        assert connection.send(message) == frame(encode(message))
        assert connection.call_state(CID).value == cell["next"]
        return
    with pytest.raises(LocalProtocolError) as caught:
        connection.send(message)
    assert connection.call_state(CID).value == state
    assert caught.value.cid == CID
    if "violates" in cell:
        assert (caught.value.clause, caught.value.reaction.value) == (clause_of(cell), cell["reaction"])
    else:
        assert caught.value.clause == ("ROB-01r" if state == "failed" else "TRM-03s")


@pytest.mark.parametrize("row", ROWS, ids="-".join)
@pytest.mark.parametrize("opener", Role)
def test_each_row_at_an_observer(row: tuple[str, str, str], opener: Role) -> None:
    """The registry takes any sequence of either side, whoever opened."""
    state, sender, event = row
    sides = {"caller": opener, "callee": opener.other}
    calls = Calls(remembered=10)
    for who, what in FAILING["caller"] if state == "failed" else PATHS[state]:
        calls.step(sides[who], CallEvent(what), CID)
    assert calls.state(CID).value == state
    cell = calls.step(sides[sender], CallEvent(event), CID)
    expected = cell_of(row)
    assert calls.state(CID).value == expected["next"]
    assert cell.legal == ("keeps" in expected)


def test_idle_asks_no_sender() -> None:
    """No call, no caller: but for OPEN the two rows of idle are one, so the registry may use either."""
    rows = TABLE["cells"]["idle"]
    assert {e: c for e, c in rows["caller"].items() if e != "OPEN"} == {
        e: c for e, c in rows["callee"].items() if e != "OPEN"
    }


def finish(calls: Calls, cid: str) -> None:
    """One call of the initiator from its OPEN to its terminal."""
    calls.step(Role.INITIATOR, CallEvent.OPEN, cid)
    calls.step(Role.ACCEPTOR, CallEvent.FAIL, cid)


@pytest.mark.parametrize("remembered", [0, 1, 3])
def test_ended_calls_are_forgotten_oldest_first(remembered: int) -> None:
    """What is remembered is bounded, however many calls there have been."""
    calls = Calls(remembered)
    for number in range(5):
        finish(calls, str(number))
    kept = [number for number in range(5) if calls.state(str(number)) is State.DONE]
    assert kept == list(range(5))[5 - remembered :]
    assert calls.count(Role.INITIATOR) == 0


def test_a_cid_opened_again_is_not_forgotten_as_ended() -> None:
    """CID-06r: the new call is not the old one."""
    calls = Calls(remembered=1)
    finish(calls, "a")
    calls.step(Role.INITIATOR, CallEvent.OPEN, "a")
    finish(calls, "b")
    finish(calls, "c")
    assert calls.state("a") is State.REQUESTED
    assert calls.count(Role.INITIATOR) == 1


def test_a_draining_call_that_is_done_is_remembered_once() -> None:
    """It ended at its terminal; that the other half closes later changes nothing."""
    calls = Calls(remembered=2)
    for sender, event in PATHS["draining"]:
        calls.step(Role.INITIATOR if sender == "caller" else Role.ACCEPTOR, CallEvent(event), "a")
    finish(calls, "b")
    assert calls.step(Role.INITIATOR, CallEvent.END, "a").crossed
    assert (calls.state("a"), calls.state("b")) == (State.DONE, State.DONE)
    finish(calls, "c")
    assert (calls.state("a"), calls.state("b")) == (State.IDLE, State.DONE)


@pytest.mark.parametrize("seat", [Role.INITIATOR, Role.ACCEPTOR, None])
def test_only_the_caller_forgets_a_failed_call(seat: Role | None) -> None:
    """Its callee still owes a terminal; whoever opened it is owed nothing that could be waited for."""
    calls = Calls(remembered=0, seat=seat)
    calls.step(Role.INITIATOR, CallEvent.OPEN, CID)
    calls.step(Role.ACCEPTOR, CallEvent.ITEM, CID)
    assert calls.state(CID) is (State.IDLE if seat is Role.INITIATOR else State.FAILED)
    assert [cid for cid, _ in calls.live()] == ([] if seat is Role.INITIATOR else [CID])


def test_a_connection_tells_its_live_calls() -> None:
    """Both openers' calls, and no ended one."""
    connection = meet()
    connection.send(Open.of("ns", "func", {}, US, "ours"))
    connection.receive(frame(encode(Open.of("ns", "func", {}, THEM, "theirs"))))
    connection.send(Open.of("ns", "func", {}, US, "over"))
    connection.receive(frame(encode(Fail.of("E", "", "over"))))
    assert connection.live_calls() == {
        "ours": CallRecord(opened_by_us=True, state=State.REQUESTED),
        "theirs": CallRecord(opened_by_us=False, state=State.REQUESTED),
    }


def test_the_reactions_are_those_of_the_specification() -> None:
    """No more, no fewer."""
    assert {reaction.value for reaction in Reaction} == set(TABLE["reactions"])
