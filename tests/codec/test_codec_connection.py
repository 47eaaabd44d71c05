"""A connection: its halves, the rules beside the tables, and what it reports."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from iptc_codec import (
    Ack,
    Connection,
    ConnectionLost,
    Conversation,
    End,
    Fail,
    Fatal,
    Goodbye,
    GoodbyeReceived,
    HalfState,
    Hello,
    HelloReceived,
    Item,
    Limits,
    Message,
    Open,
    Reaction,
    RemoteProtocolError,
    Result,
    Role,
    Started,
    State,
    UnencodableValueError,
    Violation,
    encode,
    frame,
)
from tests.codec.codec_support import MALFORMED_CALL, THEM, US, hear, meet, ours, refused, say, theirs

TABLE = json.loads((Path(__file__).parents[2] / "spec" / "v1" / "connection.json").read_text("utf-8"))

BODIES: dict[str, Message | bytes] = {
    "HELLO": Hello(*THEM),
    "CALL": theirs("c"),
    "FATAL": Fatal.of("E", ""),
    "GOODBYE": Goodbye(),
    "MALFORMED_CALL": MALFORMED_CALL,
    "MALFORMED_OBJECT": b"\x80",
    "MALFORMED_BYTES": b"\xc1",
}
FRAME_CLAUSES = {"MALFORMED_CALL": "STR-05s", "MALFORMED_OBJECT": "ENC-05s", "MALFORMED_BYTES": "ENC-01s"}
PATHS: dict[str, list[Message]] = {
    "silent": [],
    "talking": [Hello(*THEM)],
    "failing": [Hello(*THEM), Fatal.of("E", "")],
    "left": [Hello(*THEM), Goodbye()],
}
CELLS = [
    (state, event)
    for state, cells in TABLE["cells"].items()
    if state != "gone"
    for event in cells
    if event != "EOF"
]


@pytest.mark.parametrize(("state", "event"), CELLS)
def test_each_cell_of_a_half_when_received(state: str, event: str) -> None:
    """What a side sends is held against what it has sent before."""
    cell = TABLE["cells"][state][event]
    connection = Connection(US)
    hear(connection, *PATHS[state])
    events = hear(connection, BODIES[event])
    assert connection.remote.value == cell["next"]
    if "violates" in cell:
        clause = FRAME_CLAUSES[event] if cell["violates"] == "frame" else cell["violates"]
        assert [(e.clause, e.reaction.value, e.cid) for e in events] == [(clause, cell["reaction"], None)]
        assert hear(connection, Hello(*THEM)) == []
    elif event == "MALFORMED_CALL":
        assert [(e.clause, e.reaction) for e in events] == [("STR-05s", Reaction.DROP)]
    else:
        expected = {"HELLO": HelloReceived(THEM), "GOODBYE": GoodbyeReceived()}.get(event, BODIES[event])
        assert events == [expected]


OURS: dict[str, Message] = {
    "HELLO": Hello(*US),
    "CALL": ours("c"),
    "FATAL": Fatal.of("E", ""),
    "GOODBYE": Goodbye(),
}


@pytest.mark.parametrize(("state", "event"), [cell for cell in CELLS if cell[1] in OURS])
def test_each_cell_of_a_half_when_sent(state: str, event: str) -> None:
    """We are held to the same."""
    cell = TABLE["cells"][state][event]
    connection = Connection(US)
    say(connection, *[OURS["HELLO"] if isinstance(m, Hello) else m for m in PATHS[state]])
    if "violates" in cell:
        assert refused(connection, OURS[event]) == cell["violates"]
    else:
        assert connection.send(OURS[event]) == frame(encode(OURS[event]))
        assert connection.local.value == cell["next"]


@pytest.mark.parametrize("state", PATHS)
def test_the_end_of_the_stream_comes_in_any_state(state: str) -> None:
    """Once; and nothing comes after it."""
    connection = Connection(US)
    hear(connection, *PATHS[state])
    assert connection.receive_eof() == [ConnectionLost(truncated=False)]
    assert connection.remote is HalfState.GONE
    assert connection.receive_eof() == []
    assert hear(connection, Hello(*THEM)) == []


def test_a_stream_that_ends_inside_a_frame_is_told_as_such() -> None:
    """FRM-05r."""
    connection = meet()
    connection.receive(frame(encode(Goodbye()))[:3])
    assert connection.receive_eof() == [ConnectionLost(truncated=True)]


def test_who_the_other_side_is_stands_in_its_hello() -> None:
    """And what it said beyond that is handed on (EXT-01r)."""
    connection = Connection(US)
    assert connection.remote_uid is None
    assert hear(connection, Hello(*THEM, (1, None))) == [HelloReceived(THEM, (1, None))]
    assert connection.remote_uid == THEM


def test_our_hello_says_who_we_are() -> None:
    """HSK-01s, OPN-08s: nobody else."""
    connection = Connection(US)
    assert refused(connection, Hello(*THEM)) == "HSK-01s"
    connection.send(Hello(*US))
    assert refused(connection, theirs("c")) == "OPN-08s"


def test_a_frame_that_is_too_long_is_not_sent() -> None:
    """FRM-03s: it cannot be put into a frame, so its call can be failed instead (TRM-05s)."""
    connection = meet(Limits(frame_bytes=100))
    hear(connection, theirs("c"))
    connection.send(Ack("context", "c"))
    with pytest.raises(UnencodableValueError) as caught:
        connection.send(Started("x" * 100, "c"))
    assert (caught.value.clause, caught.value.cid) == ("FRM-03s", "c")
    assert connection.call_state("c") is State.STARTING
    connection.send(Started("x", "c"))


def test_a_value_that_cannot_be_encoded_changes_nothing() -> None:
    """TRM-05s: the terminal is still to come."""
    connection = meet()
    hear(connection, theirs("c"))
    connection.send(Ack("asyncfunc", "c"))
    with pytest.raises(UnencodableValueError):
        connection.send(Result(object(), "c"))
    assert connection.call_state("c") is State.UNARY
    connection.send(Fail.of("TypeError", "", "c"))
    cyclic: list[object] = []
    cyclic.append(cyclic)
    with pytest.raises(UnencodableValueError):
        connection.send(Open.of("ns", "f", {"x": cyclic}, US, "d"))
    assert connection.call_state("d") is State.IDLE


def test_a_bad_length_closes() -> None:
    """FRM-03r, FRM-04r: after what came before it, and without waiting for the body."""
    connection = meet(Limits(frame_bytes=50))
    events = connection.receive(frame(encode(End.of("c"))) + b"\x33\x00\x00\x00")
    assert [(e.clause, e.reaction) for e in events if isinstance(e, Violation)] == [
        ("CID-04s", Reaction.DROP),
        ("FRM-03s", Reaction.CLOSE),
    ]
    assert connection.receive(b"\x00") == []
    assert connection.receive_eof() == [ConnectionLost(truncated=False)]


def test_what_follows_a_violation_that_closes_is_not_looked_at() -> None:
    """One finding; and we may still say why (ROB-03s)."""
    connection = meet()
    (violation,) = hear(connection, b"\x80", b"\xc1", Goodbye())
    assert violation.reaction is Reaction.CLOSE
    say(connection, Fatal.of("ProtocolError", str(violation)), Goodbye())
    error = RemoteProtocolError(violation)
    assert (error.clause, error.reaction, error.cid) == ("ENC-05s", Reaction.CLOSE, None)


def test_cids_are_fresh() -> None:
    """CID-07s: within a connection and between two."""
    connections = [Connection(US), Connection(US)]
    cids = {connection.fresh_cid() for connection in connections for _ in range(100)}
    assert len(cids) == 200


def test_a_failed_call_of_ours_takes_no_memory_for_ever() -> None:
    """Its terminal may never come."""
    connection = meet(Limits(finished_calls=2))
    for number in range(10):
        connection.send(ours(str(number)))
        hear(connection, Item(1, str(number)))
    assert [connection.call_state(str(number)) for number in range(10)].count(State.FAILED) == 2
    assert connection.live_calls() == {}


def test_an_acceptor_is_held_to_the_same() -> None:
    """The role only names the side."""
    connection = meet(role=Role.ACCEPTOR)
    assert hear(connection, theirs("c")) == [theirs("c")]
    assert (Role.ACCEPTOR.other, Role.INITIATOR.other) == (Role.INITIATOR, Role.ACCEPTOR)


def test_an_observer_sees_both_sides() -> None:
    """A conversation needs no seat."""
    conversation = Conversation(Limits())
    for side, message in (
        (Role.INITIATOR, Hello(*US)),
        (Role.ACCEPTOR, Hello(*THEM)),
        (Role.INITIATOR, ours("c")),
        (Role.ACCEPTOR, Ack("asyncfunc", "c")),
    ):
        step = conversation.judge(side, message)
        assert step.takes_effect
        conversation.take(side, step, message)
    step = conversation.judge(Role.ACCEPTOR, Goodbye())
    assert step.violation is not None
    assert step.violation.clause == "DSC-02s"
    assert not step.takes_effect
