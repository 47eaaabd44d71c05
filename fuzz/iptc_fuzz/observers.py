"""The codec and the judge, each between two sides, fed with the same chunks."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from iptc_codec import (
    CallEvent,
    Conversation,
    DecodeError,
    Deframer,
    HalfEvent,
    Limits,
    Message,
    Reaction,
    Role,
    Sender,
    State,
    Step,
    decode,
)
from iptc_codec._connection_table import HALF_TABLE
from iptc_conformance.judge import Judge
from iptc_conformance.trace import TraceEvent
from iptc_fuzz.cells import reached

if TYPE_CHECKING:
    from iptc_fuzz.traffic import Chunk, Side

ROLES: dict[Side, Role] = {"initiator": Role.INITIATOR, "acceptor": Role.ACCEPTOR}


class Found(NamedTuple):
    """A violation as both can say it."""

    clause: str
    reaction: str
    cid: str | None


class CodecObserver:
    """The codec's rules, applied to both sides alike."""

    def __init__(self) -> None:
        limits = Limits()
        self._said = Conversation(limits)
        self._deframers = {side: Deframer(limits) for side in ROLES}

    def feed(self, chunk: Chunk) -> list[Found]:
        """Take a chunk; what it violates, up to the first violation that closes."""
        role, deframer = ROLES[chunk.side], self._deframers[chunk.side]
        found = []
        bodies: list[bytes | DecodeError] = [bytes(body) for body in deframer.feed(chunk.data)]
        for body in [*bodies, *([deframer.refused] if deframer.refused else [])]:
            step = self._step(role, body)
            if step.violation:
                violation = step.violation
                found.append(Found(violation.clause, violation.reaction.value, violation.cid))
                if violation.reaction is Reaction.CLOSE:
                    return found
        if chunk.eof:
            self._said.move_half(role, HALF_TABLE[self._said.halves[role], HalfEvent.EOF])
        return found

    def _step(self, role: Role, body: bytes | DecodeError) -> Step:
        message: Message | None = None
        try:
            if isinstance(body, DecodeError):
                raise body
            message = decode(body)
            step = self._said.judge(role, message)
        except DecodeError as error:
            step = self._said.judge_malformed(role, error)
        self._note(role, step, malformed=message is None)
        self._said.take(role, step, message)
        return step

    def _note(self, role: Role, step: Step, *, malformed: bool) -> None:
        """Note which cells of the call table are met."""
        if step.violation:
            reached.clause(step.violation.clause)
        if step.cell is None or step.event is None or step.cell.crossed == "crossed the end":
            return
        calls = self._said.calls
        sender = calls.sender(role, step.cid) or Sender.CALLER
        reached.cell(calls.state(step.cid).value, sender.value, step.event.value)
        if malformed and step.event is CallEvent.OPEN and step.cell.legal:
            reached.cell(State.REQUESTED.value, Sender.CALLER.value, CallEvent.MALFORMED.value)


class JudgeObserver:
    """The judge, of whom only the MUSTs count: what it says of a SHOULD is beside the tables."""

    def __init__(self) -> None:
        self.judge = Judge()
        self._seq = 0

    def feed(self, chunk: Chunk) -> list[Found]:
        """Take a chunk; what it violates."""
        self._seq += 1
        event = TraceEvent(self._seq, "1", chunk.side, chunk.data or None, eof=chunk.eof)
        found = self.judge.feed(event)
        return [Found(each.clause, each.reaction, each.cid) for each in found if each.level == "MUST"]
