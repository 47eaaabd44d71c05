"""Target `seats`: a `Connection` at either end of any conversation, and the judge beside it."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from iptc_codec import (
    Connection,
    DecodeError,
    Deframer,
    Event,
    Fail,
    HalfState,
    Limits,
    LocalProtocolError,
    Message,
    Reaction,
    Sender,
    State,
    Violation,
    decode,
)
from iptc_fuzz.observers import ROLES, Found, JudgeObserver
from iptc_fuzz.strategies import dialogues
from iptc_fuzz.strategies.messages import UIDS
from iptc_fuzz.traffic import SIDES, Chunk, Side, unpack

if TYPE_CHECKING:
    from hypothesis import strategies as st

INVARIANTS = """At either end, what the codec lets us send the judge never faults.
What it finds in what we receive is what the judge finds: clause, reaction, cid, up to what closes.
A refusal changes nothing, and nothing but a protocol error is raised."""

DEEP = "ENC-06r"


def inputs() -> st.SearchStrategy[bytes]:
    """Traffic of both sides."""
    return dialogues.packed_dialogues()


def check(data: bytes) -> None:
    """Raise AssertionError where an end and the judge differ."""
    for seat in SIDES:
        _Seat(seat).live(unpack(data))


class _Seat:
    """One end, which says of its part of the traffic what it may, and hears the rest."""

    def __init__(self, seat: Side) -> None:
        self._seat = seat
        self._end = Connection(UIDS[seat], ROLES[seat])
        self._own = Deframer(Limits())
        self._judge = JudgeObserver()

    def live(self, chunks: list[Chunk]) -> None:
        for chunk in chunks:
            if chunk.side == self._seat:
                for body in self._own.feed(chunk.data):
                    with suppress(DecodeError):
                        self._say(decode(bytes(body)))
            elif self._hear(chunk):
                return

    def _say(self, message: Message) -> None:
        before = (self._end.local, self._end.remote, self._end.live_calls())
        try:
            sent = self._end.send(message)
        except LocalProtocolError:
            assert (self._end.local, self._end.remote, self._end.live_calls()) == before
            return
        found = self._judge.feed(Chunk(self._seat, sent))
        assert found == [], f"we may send {message}, and the judge finds {found}"

    def _hear(self, chunk: Chunk) -> bool:
        """Take a chunk of the other side; whether this is the end."""
        if self._end.remote is HalfState.GONE:
            return True
        events = self._end.receive(chunk.data)
        if chunk.eof:
            events += self._end.receive_eof()
        found = [
            Found(event.clause, event.reaction.value, event.cid)
            for event in events
            if isinstance(event, Violation)
        ]
        if any(one.clause == DEEP for one in found):
            return True  # may be refused; target `frames` says when
        judged = self._judge.feed(chunk)
        assert found == judged, f"codec {found}, judge {judged}, at {chunk}"
        self._answer(events)
        return chunk.eof or any(one.reaction == "close" for one in found)

    def _answer(self, events: list[Event]) -> None:
        """End as their callee the calls that the other side has spoiled (ERR-06s)."""
        for event in events:
            if not isinstance(event, Violation) or event.reaction is not Reaction.FAIL_CALL:
                continue
            ours = event.sender_role is Sender.CALLER and event.cid is not None
            if ours and event.cid and self._end.call_state(event.cid) is State.FAILED:
                self._say(Fail.of("ProtocolError", event.clause, event.cid))
