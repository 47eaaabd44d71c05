"""A connection: its halves, the rules beside the tables, and what it reports."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
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
    LocalProtocolError,
    Message,
    Open,
    Reaction,
    RemoteProtocolError,
    Result,
    Role,
    Sender,
    Started,
    State,
    UnencodableValueError,
    Violation,
    encode,
    frame,
)

TABLE = json.loads((Path(__file__).parents[2] / "spec" / "v1" / "connection.json").read_text("utf-8"))
US, THEM = ("us", "1"), ("them", "2")
YES, NO = (Result(hit, "k") for hit in (True, False))


def hear(connection: Connection, *messages: Message | bytes) -> list[Any]:
    """Receive messages, or bodies, of the other side."""
    bodies = [message if isinstance(message, bytes) else encode(message) for message in messages]
    return list(connection.receive(b"".join(map(frame, bodies))))


def say(connection: Connection, *messages: Message) -> None:
    """Send messages."""
    for message in messages:
        connection.send(message)


def refused(connection: Connection, message: Message) -> str:
    """The clause for which we may not send a message, which leaves no trace."""
    before = connection.local, connection.remote, connection.live_calls()
    with pytest.raises(LocalProtocolError) as caught:
        connection.send(message)
    assert before == (connection.local, connection.remote, connection.live_calls())
    return caught.value.clause


def meet(limits: Limits | None = None, role: Role = Role.INITIATOR) -> Connection:
    """A connection on which both hellos have been said."""
    connection = Connection(US, role, limits or Limits())
    connection.send(Hello(*US))
    assert hear(connection, Hello(*THEM)) == [HelloReceived(THEM)]
    return connection


def ours(cid: str, func: str = "func", /, **kwargs: object) -> Open:
    """An OPEN of ours."""
    return Open.of("self" if func == "_cancel_task" else "ns", func, kwargs, US, cid)


def theirs(cid: str, func: str = "func", /, **kwargs: object) -> Open:
    """An OPEN of the other side."""
    return Open.of("self" if func == "_cancel_task" else "ns", func, kwargs, THEM, cid)


MALFORMED_CALL = bytes.fromhex("82a473746f70c2a3636964a163")  # STR-05s of the cid "c"
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


def test_an_open_with_a_foreign_uid_fails_its_call() -> None:
    """OPN-08s: it is answered with FAIL, and its other messages go nowhere."""
    connection = meet()
    assert hear(connection, Open.of("ns", "f", {}, US, "c")) == [
        Violation("OPN-08s", Reaction.FAIL_CALL, "c", "OPEN", Sender.CALLER)
    ]
    assert connection.call_state("c") is State.FAILED
    assert hear(connection, Item(1, "c")) == []
    connection.send(Fail.of("ProtocolError", "", "c"))
    assert connection.call_state("c") is State.DRAINING


def test_a_malformed_open_fails_its_call() -> None:
    """OPN-01r: it is answered with FAIL."""
    connection = meet()
    body = bytes.fromhex("81a3636d649501a16680920102a163")
    assert hear(connection, body) == [
        Violation("OPN-01s", Reaction.FAIL_CALL, "c", "malformed OPEN", Sender.CALLER)
    ]
    assert connection.call_state("c") is State.FAILED
    connection.send(Fail.of("ProtocolError", "", "c"))


def test_a_malformed_open_of_a_live_cid_closes() -> None:
    """CID-02s wins: an answer would be taken for the first call's."""
    connection = meet()
    hear(connection, theirs("c"))
    (violation,) = hear(connection, bytes.fromhex("81a3636d649501a16680920102a163"))
    assert (violation.clause, violation.reaction, violation.cid) == ("CID-02s", Reaction.CLOSE, "c")
    assert hear(connection, theirs("d")) == []


def test_calls_above_the_limit_fail() -> None:
    """OPN-12r: they are answered with FAIL, and the others are served on."""
    connection = meet(Limits(open_calls=2))
    opened = [theirs("a"), theirs("b"), theirs("c")]
    *taken, violation = hear(connection, *opened)
    assert taken == opened[:2]
    assert (violation.clause, violation.reaction, violation.cid) == ("OPN-12s", Reaction.FAIL_CALL, "c")
    say(connection, Fail.of("ProtocolError", "", "c"), Fail.of("E", "", "a"))
    assert hear(connection, theirs("d")) == [theirs("d")]


def test_we_keep_to_the_limit_ourselves() -> None:
    """OPN-12s."""
    connection = meet(Limits(open_calls=1))
    connection.send(ours("a"))
    assert refused(connection, ours("b")) == "OPN-12s"
    hear(connection, Fail.of("E", "", "a"))
    connection.send(ours("b"))


