"""A judge that keeps little: it forgets calls that have ended, and never says a false word for it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from iptc_conformance.judge import Judge, Memory
from iptc_conformance.trace import TraceEvent

if TYPE_CHECKING:
    from tests.judge.conftest import Helpers, Talk

SMALL = Memory(ended_calls=2, open_calls=5, findings=3)


def _small(talk: Talk) -> Talk:
    """The same conversation, from now on before a judge that keeps little."""
    talk.judge = Judge(SMALL)
    for event in talk.events:
        talk.judge.feed(event)
    return talk


def _call(talk: Talk, cid: str) -> None:
    talk.send("initiator", "OPEN", cid)
    talk.send("acceptor", "ACK_ASYNCFUNC", cid)
    talk.send("acceptor", "RESULT", cid)


def test_a_call_that_has_just_ended_is_still_judged(talk: Talk, helpers: type[Helpers]) -> None:
    _small(talk)
    _call(talk, "c1")
    _call(talk, "c2")
    found = talk.send("acceptor", "RESULT", "c1")
    assert helpers.clauses(found) == [("TRM-02s", "acceptor", "c1", "drop")]


def test_a_message_for_a_forgotten_call_is_not_judged(talk: Talk, helpers: type[Helpers]) -> None:
    _small(talk)
    talk.send("initiator", "OPEN", "ctx")
    for event in ("ACK_CONTEXT", "STARTED", "RESULT"):
        talk.send("acceptor", event, "ctx")
    for number in range(3):
        _call(talk, f"c{number}")
    assert talk.state("ctx") == "idle"
    assert talk.send("initiator", "ITEM", "ctx") == []  # it was on its way: legal
    found = talk.send("initiator", "MALFORMED", "ctx")  # the frame's own fault stands
    assert helpers.clauses(found) == [("ENC-05s", "initiator", "ctx", "drop")]


def test_an_unknown_call_is_a_violation_as_long_as_nothing_was_forgotten(
    talk: Talk, helpers: type[Helpers]
) -> None:
    _small(talk)
    _call(talk, "c1")
    found = talk.send("acceptor", "ITEM", "never")
    assert helpers.clauses(found) == [("CID-04s", "acceptor", "never", "drop")]


def test_a_forgotten_cid_may_be_opened_again(talk: Talk) -> None:
    _small(talk)
    for _ in range(4):
        for number in range(3):
            _call(talk, f"c{number}")
    assert talk.report().findings == ()
    assert len(talk.judge._connections["1"]._calls.all()) == 2


def test_live_calls_are_never_forgotten(talk: Talk, helpers: type[Helpers]) -> None:
    _small(talk)
    talk.send("initiator", "OPEN", "long")
    for number in range(50):
        _call(talk, f"c{number}")
    found = talk.send("initiator", "OPEN", "long")
    assert helpers.clauses(found) == [("CID-02s", "initiator", "long", "close")]


def test_a_chain_of_cancels_holds_nothing(talk: Talk) -> None:
    _small(talk)
    _call(talk, "c0")
    for number in range(20):
        talk.cancel("initiator", f"c{number}", f"c{number + 1}")
        talk.send("acceptor", "ACK_ASYNCFUNC", f"c{number + 1}")
        talk.send("acceptor", "RESULT", f"c{number + 1}", value=False)
    assert talk.report().findings == ()
    calls = talk.judge._connections["1"]._calls.all()
    depth = 0
    call = calls[-1]
    while call.cancels is not None and call.cancels.call is not None:
        call, depth = call.cancels.call, depth + 1
    assert depth <= 3


def test_too_many_open_calls_end_the_judging_of_that_connection_alone(talk: Talk) -> None:
    _small(talk)
    for number in range(6):
        assert not talk.judge.gave_up("1")
        talk.send("initiator", "OPEN", f"c{number}")
    assert talk.judge.gave_up("1")
    assert talk.send("initiator", "OPEN", "c0") == []
    assert "judged no further" in talk.report().notes[-1].text
    other = talk.judge.feed(TraceEvent(99, "2", "initiator", bytes(4)))
    assert [finding.clause for finding in other] == ["FRM-04s"]


def test_no_more_findings_are_kept_than_asked_for(talk: Talk) -> None:
    _small(talk)
    for number in range(9):
        assert len(talk.send("acceptor", "ITEM", f"n{number}")) == 1
    assert [finding.cid for finding in talk.report().findings] == ["n6", "n7", "n8"]


def test_a_connection_that_is_let_go_still_counts(talk: Talk) -> None:
    talk.send("acceptor", "ITEM", "never")
    before = talk.report()
    assert talk.judge.let_go("1")
    after = talk.report()
    assert (after.judged, after.clauses) == (before.judged, before.clauses)
    assert after.findings == ()
    assert talk.judge.let_go("1")


def test_a_side_that_broke_the_connection_holds_no_bytes(talk: Talk) -> None:
    talk.data("initiator", bytes(4))
    talk.data("initiator", b"\xff\xff\0\0" + bytes(50_000))
    assert talk.judge._connections["1"]._halves["initiator"].deframer.pending == 0


def test_long_traces_take_time_in_proportion(talk: Talk) -> None:
    """Four times the calls take four times as long, not sixteen; nine leaves room for a busy machine."""

    def seconds(calls: int) -> float:
        fresh = type(talk)().hellos()
        began = time.process_time()
        for number in range(calls):
            _call(fresh, str(number))
        return time.process_time() - began

    seconds(200)
    assert seconds(4000) < 9 * seconds(1000)
