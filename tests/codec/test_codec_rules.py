"""The rules beside the tables: uids, limits, cancels, goodbyes, and what crosses an end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec
import pytest

from iptc_codec import (
    Ack,
    Fail,
    Fatal,
    Goodbye,
    GoodbyeReceived,
    Item,
    Limits,
    LocalProtocolError,
    Message,
    Open,
    Reaction,
    Result,
    Sender,
    State,
    Violation,
)
from tests.codec.codec_support import MALFORMED_CALL, US, hear, meet, ours, refused, say, theirs

if TYPE_CHECKING:
    from collections.abc import Callable

MALFORMED_OPEN = bytes.fromhex("81a3636d649501a16680920102a163")
YES, NO = (Result(hit, "k") for hit in (True, False))


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
    assert hear(connection, MALFORMED_OPEN) == [
        Violation("OPN-01s", Reaction.FAIL_CALL, "c", "malformed OPEN", Sender.CALLER)
    ]
    assert connection.call_state("c") is State.FAILED
    connection.send(Fail.of("ProtocolError", "", "c"))


def test_a_malformed_open_of_a_live_cid_closes() -> None:
    """CID-02s wins: an answer would be taken for the first call's."""
    connection = meet()
    hear(connection, theirs("c"))
    (violation,) = hear(connection, MALFORMED_OPEN)
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


def test_whoever_has_opened_all_it_may_can_still_cancel() -> None:
    """OPN-12r: as many CANCELs again, and no more."""
    connection = meet(Limits(open_calls=1))
    opened = [theirs("a"), theirs("k", "_cancel_task", cid="a")]
    assert hear(connection, *opened) == opened
    (violation,) = hear(connection, theirs("l", "_cancel_task", cid="a"))
    assert violation.clause == "OPN-12s"


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


def test_a_failed_target_may_be_forgotten_by_the_answer_of_its_cancel() -> None:
    """The CANCEL ends, which pushes its own target out of memory."""
    connection = meet(Limits(finished_calls=1))
    say(connection, ours("c"), ours("k", "_cancel_task", cid="c"))
    hear(connection, Item(1, "c"), Ack("asyncfunc", "k"))
    assert hear(connection, YES) == [YES]
    assert (connection.call_state("c"), connection.call_state("k")) == (State.IDLE, State.DONE)


CROSSING = [theirs("c", "_cancel_task", cid="d"), Open.of("ns", "f", {}, US, "c"), MALFORMED_OPEN]


@pytest.mark.parametrize("remembered", [0, 1, 1024])
@pytest.mark.parametrize("opening", CROSSING, ids=["cancel", "foreign uid", "malformed"])
def test_no_open_that_crossed_our_goodbye_asks_for_an_answer(opening: Open | bytes, remembered: int) -> None:
    """Nobody can give one any more: so even a broken one is ignored."""
    connection = meet(Limits(finished_calls=remembered))
    connection.send(Goodbye())
    assert hear(connection, opening) == []
    assert connection.call_state("c") is (State.DONE if remembered else State.IDLE)
    assert connection.live_calls() == {}


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
    assert hear(connection, MALFORMED_OPEN) == []
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


@pytest.mark.parametrize("remembered", [0, 1, 2])
def test_a_goodbye_ends_calls_of_which_some_are_forgotten_meanwhile(remembered: int) -> None:
    """A failed call has ended at its caller, and is served yet: to cut another may be to forget it."""
    connection = meet(Limits(finished_calls=remembered))
    say(connection, *map(ours, ("one", "two", "three")))
    hear(connection, Item(1, "two"), Item(1, "three"))
    assert hear(connection, Goodbye()) == [GoodbyeReceived()]
    assert connection.live_calls() == {}


@dataclass
class Speaks:
    """A value that says something itself while it is written."""

    x: int

    def __getattribute__(self, name: str) -> object:
        if name == "x" and _said:
            _said.pop()()
        return super().__getattribute__(name)


_said: list[Callable[[], object]] = []


def test_what_a_value_says_while_it_is_written_has_been_said_before_it() -> None:
    connection = meet(Limits(finished_calls=1))
    hear(connection, *map(theirs, ("c", "d")))
    say(connection, Ack("asyncfunc", "c"))
    _said.append(lambda: connection.send(Fail.of("E", "", "c")))
    with pytest.raises(LocalProtocolError) as caught:
        connection.send(Result(Speaks(1), "c"))
    assert caught.value.clause == "TRM-02s"
    assert set(connection.live_calls()) == {"d"}
    say(connection, Ack("asyncfunc", "d"), Result(1, "d"))
    assert connection.live_calls() == {}