def test_a_cancel_that_is_answered_before_its_target_ends_it() -> None:
    """CXL-02r: its answer is taken, and the target fails."""
    connection = meet()
    say(connection, ours("c"), ours("k", "_cancel_task", cid="c"))
    hear(connection, Ack("asyncfunc", "c"), Ack("asyncfunc", "k"))
    result, violation = hear(connection, Result(None, "k"))
    assert result == Result(None, "k")
    assert (violation.clause, violation.reaction, violation.cid) == ("CXL-02s", Reaction.FAIL_CALL, "c")
    assert violation.sender_role is Sender.CALLEE
    assert connection.call_state("c") is State.FAILED
    assert connection.call_state("k") is State.DONE
    assert hear(connection, Result(1, "c")) == []


def test_the_answer_of_a_cancel_lets_go_a_target_that_had_failed() -> None:
    """Without a terminal, and without a violation: the call had been given up for another one."""
    connection = meet()
    say(connection, ours("c"), ours("k", "_cancel_task", cid="c"))
    hear(connection, Item(1, "c"), Ack("asyncfunc", "k"))
    assert connection.call_state("c") is State.FAILED
    assert hear(connection, YES) == [YES]
    assert connection.call_state("c") is State.DRAINING


def test_a_failed_target_that_is_forgotten_stays_so() -> None:
    """The answer of its CANCEL finds nothing, or a newer call that is none of its business."""
    connection = meet(Limits(finished_calls=0))
    say(connection, ours("c"), ours("k", "_cancel_task", cid="c"))
    hear(connection, Item(1, "c"), Ack("asyncfunc", "k"))
    connection.send(ours("c"))
    assert hear(connection, YES) == [YES]
    assert connection.call_state("c") is State.REQUESTED


@pytest.mark.parametrize("terminal", [Fail.of("ContextCancelled", "", "c"), Result(1, "c")])
def test_a_cancel_that_is_answered_after_its_target_is_in_order(terminal: Message) -> None:
    """CXL-02s, kept."""
    connection = meet()
    say(connection, ours("c"), ours("k", "_cancel_task", cid="c"))
    hear(connection, Ack("asyncfunc", "c"), Ack("asyncfunc", "k"), terminal)
    assert hear(connection, YES) == [YES]


def test_a_cancel_hits_the_call_that_it_was_sent_for() -> None:
    """Not the next one of the same cid."""
    connection = meet()
    say(connection, ours("c"), ours("k", "_cancel_task", cid="c"))
    hear(connection, Ack("asyncfunc", "k"), Fail.of("E", "", "c"))
    connection.send(ours("c"))
    assert hear(connection, YES) == [YES]
    assert connection.call_state("c") is State.REQUESTED


@pytest.mark.parametrize("target", ["theirs", "unknown", "k"])
def test_a_cancel_hits_only_a_call_of_its_own_sender(target: str) -> None:
    """CXL-10r, CXL-05r: else it has no effect, and nothing to wait for."""
    connection = meet()
    hear(connection, theirs("theirs"))
    connection.send(ours("k", "_cancel_task", cid=target))
    hear(connection, Ack("asyncfunc", "k"))
    assert hear(connection, NO) == [NO]


@pytest.mark.parametrize("kwargs", [{}, {"cid": 1}, {"cid": "c", "x": 1}])
def test_a_cancel_of_another_shape_is_no_cancel(kwargs: dict[str, object]) -> None:
    """CXL-09r: it is an OPEN like any other, for the application to fail."""
    connection = meet()
    hear(connection, theirs("c"), msgspec.msgpack.encode(theirs("k", "_cancel_task", **kwargs)))
    connection.send(Ack("asyncfunc", "k"))
    connection.send(NO)


def test_we_do_not_answer_a_cancel_before_its_target() -> None:
    """CXL-02s."""
    connection = meet()
    hear(connection, theirs("c"), theirs("k", "_cancel_task", cid="c"))
    connection.send(Ack("asyncfunc", "k"))
    assert refused(connection, YES) == "CXL-02s"
    connection.send(Fail.of("ContextCancelled", "", "c"))
    connection.send(YES)


