"""What the judge sees beside the tables, and what it calls kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from iptc_conformance.msgpack_values import Map, Raw, Timestamp

if TYPE_CHECKING:
    from iptc_conformance.trace import Side
    from tests.judge.conftest import Helpers, Talk

CONTEXT: tuple[tuple[Side, str], ...] = (
    ("initiator", "OPEN"),
    ("acceptor", "ACK_CONTEXT"),
    ("acceptor", "STARTED"),
)
UNARY: tuple[tuple[Side, str], ...] = (("initiator", "OPEN"), ("acceptor", "ACK_ASYNCFUNC"))


def _cancelled(talk: Talk, target: str = "c1") -> None:
    talk.cancel("initiator", target, "k1")
    talk.send("acceptor", "ACK_ASYNCFUNC", "k1")


def test_a_cancel_answered_before_its_target_ends(talk: Talk, helpers: type[Helpers]) -> None:
    talk.sends(*UNARY)
    _cancelled(talk)
    found = talk.send("acceptor", "RESULT", "k1", value=True)
    assert helpers.clauses(found) == [("CXL-02s", "acceptor", "c1", "fail-call")]
    assert found[0].level == "MUST"
    assert (talk.state("c1"), talk.state("k1")) == ("failed", "done")
    assert talk.send("acceptor", "FAIL", type_str="ContextCancelled") == []


@pytest.mark.parametrize("terminal", [[], ["END"]])
def test_a_cancel_of_a_failed_call_may_be_answered_at_any_time(talk: Talk, terminal: list[str]) -> None:
    talk.sends(("initiator", "OPEN"), ("acceptor", "ACK_ASYNCGEN"), ("acceptor", "STARTED"))
    talk.sends(*[("acceptor", event) for event in terminal])
    _cancelled(talk)
    assert talk.send("acceptor", "RESULT", "k1", value=True) == []
    assert talk.report().clauses["CXL-02s"] == "not-observed"
    assert talk.state() == "draining"


def test_a_cancel_answered_after_its_target(talk: Talk) -> None:
    talk.sends(*UNARY)
    _cancelled(talk)
    talk.send("acceptor", "FAIL", type_str="ContextCancelled")
    assert talk.send("acceptor", "RESULT", "k1", value=True) == []
    statuses = talk.report().sides["acceptor"]
    assert [statuses[clause] for clause in ("CXL-02s", "CXL-03s", "CXL-04s")] == ["pass"] * 3
    assert talk.report().sides["initiator"]["CXL-01s"] == "pass"


def test_a_cancel_that_fails_says_nothing_about_its_target(talk: Talk) -> None:
    talk.sends(*UNARY)
    _cancelled(talk)
    assert talk.send("acceptor", "FAIL", "k1") == []
    assert talk.state("c1") == "unary"


@pytest.mark.parametrize("value", [None, 1, 0, "true"])
def test_the_result_of_a_cancel_is_a_boolean(talk: Talk, helpers: type[Helpers], value: Any) -> None:
    _cancelled(talk, "unknown")
    found = talk.send("acceptor", "RESULT", "k1", value=value)
    assert helpers.clauses(found) == [("CXL-03s", "acceptor", "k1", "none")]
    assert found[0].level == "SHOULD"
    assert talk.report().verdict == "warn"


@pytest.mark.parametrize("target", ["unknown", "theirs", "ended", "k1"])
def test_a_cancel_without_a_live_target_is_false(talk: Talk, helpers: type[Helpers], target: str) -> None:
    talk.send("acceptor", "OPEN", "theirs")
    talk.send("initiator", "OPEN", "ended")
    talk.send("acceptor", "FAIL", "ended")
    _cancelled(talk, target)
    found = talk.send("acceptor", "RESULT", "k1", value=True)
    assert helpers.clauses(found) == [("CXL-03s", "acceptor", "k1", "none")]


def test_only_a_cancel_of_a_live_call_shows_when_it_is_answered(talk: Talk) -> None:
    talk.sends(*UNARY, ("acceptor", "RESULT"))
    _cancelled(talk)
    talk.send("acceptor", "RESULT", "k1", value=False)
    statuses = talk.report().clauses
    assert (statuses["CXL-02s"], statuses["CXL-03s"]) == ("not-observed", "pass")


def test_an_error_type_counts_only_for_what_it_answers(talk: Talk) -> None:
    talk.sends(*UNARY)
    talk.send("acceptor", "FAIL", type_str="ContextCancelled")
    talk.send("initiator", "OPEN", "c2")
    talk.send("initiator", "ITEM", "c2")
    talk.send("acceptor", "FAIL", "c2", type_str="ValueError")
    statuses = talk.report().clauses
    assert (statuses["CXL-04s"], statuses["ERR-06s"]) == ("not-observed", "not-observed")


def test_a_call_refused_without_an_acknowledgement_shows_no_single_one(talk: Talk) -> None:
    talk.sends(("initiator", "OPEN"), ("acceptor", "FAIL"))
    talk.say("acceptor", None)
    assert talk.report().clauses["OPN-04s"] == "not-observed"


def test_a_cancel_aims_at_the_call_that_was_open_when_it_was_sent(talk: Talk) -> None:
    talk.sends(*UNARY)
    _cancelled(talk)
    talk.sends(("acceptor", "RESULT"), *UNARY)
    assert talk.send("acceptor", "RESULT", "k1", value=False) == []


@pytest.mark.parametrize("kwargs", [{}, {"cid": 5}, {"cid": "c1", "x": 1}, {"CID": "c1"}])
def test_other_kwargs_make_no_cancel(talk: Talk, kwargs: dict[str, Any]) -> None:
    talk.sends(*UNARY)
    talk.send("initiator", "OPEN", "k1", ns="self", func="_cancel_task", kwargs=kwargs)
    talk.send("acceptor", "ACK_ASYNCFUNC", "k1")
    assert talk.send("acceptor", "RESULT", "k1", value=None) == []


def test_an_error_names_a_type(talk: Talk, helpers: type[Helpers]) -> None:
    talk.sends(*UNARY)
    found = talk.send("acceptor", "FAIL", type_str="")
    assert helpers.clauses(found) == [("ERR-02s", "acceptor", "c1", "none")]


def test_a_used_stream_is_ended_before_the_result(talk: Talk, helpers: type[Helpers]) -> None:
    talk.sends(*CONTEXT, ("acceptor", "ITEM"))
    found = talk.send("acceptor", "RESULT")
    assert helpers.clauses(found) == [("STR-07s", "acceptor", "c1", "none")]


@pytest.mark.parametrize("steps", [["RESULT"], ["ITEM", "FAIL"], ["ITEM", "END", "RESULT"]])
def test_an_unused_an_ended_or_a_failed_stream_is_well(talk: Talk, steps: list[str]) -> None:
    talk.sends(*CONTEXT)
    talk.sends(*[("acceptor", step) for step in steps])
    assert talk.report().verdict == "pass"


def test_nesting_beyond_what_every_peer_takes_is_a_warning(talk: Talk, helpers: type[Helpers]) -> None:
    talk.sends(*UNARY)
    found = talk.send("acceptor", "RESULT", value=Raw(b"\x91" * 101 + b"\xc0"))
    assert helpers.clauses(found) == [("ENC-06s", "acceptor", "c1", "none")]
    assert talk.send("initiator", "OPEN", "c2", kwargs={"x": Raw(b"\x91" * 100 + b"\xc0")}) == []


def test_a_longer_hello_is_a_warning(fresh: Talk, helpers: type[Helpers]) -> None:
    found = fresh.say("initiator", ["n", "u", 1])
    assert helpers.clauses(found) == [("EXT-01s", "initiator", None, "none")]
    assert found[0].level == "SHOULD"


def test_not_observed_is_never_a_pass(fresh: Talk) -> None:
    assert set(fresh.report().clauses.values()) == {"not-observed"}
    assert fresh.report().verdict == "nothing-judged"


def test_no_duty_of_a_receiver_passes(talk: Talk) -> None:
    talk.sends(
        *CONTEXT, ("acceptor", "ITEM"), ("initiator", "ITEM"), ("acceptor", "END"), ("acceptor", "RESULT")
    )
    statuses = talk.report().clauses
    assert {status for clause, status in statuses.items() if clause.endswith("r")} == {"not-observed"}
    assert statuses["STR-02s"] == "pass"


def test_a_clause_is_kept_by_the_side_that_had_the_duty(talk: Talk) -> None:
    talk.sends(*UNARY, ("acceptor", "RESULT"))
    sides = talk.report().sides
    assert sides["acceptor"]["OPN-02s"] == "pass"
    assert sides["initiator"]["OPN-02s"] == "not-observed"
    assert sides["initiator"]["OPN-08s"] == "pass"
    assert sides["acceptor"]["OPN-08s"] == "not-observed"


def test_silence_after_a_terminal_counts_once_the_side_goes_on(talk: Talk) -> None:
    talk.sends(*UNARY, ("acceptor", "RESULT"))
    assert talk.report().sides["acceptor"]["TRM-02s"] == "not-observed"
    talk.send("acceptor", "OPEN", "c2")
    assert talk.report().sides["acceptor"]["TRM-02s"] == "pass"
    talk.send("acceptor", "RESULT")
    assert talk.report().sides["acceptor"]["TRM-02s"] == "fail"


def test_keys_and_timestamps_count_only_where_there_are_some(talk: Talk) -> None:
    talk.sends(*CONTEXT)
    talk.send("acceptor", "ITEM", value=5)
    statuses = talk.report().clauses
    assert (statuses["ENC-06s"], statuses["ENC-07s"], statuses["ENC-08s"]) == ("not-observed",) * 3
    talk.send("acceptor", "ITEM", value=[Map(((1, 2),)), Timestamp(0, 0)])
    statuses = talk.report().clauses
    assert (statuses["ENC-06s"], statuses["ENC-07s"], statuses["ENC-08s"]) == ("pass",) * 3


def test_open_calls_are_noted_and_no_finding(talk: Talk) -> None:
    talk.sends(*UNARY)
    report = talk.report()
    assert report.findings == ()
    (note,) = report.notes
    assert (note.cid, note.text) == ("c1", "open at the end of the trace (unary)")
    talk.eof("acceptor")
    (note,) = talk.report().notes
    assert note.text == "ended with its connection, without a terminal (unary)"
