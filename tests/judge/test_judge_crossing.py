"""What may cross on the wire is no violation: none of these conversations has a finding."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from iptc_conformance.trace import Side
    from tests.judge.conftest import Helpers, Talk

CONTEXT: tuple[tuple[Side, str], ...] = (
    ("initiator", "OPEN"),
    ("acceptor", "ACK_CONTEXT"),
    ("acceptor", "STARTED"),
)
FATAL = {"error": {"tb_str": "", "type_str": "E"}}


def _no_findings(talk: Talk) -> None:
    assert talk.report().findings == ()
    assert talk.report().verdict == "pass"


@pytest.mark.parametrize("terminal", ["RESULT", "FAIL"])
@pytest.mark.parametrize("closing", ["END", "FAIL"])
def test_items_cross_the_terminal(talk: Talk, terminal: str, closing: str) -> None:
    talk.sends(*CONTEXT, ("initiator", "ITEM"), ("acceptor", terminal))
    talk.sends(*[("initiator", event) for event in ("ITEM", "OVERRUN", "ITEM", closing)])
    _no_findings(talk)


def test_an_overrun_crosses_the_terminal_of_a_generator(talk: Talk) -> None:
    talk.sends(("initiator", "OPEN"), ("acceptor", "ACK_ASYNCGEN"), ("acceptor", "ITEM"), ("acceptor", "END"))
    talk.send("initiator", "OVERRUN")
    _no_findings(talk)


def test_overruns_cross_items_and_stops(talk: Talk) -> None:
    talk.sends(*CONTEXT, ("acceptor", "OVERRUN"), ("initiator", "END"), ("acceptor", "OVERRUN"))
    talk.sends(("acceptor", "ITEM"), ("acceptor", "END"), ("initiator", "OVERRUN"), ("acceptor", "RESULT"))
    _no_findings(talk)


def test_a_cancel_crosses_the_terminal(talk: Talk) -> None:
    talk.sends(("initiator", "OPEN"), ("acceptor", "ACK_ASYNCFUNC"), ("acceptor", "RESULT"))
    talk.cancel("initiator", "c1", "k1")
    talk.send("acceptor", "ACK_ASYNCFUNC", "k1")
    talk.send("acceptor", "RESULT", "k1", value=False)
    _no_findings(talk)


def test_a_cancel_overtakes_the_acknowledgement(talk: Talk) -> None:
    talk.send("initiator", "OPEN")
    talk.cancel("initiator", "c1", "k1")
    talk.sends(("acceptor", "ACK_CONTEXT"))
    talk.send("acceptor", "ACK_ASYNCFUNC", "k1")
    talk.send("acceptor", "FAIL", type_str="ContextCancelled")
    talk.send("acceptor", "RESULT", "k1", value=True)
    _no_findings(talk)


def test_both_ends_stop_and_fail_at_once(talk: Talk) -> None:
    talk.sends(*CONTEXT, ("acceptor", "END"), ("initiator", "END"), ("acceptor", "FAIL"))
    _no_findings(talk)


def test_a_goodbye_crosses_an_open(talk: Talk) -> None:
    talk.send("initiator", "OPEN")
    talk.say("acceptor", None)
    talk.send("initiator", "OPEN", "c2")
    talk.say("initiator", None)
    talk.eof("initiator")
    talk.eof("acceptor")
    _no_findings(talk)
    assert [note.cid for note in talk.report().notes] == ["c1", "c2"]


def test_a_call_that_ends_with_a_goodbye_is_judged_no_further(talk: Talk) -> None:
    talk.sends(("initiator", "OPEN"))
    talk.say("acceptor", None)
    assert [note.text for note in talk.report().notes] == [
        "ended with its connection, without a terminal (requested)"
    ]
    talk.sends(("initiator", "ITEM"))
    _no_findings(talk)


def test_a_failed_call_owes_no_terminal_before_a_goodbye(talk: Talk) -> None:
    talk.sends(("initiator", "OPEN"))
    talk.send("initiator", "ITEM")
    assert talk.say("acceptor", None) == []


def test_an_open_that_crossed_a_goodbye_ends_at_once(talk: Talk) -> None:
    talk.say("acceptor", None)
    talk.sends(("initiator", "OPEN"), ("initiator", "MALFORMED"))
    _no_findings(talk)
    assert [note.text for note in talk.report().notes] == [
        "ended with its connection, without a terminal (requested)"
    ]


def test_goodbyes_cross(talk: Talk) -> None:
    talk.say("initiator", None)
    talk.say("acceptor", None)
    talk.eof("acceptor")
    talk.eof("initiator")
    _no_findings(talk)


def test_a_goodbye_is_answered_by_terminals_and_crossed_by_items(talk: Talk) -> None:
    talk.sends(*CONTEXT)
    talk.say("initiator", None)
    talk.sends(("acceptor", "ITEM"), ("acceptor", "END"), ("acceptor", "RESULT"))
    talk.say("acceptor", None)
    _no_findings(talk)


def test_the_end_of_a_stream_crosses_everything(talk: Talk, helpers: type[Helpers]) -> None:
    talk.sends(*CONTEXT)
    talk.eof("initiator")
    talk.sends(*[("acceptor", event) for event in ("ITEM", "END", "ITEM", "STARTED", "RESULT", "FAIL")])
    talk.sends(("acceptor", "MALFORMED"))
    talk.send("acceptor", "OPEN", "c9")
    talk.send("acceptor", "ITEM", "never-opened")
    talk.say("acceptor", None)
    talk.eof("acceptor")
    _no_findings(talk)


def test_the_end_of_a_stream_crosses_a_goodbye_that_owes_terminals(talk: Talk) -> None:
    talk.sends(*CONTEXT)
    talk.eof("initiator")
    talk.say("acceptor", None)
    _no_findings(talk)


def test_a_fatal_crosses_everything(talk: Talk) -> None:
    talk.sends(*CONTEXT)
    talk.say("acceptor", FATAL)
    talk.sends(("initiator", "ITEM"), ("initiator", "END"), ("initiator", "ITEM"))
    talk.send("initiator", "OPEN", "c2")
    talk.say("initiator", FATAL)
    talk.eof("acceptor")
    talk.eof("initiator")
    _no_findings(talk)


def test_hellos_need_not_wait(fresh: Talk, helpers: type[Helpers]) -> None:
    fresh.say("initiator", helpers.uids["initiator"])
    fresh.send("initiator", "OPEN")
    fresh.say("acceptor", helpers.uids["acceptor"])
    fresh.sends(("acceptor", "ACK_ASYNCFUNC"), ("acceptor", "RESULT"))
    _no_findings(fresh)


def test_a_cid_is_used_again_after_its_call(talk: Talk) -> None:
    for _ in range(3):
        talk.sends(("initiator", "OPEN"), ("acceptor", "ACK_ASYNCFUNC"), ("acceptor", "RESULT"))
    _no_findings(talk)


def test_a_side_is_not_blamed_for_what_the_other_said_unread(talk: Talk, helpers: type[Helpers]) -> None:
    """After a violation with reaction close nothing of that side is read: what it says may be real."""
    talk.send("acceptor", "OPEN", "c2")
    talk.send("initiator", "ACK_CONTEXT", "c2")
    assert helpers.clauses(talk.body("initiator", b"\xc1")) == [("ENC-01s", "initiator", None, "close")]
    talk.send("initiator", "OPEN", "c1")
    talk.send("initiator", "STARTED", "c2")
    assert talk.send("acceptor", "ACK_ASYNCFUNC", "c1") == []
    assert talk.send("acceptor", "ITEM", "c2") == []
    assert talk.say("acceptor", FATAL) == []
    assert talk.eof("initiator") == []
    assert talk.eof("acceptor") == []


def test_a_side_may_leave_a_connection_that_the_other_broke(talk: Talk) -> None:
    talk.sends(*CONTEXT)
    talk.body("initiator", b"\xc1")
    assert talk.say("acceptor", None) == []
    assert talk.report().sides["acceptor"]["DSC-02s"] == "not-observed"


def test_the_end_of_a_broken_side_crosses_everything_too(talk: Talk) -> None:
    talk.sends(("initiator", "OPEN"), ("acceptor", "ACK_ASYNCFUNC"))
    talk.body("initiator", b"\xc1")
    talk.eof("initiator")
    assert talk.send("acceptor", "ITEM") == []


def test_a_callee_is_judged_on_after_the_other_side_broke_off(talk: Talk, helpers: type[Helpers]) -> None:
    talk.sends(("initiator", "OPEN"), ("acceptor", "ACK_ASYNCFUNC"), ("acceptor", "RESULT"))
    talk.body("initiator", b"\xc1")
    assert helpers.clauses(talk.send("acceptor", "RESULT")) == [("TRM-02s", "acceptor", "c1", "drop")]


def test_after_a_live_cid_is_opened_again_nobody_can_tell_which_call_is_meant(talk: Talk) -> None:
    """The first terminal may have crossed the second OPEN: then the callee serves a call as it should."""
    talk.sends(("initiator", "OPEN"), ("acceptor", "ACK_ASYNCFUNC"))
    assert [finding.clause for finding in talk.send("initiator", "OPEN")] == ["CID-02s"]
    talk.sends(("acceptor", "RESULT"), ("acceptor", "ACK_ASYNCFUNC"), ("acceptor", "RESULT"))
    assert len(talk.report().findings) == 1