@pytest.mark.parametrize("answer", [Ack("asyncfunc", "c"), Ack("asyncgen", "c"), Ack("context", "c")])
def test_a_goodbye_before_the_answers_closes(answer: Message) -> None:
    """DSC-02s, at both seats: a call acknowledged is a call to be ended."""
    connection = meet()
    connection.send(ours("c"))
    (violation,) = hear(connection, answer, Goodbye())[1:]
    assert (violation.clause, violation.reaction, violation.cid) == ("DSC-02s", Reaction.CLOSE, None)
    connection = meet()
    hear(connection, theirs("c"))
    connection.send(answer)
    assert refused(connection, Goodbye()) == "DSC-02s"
    say(connection, Fail.of("E", "", "c"), Goodbye())


def test_a_goodbye_leaves_what_was_only_requested() -> None:
    """It ends without an answer, and so does what has failed."""
    connection = meet()
    say(connection, ours("a"), ours("b"))
    hear(connection, Item(1, "b"))
    assert hear(connection, Goodbye()) == [GoodbyeReceived()]
    assert connection.live_calls() == {}
    assert connection.call_state("a") is State.DONE
    assert refused(connection, Item(1, "a")) == "DSC-04r"
    connection.send(Goodbye())


def test_what_crosses_our_goodbye_is_ignored() -> None:
    """Its sender did not know yet that the call had ended without a terminal."""
    connection = meet()
    hear(connection, theirs("a"), Open.of("ns", "f", {}, US, "b"))
    connection.send(Goodbye())
    assert hear(connection, Item(1, "a"), Item(1, "b"), Open.of("ns", "f", {}, US, "c"))[:-1] == []
    assert connection.call_state("c") is State.DONE


def test_the_calls_of_the_other_opener_outlive_a_goodbye() -> None:
    """DSC-02r: who hears it still has answers to give."""
    connection = meet()
    hear(connection, theirs("c"))
    connection.send(Ack("asyncfunc", "c"))
    assert hear(connection, Goodbye()) == [GoodbyeReceived()]
    connection.send(Fail.of("ContextCancelled", "", "c"))
    connection.send(Goodbye())


def test_nobody_opens_a_call_after_a_goodbye() -> None:
    """DSC-06s: neither after ours nor after the other side's."""
    connection = meet()
    hear(connection, Goodbye())
    assert refused(connection, ours("c")) == "DSC-06s"
    connection = meet()
    connection.send(Goodbye())
    assert refused(connection, ours("c")) == "DSC-01s"


def test_an_open_that_crossed_our_goodbye_is_not_served() -> None:
    """Nobody will answer it, and its sender learns so from the GOODBYE."""
    connection = meet()
    connection.send(ours("a"))
    connection.send(Goodbye())
    terminal = Fail.of("ContextCancelled", "", "a")
    assert hear(connection, theirs("c"), terminal, Item(1, "c"), theirs("c"), MALFORMED_CALL) == [terminal]
    assert connection.live_calls() == {}
    assert hear(connection, Goodbye()) == [GoodbyeReceived()]


def test_what_crosses_a_fatal_of_ours_is_ignored() -> None:
    """ERR-04r: every call is over, whatever the other side did not know yet."""
    connection = meet()
    hear(connection, theirs("c"))
    connection.send(ours("d"))
    connection.send(Fatal.of("E", ""))
    assert connection.live_calls() == {}
    assert hear(connection, Item(1, "c"), Ack("asyncfunc", "d"), theirs("e"), MALFORMED_CALL) == []
    assert hear(connection, bytes.fromhex("81a3636d649501a16680920102a163")) == []
    assert refused(connection, Result(1, "c")) == "ERR-08s"
    connection.send(Goodbye())
    assert hear(connection, Item(1, "c"), Goodbye()) == [GoodbyeReceived()]


@pytest.mark.parametrize(("message", "clause"), [(Ack("context", "c"), "ERR-04r"), (ours("e"), "ERR-04r")])
def test_nothing_goes_on_after_a_fatal_of_theirs(message: Message, clause: str) -> None:
    """ERR-04r: but we may say GOODBYE."""
    connection = meet()
    hear(connection, theirs("c"))
    assert hear(connection, Fatal.of("E", "")) == [Fatal.of("E", "")]
    assert refused(connection, message) == clause
    connection.send(Goodbye())


def test_nothing_goes_on_after_the_end_of_their_stream() -> None:
    """DSC-04r."""
    connection = meet()
    hear(connection, theirs("c"))
    connection.receive_eof()
    assert connection.live_calls() == {}
    assert refused(connection, Ack("context", "c")) == "DSC-04r"
    assert refused(connection, ours("d")) == "DSC-04r"


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
    events = connection.receive(frame(encode(End("c"))) + b"\x33\x00\x00\x00")
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
