"""The calls of one connection, walked through `call.json` as it stands.

A call is told by its cid alone: both ends open calls in one cid space.
Who is its caller is known from its OPEN.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from iptc_conformance import _specdata

if TYPE_CHECKING:
    from iptc_conformance.trace import Side
    from iptc_conformance.wire import Message

Role = Literal["caller", "callee"]
_ACKS = {"asyncfunc": "ACK_ASYNCFUNC", "asyncgen": "ACK_ASYNCGEN", "context": "ACK_CONTEXT"}


@dataclass(frozen=True, slots=True)
class Target:
    """What a CANCEL aims at, as things stood when it was sent.

    `call` is None for a cid that its side never opened.
    """

    cid: str
    call: Call | None
    was_live: bool


@dataclass(slots=True)
class Call:
    """One call, from its OPEN on.

    `state` is the table's. `over`: the connection ended under it. What the callee did: `acks`, `items` sent,
    `stopped` its half. `blames_caller`: a violation of its caller failed it. `cancelled`: a
    CANCEL aimed at it while it was live. `cancels`: it is a CANCEL, and this is its target.
    """

    cid: str
    opener: Side
    opened_at: int
    state: str
    over: bool = False
    acks: int = 0
    items: int = 0
    stopped: bool = False
    blames_caller: bool = False
    cancelled: bool = False
    cancels: Target | None = None

    @property
    def live(self) -> bool:
        """Whether the cid is taken: the call has had no terminal and its connection goes on."""
        return not self.over and not self.ended

    @property
    def ended(self) -> bool:
        """Whether the call has had its terminal."""
        live: bool = _specdata.call_table()["states"][self.state]["live"]
        return not live

    @property
    def acknowledged(self) -> bool:
        """Whether the callee owes it a terminal: acknowledged, and neither ended nor failed."""
        return self.live and self.state not in {"requested", "failed"}


@dataclass(frozen=True, slots=True)
class Step:
    """A message of a call and the cell of the table that it met."""

    call: Call | None
    role: Role
    event: str
    before: str
    cell: dict[str, Any]

    @property
    def violates(self) -> str | None:
        """The violated clause, or `frame` for the one that the frame itself breaks."""
        clause: str | None = self.cell.get("violates")
        return clause

    @property
    def legal(self) -> bool:
        """Whether the message took effect: neither refused, nor crossed by the end of its call."""
        return "keeps" in self.cell


def event_of(message: Message) -> str:
    """Return the table's event for a message of a call."""
    return _ACKS[message.fields["functype"]] if message.kind == "ACK" else message.kind


def cell_at(state: str, role: Role, event: str) -> dict[str, Any]:
    """Return one cell of the table."""
    cell: dict[str, Any] = _specdata.call_table()["cells"][state][role][event]
    return cell


class Calls:
    """The calls that a connection has seen.

    `keep_ended`: of those that have had their terminal, keep no more than the last so many.
    """

    def __init__(self, keep_ended: int | None = None) -> None:
        self._by_cid: dict[str, Call] = {}
        self._keep_ended = keep_ended
        self._ended: deque[Call] = deque()
        self.forgot = False
        self.unended = 0
        """How many have had no terminal; `forgot`: whether some that had one are no longer known."""

    def get(self, cid: str) -> Call | None:
        """Return the latest call of this cid."""
        return self._by_cid.get(cid)

    def all(self) -> list[Call]:
        """Return the latest call of each cid, in the order in which the cids were first opened."""
        return list(self._by_cid.values())

    def served_by(self, side: Side) -> list[Call]:
        """Return the calls that the other side opened."""
        return [call for call in self.all() if call.opener != side]

    def take(self, side: Side, cid: str, event: str, seq: int) -> Step:
        """Move the call of this cid by one event of this side, and return the cell that it met."""
        call = self.get(cid)
        initial: str = _specdata.call_table()["initial"]
        before = initial if call is None else call.state
        role: Role = "caller" if call is None or call.opener == side else "callee"
        cell = cell_at(before, role, event)
        if event == "OPEN" and "keeps" in cell:
            call = self._by_cid[cid] = Call(cid, side, seq, cell["next"])
            self.unended += 1
        elif call is not None:
            self._move(call, cell.get("next", before))
        return Step(call, role, event, before, cell)

    def fail(self, call: Call) -> None:
        """Fail a call for a violation that the table cannot see."""
        self._move(call, "failed")

    def free(self, call: Call) -> None:
        """End a failed call by the answer of its CANCEL."""
        self._move(call, "draining")

    def end_all(self) -> None:
        """End every call with its connection."""
        for call in self.all():
            call.over = True

    def _move(self, call: Call, state: str) -> None:
        was_ended = call.ended
        call.state = state
        if was_ended or not call.ended:
            return
        self.unended -= 1
        if self._keep_ended is not None:
            self._ended.append(call)
            if len(self._ended) > self._keep_ended:
                self._forget(self._ended.popleft())

    def _forget(self, call: Call) -> None:
        call.cancels = None  # or a chain of CANCELs would keep them all
        if self._by_cid.get(call.cid) is call:
            del self._by_cid[call.cid]
        self.forgot = True
