"""Codec and judge against every dialogue.

The judge sees both sides in the order of the file. The codec sits at either end: it receives what the other
side sends and sends its own through `send`, which must refuse what the dialogue calls a violation.
"""

from __future__ import annotations

from typing import Any

import pytest

from iptc_codec import (
    Connection,
    ConnectionLost,
    DecodeError,
    Deframer,
    Event,
    GoodbyeReceived,
    Hello,
    HelloReceived,
    Limits,
    LocalProtocolError,
    Message,
    Violation,
    decode,
)
from iptc_conformance.judge import Judge, calls
from iptc_conformance.trace import TraceEvent
from tests.agreement.agreement_ends import ROLES, UIDS, is_must, plain
from tests.agreement.agreement_support import (
    V1,
    Dialogue,
    Side,
    chunkings,
    dialogues,
    load,
    normal,
    other,
    read_independently,
)

DIALOGUES = dialogues()
SEQS = 100_000
SEATS: tuple[Side, Side] = ("initiator", "acceptor")
every_dialogue = pytest.mark.parametrize("dialogue", DIALOGUES, ids=lambda dialogue: dialogue.id)
every_seat = pytest.mark.parametrize("seat", SEATS)
CHUNKINGS = range(3)
"""Whole, byte by byte, at random: the ways of `chunkings`."""


def cut(data: bytes, chunking: int, seed: str) -> list[bytes]:
    ways = chunkings(data, seed)
    return ways[min(chunking, len(ways) - 1)]


# ---- the judge


def judge_trace(dialogue: Dialogue, chunking: int) -> Judge:
    """Return a judge that has seen the dialogue; the seqs of step n begin at n times SEQS."""
    judge = Judge()
    for index, step in enumerate(dialogue.steps):
        seq = index * SEQS
        if "eof" in step:
            judge.feed(TraceEvent(seq, "1", step["from"], None, eof=True))
            continue
        for offset, chunk in enumerate(cut(bytes.fromhex(step["hex"]), chunking, dialogue.id)):
            judge.feed(TraceEvent(seq + offset, "1", step["from"], chunk))
    return judge


@every_dialogue
def test_judge_reaches_the_verdict_in_every_chunking(dialogue: Dialogue) -> None:
    for chunking in CHUNKINGS:
        report = judge_trace(dialogue, chunking).report()
        assert [
            {
                "step": finding.seq // SEQS,
                "clause": finding.clause,
                "side": finding.side,
                "reaction": finding.reaction,
                "cid": finding.cid,
            }
            for finding in report.findings
            if is_must(finding)
        ] == dialogue.violations
        assert [clause for clause in dialogue.kept if report.clauses[clause] != "pass"] == []
        for violation in dialogue.violations:
            assert report.clauses[violation["clause"]] == "fail"


def test_the_dialogues_meet_every_cell_of_the_call_table(monkeypatch: pytest.MonkeyPatch) -> None:
    met = set()
    cell_at = calls.cell_at

    def meet(state: str, role: calls.Role, event: str) -> dict[str, Any]:
        met.add((state, role, event))
        return cell_at(state, role, event)

    monkeypatch.setattr(calls, "cell_at", meet)
    for dialogue in DIALOGUES:
        judge_trace(dialogue, 0)
    every = {
        (state, role, event)
        for state, roles in load(V1 / "call.json")["cells"].items()
        for role, events in roles.items()
        for event in events
        if (state, role) != ("idle", "callee")  # who sends for a cid that nobody has opened is no callee
    }
    assert every - met == set()


# ---- the codec


