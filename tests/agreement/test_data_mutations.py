"""Codec against judge on conversations that nobody wrote: dialogues with one step lost, repeated or moved.

Neither has an expectation to lean on here. Both look from between the two sides.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from iptc_codec import Conversation, DecodeError, Deframer, HalfEvent, Limits, Message, Role, decode
from iptc_codec._connection_table import HALF_TABLE
from iptc_conformance.judge import Judge
from iptc_conformance.trace import TraceEvent
from tests.agreement.agreement_ends import ROLES, is_must
from tests.agreement.agreement_support import Dialogue, Side, dialogues

if TYPE_CHECKING:
    from collections.abc import Iterator

Steps = list[dict[str, Any]]


class Found(NamedTuple):
    """A violation as both can say it."""

    step: int
    clause: str
    reaction: str
    cid: str | None
    side: str


class CodecObserver:
    """The codec's conversation, fed with both sides."""

    def __init__(self) -> None:
        self._said = Conversation(Limits())
        self._deframers = {role: Deframer(Limits()) for role in Role}

    def feed(self, index: int, step: dict[str, Any]) -> list[Found]:
        """Take a step, and return what it violates up to the first violation that closes."""
        side = ROLES[step["from"]]
        if "eof" in step:
            self._said.move_half(side, HALF_TABLE[self._said.halves[side], HalfEvent.EOF])
            return []
        deframer = self._deframers[side]
        read = [self._read(bytes(body)) for body in deframer.feed(bytes.fromhex(step["hex"]))]
        found = []
        for one in [*read, *([deframer.refused] if deframer.refused else [])]:
            violation = self._take(side, one)
            if violation:
                clause, reaction, cid = violation
                found.append(Found(index, clause, reaction, cid, step["from"]))
                if reaction == "close":
                    break
        return found

    def _read(self, body: bytes) -> Message | DecodeError:
        try:
            return decode(body)
        except DecodeError as error:
            return error

    def _take(self, side: Role, one: Message | DecodeError) -> tuple[str, str, str | None] | None:
        if isinstance(one, DecodeError):
            step = self._said.judge_malformed(side, one)
            self._said.take(side, step)
        else:
            step = self._said.judge(side, one)
            self._said.take(side, step, one)
        if step.violation is None:
            return None
        return step.violation.clause, step.violation.reaction.value, step.violation.cid


def judge_feed(judge: Judge, index: int, step: dict[str, Any]) -> list[Found]:
    """Have the judge take a step."""
    data = None if "eof" in step else bytes.fromhex(step["hex"])
    return [
        Found(index, finding.clause, finding.reaction, finding.cid, finding.side)
        for finding in judge.feed(TraceEvent(index, "1", step["from"], data, eof="eof" in step))
        if is_must(finding)
    ]


def mutants(dialogue: Dialogue) -> Iterator[tuple[str, Steps]]:
    """Yield the dialogue with one step lost, repeated, swapped with the next, or said by the other side."""
    steps = dialogue.steps
    flip: dict[str, Side] = {"initiator": "acceptor", "acceptor": "initiator"}
    for at, step in enumerate(steps):
        yield f"without {at}", steps[:at] + steps[at + 1 :]
        yield f"{at} twice", steps[: at + 1] + steps[at:]
        yield f"{at} from the other", [*steps[:at], {**step, "from": flip[step["from"]]}, *steps[at + 1 :]]
        if at + 1 < len(steps):
            yield f"{at} after the next", [*steps[:at], steps[at + 1], step, *steps[at + 2 :]]


def disagreement(steps: Steps) -> tuple[list[Found], list[Found]] | None:
    """Return what the codec and the judge find, at the first step on which they differ."""
    observer, judge = CodecObserver(), Judge()
    gone: set[str] = set()
    for index, step in enumerate(steps):
        if step["from"] in gone:
            continue  # a side that is gone says nothing, whatever a mutant has made of it
        if "eof" in step:
            gone.add(step["from"])
        codec_found, judge_found = observer.feed(index, step), judge_feed(judge, index, step)
        if codec_found != judge_found:
            return codec_found, judge_found
        if any(found.reaction == "close" for found in judge_found):
            return None  # what the other side still says, neither has to judge
    return None


@pytest.mark.parametrize("dialogue", dialogues(), ids=lambda dialogue: dialogue.id)
def test_codec_and_judge_agree_on_every_mutant(dialogue: Dialogue) -> None:
    differ = {what: found for what, steps in mutants(dialogue) if (found := disagreement(steps))}
    assert differ == {}
