"""Target `pair`: two `Connection`s back to back that say whatever each may, while bytes cross on the way.

The input is a row of moves of three bytes: what (bit 0: which end; bit 1: it hears, else it says), and a
number: how many bytes arrive, or which message is tried first.
"""

from __future__ import annotations

from hypothesis import strategies as st

from iptc_codec import (
    Ack,
    Connection,
    End,
    Fail,
    Fatal,
    Goodbye,
    Hello,
    Item,
    LocalProtocolError,
    Message,
    Open,
    Result,
    Role,
    Started,
    Violation,
)
from iptc_fuzz.observers import JudgeObserver
from iptc_fuzz.strategies.messages import UIDS
from iptc_fuzz.traffic import SIDES, Chunk, Side, other

INVARIANTS = """Two ends that say only what the codec lets them never find a violation in each other.
It holds whatever crosses on the way and however it is cut, with FATAL, GOODBYE and the end of a stream.
The judge, seated at either end, finds nothing either."""

_CIDS: dict[Side, tuple[str, ...]] = {"initiator": ("i1", "i2", "i3"), "acceptor": ("a1", "a2")}
_LAST = 0xFF00
"""From here on a number means a farewell."""


def _opens(side: Side) -> list[Message]:
    uid, own = UIDS[side], _CIDS[side]
    every = [cid for cids in _CIDS.values() for cid in cids]
    calls: list[Message] = [Open.of("ns", "f", {}, uid, cid) for cid in own]
    return calls + [Open.of("self", "_cancel_task", {"cid": hit}, uid, cid) for cid in own for hit in every]


def _about(cid: str) -> list[Message]:
    acks: list[Message] = [Ack("asyncfunc", cid), Ack("asyncgen", cid), Ack("context", cid)]
    stream: list[Message] = [Started(1, cid), Item(1, cid), Item("two", cid), End.of(cid), Result(1, cid)]
    return acks + stream + [Fail.of("E", "", cid), Fail.of("StreamOverrun", "", cid)]


CANDIDATES: dict[Side, list[Message]] = {
    side: _opens(side) + [message for cids in _CIDS.values() for cid in cids for message in _about(cid)]
    for side in SIDES
}
_LONGEST = 3 * 120
"""Bytes of moves; more give nothing new, and take long."""

FAREWELLS: tuple[Message, ...] = (Goodbye(), Fatal.of("E", ""))


def inputs() -> st.SearchStrategy[bytes]:
    """Rows of moves."""
    says = st.tuples(st.integers(0, 1), st.integers(0, 255))
    hears = st.tuples(st.integers(2, 3), st.just(0xFFFE) | st.integers(0, 40))
    ends = st.tuples(st.integers(0, 1), st.integers(_LAST, 0xFFFF))
    move = st.one_of(says, says, says, hears, hears)
    rows = st.lists(move, max_size=10) | st.lists(move, min_size=12, max_size=80)
    rarely = st.lists(ends, max_size=2)
    return st.builds(
        lambda row, last, more: _packed(row + last + more), rows, rarely, st.lists(move, max_size=8)
    )


def _packed(row: list[tuple[int, int]]) -> bytes:
    return b"".join(bytes([what]) + number.to_bytes(2, "little") for what, number in row)


def check(data: bytes) -> None:
    """Raise AssertionError where one end, or the judge at its place, finds a violation."""
    wire = _Wire()
    for at in range(0, min(len(data), _LONGEST) - 2, 3):
        side, number = SIDES[data[at] & 1], int.from_bytes(data[at + 1 : at + 3], "little")
        if data[at] & 2:
            wire.deliver(side, number)
        else:
            wire.speak(side, number)
    for side in SIDES:
        wire.deliver(side, 1 << 30)


class _Wire:
    """Two ends, a judge at each, and the bytes on their way to them."""

    def __init__(self) -> None:
        self._ends = {side: Connection(UIDS[side], Role(side)) for side in SIDES}
        self._judges = {side: JudgeObserver() for side in SIDES}
        self._flying = {side: bytearray() for side in SIDES}
        self._ending: dict[Side, bool] = dict.fromkeys(SIDES, False)
        self._gone: dict[Side, bool] = dict.fromkeys(SIDES, False)
        for side in SIDES:
            self._send(side, Hello(*UIDS[side]))

    def speak(self, side: Side, number: int) -> None:
        """Let an end say the first thing that it may, from this one on."""
        if self._ending[side]:
            return
        if number >= _LAST:
            if number % 3 == 2:
                self._ending[side] = True  # its stream ends; it hears on
            else:
                self._send(side, FAREWELLS[number % 3])
            return
        messages = CANDIDATES[side]
        at = number % len(messages)
        any(self._send(side, message) for message in messages[at:] + messages[:at])

    def _send(self, side: Side, message: Message) -> bool:
        try:
            sent = self._ends[side].send(message)
        except LocalProtocolError:
            return False
        self._flying[other(side)] += sent
        self._judged(side, Chunk(side, sent))
        return True

    def deliver(self, side: Side, count: int) -> None:
        """Let bytes arrive at an end; the end of the stream comes with the last."""
        flying = self._flying[side]
        data = bytes(flying[:count])
        del flying[:count]
        last = self._ending[other(side)] and not flying and not self._gone[side]
        if not data and not last:
            return
        events = self._ends[side].receive(data)
        if last:
            self._gone[side] = True
            events += self._ends[side].receive_eof()
        found = [event for event in events if isinstance(event, Violation)]
        assert found == [], f"the {side} finds {found[0]}"
        self._judged(side, Chunk(other(side), data, eof=last))

    def _judged(self, side: Side, chunk: Chunk) -> None:
        found = self._judges[side].feed(chunk)
        assert found == [], f"the judge at the {side} finds {found}"