class Replay:
    """A dialogue lived through at one end, up to the first fault of its own."""

    def __init__(self, dialogue: Dialogue, seat: Side, chunking: int) -> None:
        self.dialogue = dialogue
        self.seat = seat
        self.chunking = chunking
        self.connection = Connection(self._uid(), ROLES[seat])
        self.own = Deframer(Limits())
        self.events: list[Event] = []
        self.at_fault = False
        self.lost = 0

    def _uid(self) -> tuple[str, str]:
        for step in self.dialogue.steps:
            message = step.get("message")
            if step["from"] == self.seat and isinstance(message, list):
                return (message[0], message[1])
        return UIDS[self.seat]

    def run(self) -> Replay:
        for index in self.dialogue.as_lived_by(self.seat):
            step = self.dialogue.steps[index]
            if step["from"] == self.seat:
                self._send(index, step)
            else:
                self._receive(index, step)
            if self.at_fault:
                break
        return self

    def _send(self, index: int, step: dict[str, Any]) -> None:
        """Send a step of our own; a connection that has ended on our side needs no call."""
        expected = self.dialogue.of_step(index)
        if "eof" in step:
            return
        bodies = self.own.feed(bytes.fromhex(step["hex"]))
        if self.own.refused:
            self.at_fault = True
        for body in bodies:
            try:
                message = decode(bytes(body))
            except DecodeError:  # what is no message cannot be sent at all
                assert expected or self.dialogue.violations
                self.at_fault = True
                return
            if not self._send_message(message, expected):
                return
        if expected and not self.at_fault:
            # The end that sent it first could not know.
            assert "sent_before" in step, f"step {index} was sent, and violates {expected}"
            self.at_fault = True

    def _send_message(self, message: Message, expected: list[dict[str, Any]]) -> bool:
        before = (self.connection.local, self.connection.live_calls())
        refused: LocalProtocolError | None = None
        try:
            sent = self.connection.send(message)
        except LocalProtocolError as error:
            refused = error
        if refused is not None:
            assert (refused.clause, refused.cid) in [(one["clause"], one["cid"]) for one in expected], refused
            assert (self.connection.local, self.connection.live_calls()) == before
            self.at_fault = True
            return False
        if not (isinstance(message, Hello) and message.extra):
            assert normal(plain(decode(sent[4:]))) == normal(plain(message))
        return True

    def _receive(self, index: int, step: dict[str, Any]) -> None:
        found: list[Event] = []
        if "eof" in step:
            found = self.connection.receive_eof()
            self.lost += sum(isinstance(event, ConnectionLost) for event in found)
        else:
            for chunk in cut(bytes.fromhex(step["hex"]), self.chunking, self.dialogue.id):
                found += self.connection.receive(chunk)
        self.events += found
        side = other(self.seat)
        assert [
            {
                "step": index,
                "clause": event.clause,
                "side": side,
                "reaction": event.reaction.value,
                "cid": event.cid,
            }
            for event in found
            if isinstance(event, Violation)
        ] == self.dialogue.of_step(index)


@every_seat
@every_dialogue
def test_codec_reaches_the_verdict_in_every_chunking(dialogue: Dialogue, seat: Side) -> None:
    whole, singly, at_random = (Replay(dialogue, seat, chunking).run() for chunking in CHUNKINGS)
    assert whole.at_fault == any(violation["side"] == seat for violation in dialogue.violations)
    assert whole.events == singly.events == at_random.events


@every_seat
@every_dialogue
def test_codec_hands_over_what_was_said(dialogue: Dialogue, seat: Side) -> None:
    """Every call message among the events was said by the other side, as it is, and in its order."""
    bodies = [
        bytes(body)
        for body in Deframer(Limits()).feed(
            b"".join(bytes.fromhex(step.get("hex", "")) for step in dialogue.steps if step["from"] != seat)
        )
    ]
    said = iter([read_independently(body) for body in bodies if is_legal(body)])
    for event in Replay(dialogue, seat, 0).run().events:
        if not isinstance(event, Violation | ConnectionLost | HelloReceived | GoodbyeReceived):
            assert normal(plain(event)) in said


def is_legal(body: bytes) -> bool:
    """Tell whether a body is one legal message."""
    try:
        decode(body)
    except DecodeError:
        return False
    return True
