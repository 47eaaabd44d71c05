"""One connection, judged: two halves walked through `connection.json`, and the calls between them.

Messages of the two sides may cross. So each half is judged by what its own sender could know, and
whatever crossed the end of the connection is left unjudged.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from iptc_conformance import _specdata, wire
from iptc_conformance.judge.calls import Call, Calls, Step, event_of
from iptc_conformance.judge.passive import Breach, Observed, observe_call, observe_frame
from iptc_conformance.judge.report import Finding, Note, Tally
from iptc_conformance.trace import SIDES, Side, TraceEvent, other_side

if TYPE_CHECKING:
    from iptc_conformance.wire import Classified, Message


def _initial() -> str:
    state: str = _specdata.connection_table()["initial"]
    return state


def _about(state: str) -> str:
    text: str = _specdata.connection_table()["states"][state]
    return text


_DETAIL_CHARS = 400


@dataclass(frozen=True, slots=True)
class Memory:
    """How much the judge keeps of one connection; None: everything, which a whole report needs.

    A message for a call that it no longer knows goes unjudged: better no word than a false one.
    `ended_calls`: calls that have had their terminal. `open_calls`: with more of them at once the connection
    is judged no further. `findings`: the last ones, for the report.
    """

    ended_calls: int | None = None
    open_calls: int | None = None
    findings: int | None = None


EVERYTHING = Memory()


@dataclass(slots=True)
class Half:
    """What one side has sent.

    `broken_at`: the seq of its violation with reaction close; what it sends after that is unjudged.
    """

    side: Side
    state: str = field(default_factory=_initial)
    deframer: wire.Deframer = field(default_factory=wire.Deframer)
    uid: tuple[str, str] | None = None
    broken_at: int | None = None
    kept_if_more: set[str] = field(default_factory=set)


class ConnectionJudge:
    """The judge of one connection."""

    def __init__(self, conn: str, memory: Memory = EVERYTHING) -> None:
        self.conn = conn
        self.judged = 0
        self.overwhelmed = False
        """Whether it has more open calls than `memory` lets it keep, and is judged no further."""
        self.findings: list[Finding] = []
        self.tally = Tally()
        self._halves = {side: Half(side) for side in SIDES}
        self._memory = memory
        self._fresh: list[Finding] = []
        self._calls = Calls(memory.ended_calls)
        self._over = False
        self._seq = 0

    def feed(self, event: TraceEvent) -> list[Finding]:
        """Judge one event, and return the findings that it completes."""
        self._seq = event.seq
        self._fresh = []
        if self.overwhelmed:
            return []
        half = self._halves[event.sender]
        if half.broken_at is None:
            self._take(half, event.data or b"")
        if event.eof and not self.overwhelmed:
            self._eof(half)
        self.findings += self._fresh
        if self._memory.findings is not None:
            del self.findings[: max(0, len(self.findings) - self._memory.findings)]
        return self._fresh

    def _take(self, half: Half, data: bytes) -> None:
        """Judge the frames that these bytes complete, until one of them breaks the half."""
        most = self._memory.open_calls
        for cut in half.deframer.feed(data):
            self._frame(half, wire.classify_frame(cut))
            self.overwhelmed = most is not None and self._calls.unended > most
            if half.broken_at is not None or self.overwhelmed:
                half.deframer.drop()
                return

    def live(self, cid: str) -> bool:
        """Whether a call of this cid is open."""
        call = self._calls.get(cid)
        return call is not None and call.live

    def _frame(self, half: Half, seen: Classified) -> None:
        """Judge one frame: first what it is to the connection, then what it is to its call."""
        self.judged += 1
        self._goes_on(half)
        self._show(half, observe_frame(seen))
        cell = self._connection_step(half, seen.event, seen)
        if cell is None:
            return
        if seen.message is not None and seen.message.kind == "HELLO":
            half.uid = (seen.message.fields["name"], seen.message.fields["uuid"])
            half.kept_if_more.add("HSK-03s")
        if cell.get("call") and not self._over:
            self._call(half, seen)
        self._end_calls(half, cell)

    def _eof(self, half: Half) -> None:
        """Take the end of a stream; whatever the other side still sends about calls has crossed it."""
        if half.broken_at is not None:
            self._over_all()
            return
        self._goes_on(half)
        cell = self._connection_step(half, "EOF", None)
        if cell is not None:
            self._end_calls(half, cell)

    def _goes_on(self, half: Half) -> None:
        """Credit what could have been broken until now, and was not."""
        self.tally.keep(half.side, half.kept_if_more)

    def _connection_step(self, half: Half, event: str, seen: Classified | None) -> dict[str, Any] | None:
        """Walk one cell of the connection's table; None if the event violates it."""
        cell: dict[str, Any] = _specdata.connection_table()["cells"][half.state][event]
        state, half.state = half.state, cell["next"]
        if "violates" not in cell:
            if cell.get("calls") != "served-over":
                self.tally.keep(half.side, cell["keeps"])
            return cell
        clause, detail = cell["violates"], f"{event} from a side that {_about(state)}"
        if seen is not None and clause == "frame":
            clause, detail = str(seen.clause), seen.detail
        elif seen is not None and seen.detail:
            detail += f" ({seen.detail})"
        self._find(half, Breach(clause, None, cell["reaction"], detail))
        return None

    def _end_calls(self, half: Half, cell: dict[str, Any]) -> None:
        """Apply what the end of a half means for the calls."""
        effect = cell.get("calls")
        if effect == "all-over":
            self._over_all()
        elif effect == "served-over":
            self._leave(half, cell)

    def _over_all(self) -> None:
        self._over = True
        self._calls.end_all()

    def _leave(self, half: Half, cell: dict[str, Any]) -> None:
        """Judge a GOODBYE: the calls that its sender has acknowledged have their terminals (DSC-02s)."""
        served = self._calls.served_by(half.side)
        owed = [call.cid for call in served if call.acknowledged]
        for call in served:
            call.over = call.over or call.live
        if not owed:
            self.tally.keep(half.side, cell["keeps"])
        elif self._other(half).broken_at is None:
            detail = f"GOODBYE while calls have no terminal: {', '.join(map(repr, owed))}"
            self._find(half, Breach("DSC-02s", None, "close", detail))

    def _call(self, half: Half, seen: Classified) -> None:
        """Judge a message of a call, or a malformed one whose cid can be read."""
        cid = str(seen.cid)
        call = self._calls.get(cid)
        if call is not None and call.over:
            return
        if seen.message is not None:
            self._message(half, seen.message, cid)
            return
        if seen.opens and not self._step(half, cid, "OPEN", seen).legal:
            return
        self._step(half, cid, "MALFORMED", seen)

    def _message(self, half: Half, message: Message, cid: str) -> None:
        """Judge a legal message by the table, then by what else it shows."""
        step = self._step(half, cid, event_of(message), None)
        if not step.legal:
            return
        self._show(half, observe_call(step, message, self._calls))
        if message.kind == "OPEN" and step.call is not None:
            self._check_uid(half, step.call, message)

    def _step(self, half: Half, cid: str, event: str, seen: Classified | None) -> Step:
        """Walk one cell of the calls' table."""
        step = self._calls.take(half.side, cid, event, self._seq)
        if step.violates is not None:
            own = step.violates == "frame" and seen is not None
            clause = str(seen.clause) if own and seen is not None else step.violates
            detail = (
                seen.detail if own and seen is not None else f"{event} by the {step.role} in {step.before}"
            )
            if own or self._can_tell(half, step):
                self._find(half, Breach(clause, cid, step.cell["reaction"], detail))
                self._blame(step)
            if step.cell["reaction"] == "close" and step.call is not None:
                step.call.over = (
                    True  # where its terminal had crossed, the OPEN began another call: nobody can tell
                )
        elif step.legal:
            self.tally.keep(half.side, step.cell["keeps"])
            if event == "OPEN" and step.call is not None and self._other(half).state == "left":
                step.call.over = True  # it crossed the GOODBYE of the side that would serve it
        return step

    def _other(self, half: Half) -> Half:
        return self._halves[other_side(half.side)]

    def _can_tell(self, half: Half, step: Step) -> bool:
        """Tell whether the table's word stands.

        A call that is not known may be one that was forgotten.
        Once the other half is no longer read, what it opened or answered is unknown: then only a callee can
        be judged, whose duties do not hang on it.
        """
        if step.call is None and self._calls.forgot:
            return False
        return step.role == "callee" or self._other(half).broken_at is None

    def _blame(self, step: Step) -> None:
        if step.call is not None and step.role == "caller":
            step.call.blames_caller = True

    def _check_uid(self, half: Half, call: Call, message: Message) -> None:
        """Judge the uid of an OPEN (OPN-08s)."""
        uid = message.fields["uid"]
        if uid == half.uid:
            self.tally.keep(half.side, ["OPN-08s"])
            return
        call.blames_caller = True
        self._calls.fail(call)
        self._find(
            half, Breach("OPN-08s", call.cid, "fail-call", f"uid {uid!r} is not the hello's {half.uid!r}")
        )

    def _show(self, half: Half, shown: Observed) -> None:
        """Take over what a message shows beside the tables."""
        self.tally.keep(half.side, shown.kept)
        self.tally.keep(other_side(half.side), shown.kept_by_other)
        half.kept_if_more |= shown.kept_if_more
        for breach in shown.broken:
            self._find(half, breach)

    def _find(self, half: Half, breach: Breach) -> None:
        level = _specdata.clause_level(breach.clause)
        where = (self._seq, self.conn, half.side, breach.cid)
        detail = breach.detail
        if len(detail) > _DETAIL_CHARS:
            detail = detail[: _DETAIL_CHARS - 1] + "…"
        self._fresh.append(Finding(breach.clause, level, *where, breach.reaction, detail))
        self.tally.broken[half.side].add(breach.clause)
        if breach.reaction == "close":
            half.broken_at = self._seq

    def notes(self) -> list[Note]:
        """Return what is worth knowing at the end of the trace."""
        notes = self._half_notes() + self._call_notes()
        if self.overwhelmed:
            text = f"more than {self._memory.open_calls} calls open at once: judged no further"
            notes.append(Note(self._seq, self.conn, None, None, text))
        return notes

    def _half_notes(self) -> list[Note]:
        notes = []
        for half in self._halves.values():
            if half.broken_at is not None:
                text = "nothing that this side sent after its violation was judged"
                notes.append(Note(half.broken_at, self.conn, half.side, None, text))
            elif half.deframer.pending:
                what = "stream" if half.state == "gone" else "trace"
                text = f"the {what} ends inside a frame, after {half.deframer.pending} of its bytes"
                notes.append(Note(None, self.conn, half.side, None, text))
        return notes

    def _call_notes(self) -> list[Note]:
        notes = []
        for call in self._calls.all():
            text = None
            if call.live:
                text = f"open at the end of the trace ({call.state})"
            elif call.over and not call.ended:
                text = f"ended with its connection, without a terminal ({call.state})"
            if text is not None:
                notes.append(Note(call.opened_at, self.conn, call.opener, call.cid, text))
        return notes
