"""The judge over any chunks and any bytes: the same findings, and never an exception."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hypothesis import given, settings
from hypothesis import strategies as st

from iptc_conformance import wire
from iptc_conformance.judge import Finding, Judge, judge
from iptc_conformance.trace import SIDES, Side, TraceEvent

if TYPE_CHECKING:
    from tests.judge.conftest import Helpers

STEADY = settings(derandomize=True, deadline=None, max_examples=200)
UIDS: dict[Side, list[str]] = {"initiator": ["anna", "u-1"], "acceptor": ["otto", "u-2"]}


def _values() -> list[Any]:
    """Return messages of a few calls, good and bad."""
    values: list[Any] = [None, 5, ["a", "b"], {"error": {"tb_str": "", "type_str": "E"}}, {"x": 1}]
    for cid in ("c1", "c2"):
        values += [{"cmd": ["m", "f", {}, uid, cid]} for uid in UIDS.values()]
        values += [{"functype": kind, "cid": cid} for kind in ("asyncfunc", "asyncgen", "context")]
        values += [{key: 1, "cid": cid} for key in ("started", "yield", "return", "stop")]
        values += [{"stop": True, "cid": cid}, {"error": {"tb_str": "", "type_str": "E"}, "cid": cid}]
        values += [{"cmd": ["self", "_cancel_task", {"cid": cid}, uid, "k" + cid]} for uid in UIDS.values()]
    return values


FRAMES = st.sampled_from([wire.frame(wire.encode(value)) for value in _values()])
ODD = st.sampled_from([b"\x00" * 4, b"\xff" * 4, wire.frame(b"\xc1"), wire.frame(b"\xc0\xc0"), b"\x01"])
STEPS = st.tuples(st.sampled_from(SIDES), st.one_of(FRAMES, FRAMES, FRAMES, FRAMES, ODD))
TALKS = st.lists(STEPS, max_size=30)


def _opening() -> list[tuple[Side, bytes]]:
    return [(side, wire.frame(wire.encode(UIDS[side]))) for side in SIDES]


def _events(chunks: list[tuple[Side, bytes]]) -> list[TraceEvent]:
    return [TraceEvent(seq, "1", side, data) for seq, (side, data) in enumerate(chunks)]


def _without_seq(findings: tuple[Finding, ...]) -> list[tuple[object, ...]]:
    return [(each.clause, each.side, each.cid, each.reaction, each.detail) for each in findings]


@STEADY
@given(TALKS, st.data())
def test_any_chunks_give_the_same_verdict(steps: list[tuple[Side, bytes]], data: st.DataObject) -> None:
    talk = _opening() + steps
    split: list[tuple[Side, bytes]] = []
    for side, frame in talk:
        cut = data.draw(st.integers(0, len(frame)))
        split += [(side, frame[:cut]), (side, frame[cut:])]
    joined: list[tuple[Side, bytes]] = []
    for side, frame in talk:
        if joined and joined[-1][0] == side:
            joined[-1] = (side, joined[-1][1] + frame)
        else:
            joined.append((side, frame))
    single = [(side, bytes([byte])) for side, frame in talk for byte in frame]
    whole = judge(_events(talk))
    for chunks in (split, joined, single):
        other = judge(_events(chunks))
        assert _without_seq(other.findings) == _without_seq(whole.findings)
        assert (other.clauses, other.sides, other.judged) == (whole.clauses, whole.sides, whole.judged)


@STEADY
@given(TALKS)
def test_the_judge_is_a_pure_function(steps: list[tuple[Side, bytes]]) -> None:
    events = _events(_opening() + steps)
    one = Judge()
    fed = [finding for event in events for finding in one.feed(event)]
    assert one.report() == one.report() == judge(events)
    assert tuple(fed) == one.report().findings


@STEADY
@given(st.lists(st.tuples(st.sampled_from(SIDES), st.binary(max_size=30), st.booleans()), max_size=10))
def test_no_bytes_raise_and_a_side_is_closed_at_most_once(chunks: list[tuple[Side, bytes, bool]]) -> None:
    events = [TraceEvent(seq, "1", side, data, eof) for seq, (side, data, eof) in enumerate(chunks)]
    closed = [finding.side for finding in judge(events).findings if finding.reaction == "close"]
    assert len(closed) == len(set(closed))


def test_a_finding_stands_at_the_chunk_that_completes_its_frame(helpers: type[Helpers]) -> None:
    talk = helpers.Talk().hellos()
    frame = wire.frame(wire.encode({"yield": 1, "cid": "c1"}))
    assert talk.data("acceptor", frame[:5]) == []
    assert talk.say("initiator", helpers.message("initiator", "OPEN", "c2")) == []
    (finding,) = talk.data("acceptor", frame[5:] + frame[:2])
    assert (finding.seq, finding.clause) == (4, "CID-04s")
    (header,) = talk.data("acceptor", frame[2:] + b"\xff\xff\xff\xff")[1:]
    assert (header.seq, header.clause) == (5, "FRM-03s")
