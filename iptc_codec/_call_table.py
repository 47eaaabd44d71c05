"""The life of a call: where every event in every state leads.

GENERATED from spec/v1/call.json by tools/generate.py: edit the specification, not this file.
"""

from __future__ import annotations

from enum import Enum
from typing import Final, NamedTuple


class State(Enum):
    """A state of a call."""

    IDLE = "idle"
    """No call has this cid."""
    REQUESTED = "requested"
    """Opened, not yet acknowledged."""
    UNARY = "unary"
    """Acknowledged as asyncfunc: one RESULT or FAIL will end it."""
    GENERATOR = "generator"
    """Acknowledged as asyncgen: items, then END or FAIL."""
    STARTING = "starting"
    """Acknowledged as context: STARTED or FAIL comes next."""
    OPEN = "open"
    """Context, both halves open."""
    CALLEE_STOPPED = "callee-stopped"
    """Context, the callee has closed its half."""
    CALLER_STOPPED = "caller-stopped"
    """Context, the caller has closed its half."""
    BOTH_STOPPED = "both-stopped"
    """Context, both halves closed, the terminal is still to come."""
    DRAINING = "draining"
    """Ended by the callee's terminal while the caller's half was open: what the caller sent before it knew may still come."""
    DONE = "done"
    """Ended, and both halves closed."""
    FAILED = "failed"
    """A violation has failed the call at its receiver; the callee's terminal may still come, a FAIL if it has not been sent yet."""

    __hash__ = object.__hash__


class Sender(Enum):
    """Which end of a call sends."""

    CALLER = "caller"
    CALLEE = "callee"

    __hash__ = object.__hash__


class CallEvent(Enum):
    """What the call table sees of a message."""

    OPEN = "OPEN"
    """A call begins."""
    ACK_ASYNCFUNC = "ACK_ASYNCFUNC"
    """Acknowledged as a unary call."""
    ACK_ASYNCGEN = "ACK_ASYNCGEN"
    """Acknowledged as a generator."""
    ACK_CONTEXT = "ACK_CONTEXT"
    """Acknowledged as a context."""
    STARTED = "STARTED"
    """The first value of a context."""
    ITEM = "ITEM"
    """An item of a stream."""
    END = "END"
    """The sender's half of the stream is closed; the terminal of a generator."""
    RESULT = "RESULT"
    """The terminal of a unary call or a context."""
    FAIL = "FAIL"
    """The terminal of a call that failed; from the caller: it closes its half and asks the callee to give up."""
    OVERRUN = "OVERRUN"
    """Notice: the receiver of items has dropped some."""
    MALFORMED = "MALFORMED"
    """A frame that is no legal message, but whose cid can be read; `frame` stands for the clause that the frame itself violates."""

    __hash__ = object.__hash__


class Reaction(Enum):
    """What a violation costs."""

    DROP = "drop"
    """The message is dropped and reported; the call goes on."""
    FAIL_CALL = "fail-call"
    """The receiver fails the call locally and frees the other end: by CANCEL, or by its terminal."""
    CLOSE = "close"
    """The receiver closes the connection."""

    __hash__ = object.__hash__


class Breach(NamedTuple):
    """A violation: its clause (`frame`: the one that the frame itself breaks) and what it costs."""

    clause: str
    reaction: Reaction


class Cell(NamedTuple):
    """One cell of the call table: where it leads, and what is wrong with the message, if anything.

    `crossed` says why a message is ignored: it was in flight when the call ended. Nobody may send it
    knowingly.
    """

    next: State
    breach: Breach | None = None
    crossed: str | None = None

    @property
    def legal(self) -> bool:
        """Whether the message takes effect, and may be sent."""
        return self.breach is None and self.crossed is None


INITIAL: Final = State.IDLE

# fmt: off
LIVE: Final = frozenset({State.REQUESTED, State.UNARY, State.GENERATOR, State.STARTING, State.OPEN, State.CALLEE_STOPPED, State.CALLER_STOPPED, State.BOTH_STOPPED, State.FAILED})

CALL_TABLE: Final[dict[tuple[State, Sender, CallEvent], Cell]] = {
    (State.IDLE, Sender.CALLER, CallEvent.OPEN): Cell(State.REQUESTED),
    (State.IDLE, Sender.CALLER, CallEvent.ACK_ASYNCFUNC): Cell(State.IDLE, Breach("CID-04s", Reaction.DROP)),
    (State.IDLE, Sender.CALLER, CallEvent.ACK_ASYNCGEN): Cell(State.IDLE, Breach("CID-04s", Reaction.DROP)),
    (State.IDLE, Sender.CALLER, CallEvent.ACK_CONTEXT): Cell(State.IDLE, Breach("CID-04s", Reaction.DROP)),
    (State.IDLE, Sender.CALLER, CallEvent.STARTED): Cell(State.IDLE, Breach("CID-04s", Reaction.DROP)),
    (State.IDLE, Sender.CALLER, CallEvent.ITEM): Cell(State.IDLE, Breach("CID-04s", Reaction.DROP)),
    (State.IDLE, Sender.CALLER, CallEvent.END): Cell(State.IDLE, Breach("CID-04s", Reaction.DROP)),
    (State.IDLE, Sender.CALLER, CallEvent.RESULT): Cell(State.IDLE, Breach("CID-04s", Reaction.DROP)),
    (State.IDLE, Sender.CALLER, CallEvent.FAIL): Cell(State.IDLE, Breach("CID-04s", Reaction.DROP)),
    (State.IDLE, Sender.CALLER, CallEvent.OVERRUN): Cell(State.IDLE, Breach("CID-04s", Reaction.DROP)),
    (State.IDLE, Sender.CALLER, CallEvent.MALFORMED): Cell(State.IDLE, Breach("frame", Reaction.DROP)),
    (State.IDLE, Sender.CALLEE, CallEvent.OPEN): Cell(State.IDLE, Breach("CID-03s", Reaction.CLOSE)),
    (State.IDLE, Sender.CALLEE, CallEvent.ACK_ASYNCFUNC): Cell(State.IDLE, Breach("CID-04s", Reaction.DROP)),
    (State.IDLE, Sender.CALLEE, CallEvent.ACK_ASYNCGEN): Cell(State.IDLE, Breach("CID-04s", Reaction.DROP)),
    (State.IDLE, Sender.CALLEE, CallEvent.ACK_CONTEXT): Cell(State.IDLE, Breach("CID-04s", Reaction.DROP)),
    (State.IDLE, Sender.CALLEE, CallEvent.STARTED): Cell(State.IDLE, Breach("CID-04s", Reaction.DROP)),
    (State.IDLE, Sender.CALLEE, CallEvent.ITEM): Cell(State.IDLE, Breach("CID-04s", Reaction.DROP)),
    (State.IDLE, Sender.CALLEE, CallEvent.END): Cell(State.IDLE, Breach("CID-04s", Reaction.DROP)),
    (State.IDLE, Sender.CALLEE, CallEvent.RESULT): Cell(State.IDLE, Breach("CID-04s", Reaction.DROP)),
    (State.IDLE, Sender.CALLEE, CallEvent.FAIL): Cell(State.IDLE, Breach("CID-04s", Reaction.DROP)),
    (State.IDLE, Sender.CALLEE, CallEvent.OVERRUN): Cell(State.IDLE, Breach("CID-04s", Reaction.DROP)),
    (State.IDLE, Sender.CALLEE, CallEvent.MALFORMED): Cell(State.IDLE, Breach("frame", Reaction.DROP)),
    (State.REQUESTED, Sender.CALLER, CallEvent.OPEN): Cell(State.REQUESTED, Breach("CID-02s", Reaction.CLOSE)),
    (State.REQUESTED, Sender.CALLER, CallEvent.ACK_ASYNCFUNC): Cell(State.FAILED, Breach("OPN-09s", Reaction.FAIL_CALL)),
    (State.REQUESTED, Sender.CALLER, CallEvent.ACK_ASYNCGEN): Cell(State.FAILED, Breach("OPN-09s", Reaction.FAIL_CALL)),
    (State.REQUESTED, Sender.CALLER, CallEvent.ACK_CONTEXT): Cell(State.FAILED, Breach("OPN-09s", Reaction.FAIL_CALL)),
    (State.REQUESTED, Sender.CALLER, CallEvent.STARTED): Cell(State.FAILED, Breach("OPN-09s", Reaction.FAIL_CALL)),
    (State.REQUESTED, Sender.CALLER, CallEvent.ITEM): Cell(State.FAILED, Breach("CTX-04s", Reaction.FAIL_CALL)),
    (State.REQUESTED, Sender.CALLER, CallEvent.END): Cell(State.FAILED, Breach("CTX-04s", Reaction.FAIL_CALL)),
    (State.REQUESTED, Sender.CALLER, CallEvent.RESULT): Cell(State.FAILED, Breach("OPN-09s", Reaction.FAIL_CALL)),
    (State.REQUESTED, Sender.CALLER, CallEvent.FAIL): Cell(State.FAILED, Breach("CTX-04s", Reaction.FAIL_CALL)),
    (State.REQUESTED, Sender.CALLER, CallEvent.OVERRUN): Cell(State.REQUESTED, Breach("FLW-03s", Reaction.DROP)),
    (State.REQUESTED, Sender.CALLER, CallEvent.MALFORMED): Cell(State.FAILED, Breach("frame", Reaction.FAIL_CALL)),
    (State.REQUESTED, Sender.CALLEE, CallEvent.OPEN): Cell(State.REQUESTED, Breach("CID-02s", Reaction.CLOSE)),
    (State.REQUESTED, Sender.CALLEE, CallEvent.ACK_ASYNCFUNC): Cell(State.UNARY),
    (State.REQUESTED, Sender.CALLEE, CallEvent.ACK_ASYNCGEN): Cell(State.GENERATOR),
    (State.REQUESTED, Sender.CALLEE, CallEvent.ACK_CONTEXT): Cell(State.STARTING),
    (State.REQUESTED, Sender.CALLEE, CallEvent.STARTED): Cell(State.FAILED, Breach("OPN-03s", Reaction.FAIL_CALL)),
    (State.REQUESTED, Sender.CALLEE, CallEvent.ITEM): Cell(State.FAILED, Breach("OPN-03s", Reaction.FAIL_CALL)),
    (State.REQUESTED, Sender.CALLEE, CallEvent.END): Cell(State.FAILED, Breach("OPN-03s", Reaction.FAIL_CALL)),
    (State.REQUESTED, Sender.CALLEE, CallEvent.RESULT): Cell(State.FAILED, Breach("OPN-03s", Reaction.FAIL_CALL)),
    (State.REQUESTED, Sender.CALLEE, CallEvent.FAIL): Cell(State.DONE),
    (State.REQUESTED, Sender.CALLEE, CallEvent.OVERRUN): Cell(State.FAILED, Breach("ERR-05s", Reaction.FAIL_CALL)),
    (State.REQUESTED, Sender.CALLEE, CallEvent.MALFORMED): Cell(State.FAILED, Breach("frame", Reaction.FAIL_CALL)),
    (State.UNARY, Sender.CALLER, CallEvent.OPEN): Cell(State.UNARY, Breach("CID-02s", Reaction.CLOSE)),
    (State.UNARY, Sender.CALLER, CallEvent.ACK_ASYNCFUNC): Cell(State.FAILED, Breach("OPN-09s", Reaction.FAIL_CALL)),
    (State.UNARY, Sender.CALLER, CallEvent.ACK_ASYNCGEN): Cell(State.FAILED, Breach("OPN-09s", Reaction.FAIL_CALL)),
    (State.UNARY, Sender.CALLER, CallEvent.ACK_CONTEXT): Cell(State.FAILED, Breach("OPN-09s", Reaction.FAIL_CALL)),
    (State.UNARY, Sender.CALLER, CallEvent.STARTED): Cell(State.FAILED, Breach("OPN-09s", Reaction.FAIL_CALL)),
    (State.UNARY, Sender.CALLER, CallEvent.ITEM): Cell(State.FAILED, Breach("STR-04s", Reaction.FAIL_CALL)),
    (State.UNARY, Sender.CALLER, CallEvent.END): Cell(State.FAILED, Breach("STR-04s", Reaction.FAIL_CALL)),
    (State.UNARY, Sender.CALLER, CallEvent.RESULT): Cell(State.FAILED, Breach("OPN-09s", Reaction.FAIL_CALL)),
    (State.UNARY, Sender.CALLER, CallEvent.FAIL): Cell(State.FAILED, Breach("STR-04s", Reaction.FAIL_CALL)),
    (State.UNARY, Sender.CALLER, CallEvent.OVERRUN): Cell(State.UNARY, Breach("FLW-03s", Reaction.DROP)),
    (State.UNARY, Sender.CALLER, CallEvent.MALFORMED): Cell(State.FAILED, Breach("frame", Reaction.FAIL_CALL)),
    (State.UNARY, Sender.CALLEE, CallEvent.OPEN): Cell(State.UNARY, Breach("CID-02s", Reaction.CLOSE)),
    (State.UNARY, Sender.CALLEE, CallEvent.ACK_ASYNCFUNC): Cell(State.UNARY, Breach("OPN-04s", Reaction.DROP)),
    (State.UNARY, Sender.CALLEE, CallEvent.ACK_ASYNCGEN): Cell(State.FAILED, Breach("OPN-04s", Reaction.FAIL_CALL)),
    (State.UNARY, Sender.CALLEE, CallEvent.ACK_CONTEXT): Cell(State.FAILED, Breach("OPN-04s", Reaction.FAIL_CALL)),
    (State.UNARY, Sender.CALLEE, CallEvent.STARTED): Cell(State.FAILED, Breach("CTX-03s", Reaction.FAIL_CALL)),
    (State.UNARY, Sender.CALLEE, CallEvent.ITEM): Cell(State.FAILED, Breach("STR-01s", Reaction.FAIL_CALL)),
    (State.UNARY, Sender.CALLEE, CallEvent.END): Cell(State.FAILED, Breach("TRM-04s", Reaction.FAIL_CALL)),
    (State.UNARY, Sender.CALLEE, CallEvent.RESULT): Cell(State.DONE),
    (State.UNARY, Sender.CALLEE, CallEvent.FAIL): Cell(State.DONE),
    (State.UNARY, Sender.CALLEE, CallEvent.OVERRUN): Cell(State.FAILED, Breach("ERR-05s", Reaction.FAIL_CALL)),
    (State.UNARY, Sender.CALLEE, CallEvent.MALFORMED): Cell(State.FAILED, Breach("frame", Reaction.FAIL_CALL)),
    (State.GENERATOR, Sender.CALLER, CallEvent.OPEN): Cell(State.GENERATOR, Breach("CID-02s", Reaction.CLOSE)),
    (State.GENERATOR, Sender.CALLER, CallEvent.ACK_ASYNCFUNC): Cell(State.FAILED, Breach("OPN-09s", Reaction.FAIL_CALL)),
    (State.GENERATOR, Sender.CALLER, CallEvent.ACK_ASYNCGEN): Cell(State.FAILED, Breach("OPN-09s", Reaction.FAIL_CALL)),
    (State.GENERATOR, Sender.CALLER, CallEvent.ACK_CONTEXT): Cell(State.FAILED, Breach("OPN-09s", Reaction.FAIL_CALL)),
    (State.GENERATOR, Sender.CALLER, CallEvent.STARTED): Cell(State.FAILED, Breach("OPN-09s", Reaction.FAIL_CALL)),
    (State.GENERATOR, Sender.CALLER, CallEvent.ITEM): Cell(State.FAILED, Breach("STR-04s", Reaction.FAIL_CALL)),
    (State.GENERATOR, Sender.CALLER, CallEvent.END): Cell(State.FAILED, Breach("STR-04s", Reaction.FAIL_CALL)),
    (State.GENERATOR, Sender.CALLER, CallEvent.RESULT): Cell(State.FAILED, Breach("OPN-09s", Reaction.FAIL_CALL)),
    (State.GENERATOR, Sender.CALLER, CallEvent.FAIL): Cell(State.FAILED, Breach("STR-04s", Reaction.FAIL_CALL)),
    (State.GENERATOR, Sender.CALLER, CallEvent.OVERRUN): Cell(State.GENERATOR),
    (State.GENERATOR, Sender.CALLER, CallEvent.MALFORMED): Cell(State.FAILED, Breach("frame", Reaction.FAIL_CALL)),
    (State.GENERATOR, Sender.CALLEE, CallEvent.OPEN): Cell(State.GENERATOR, Breach("CID-02s", Reaction.CLOSE)),
    (State.GENERATOR, Sender.CALLEE, CallEvent.ACK_ASYNCFUNC): Cell(State.FAILED, Breach("OPN-04s", Reaction.FAIL_CALL)),
    (State.GENERATOR, Sender.CALLEE, CallEvent.ACK_ASYNCGEN): Cell(State.GENERATOR, Breach("OPN-04s", Reaction.DROP)),
    (State.GENERATOR, Sender.CALLEE, CallEvent.ACK_CONTEXT): Cell(State.FAILED, Breach("OPN-04s", Reaction.FAIL_CALL)),
    (State.GENERATOR, Sender.CALLEE, CallEvent.STARTED): Cell(State.FAILED, Breach("CTX-03s", Reaction.FAIL_CALL)),
    (State.GENERATOR, Sender.CALLEE, CallEvent.ITEM): Cell(State.GENERATOR),
    (State.GENERATOR, Sender.CALLEE, CallEvent.END): Cell(State.DONE),
    (State.GENERATOR, Sender.CALLEE, CallEvent.RESULT): Cell(State.DONE, Breach("TRM-04s", Reaction.FAIL_CALL)),
    (State.GENERATOR, Sender.CALLEE, CallEvent.FAIL): Cell(State.DONE),
    (State.GENERATOR, Sender.CALLEE, CallEvent.OVERRUN): Cell(State.FAILED, Breach("ERR-05s", Reaction.FAIL_CALL)),
    (State.GENERATOR, Sender.CALLEE, CallEvent.MALFORMED): Cell(State.FAILED, Breach("frame", Reaction.FAIL_CALL)),
    (State.STARTING, Sender.CALLER, CallEvent.OPEN): Cell(State.STARTING, Breach("CID-02s", Reaction.CLOSE)),
    (State.STARTING, Sender.CALLER, CallEvent.ACK_ASYNCFUNC): Cell(State.FAILED, Breach("OPN-09s", Reaction.FAIL_CALL)),
    (State.STARTING, Sender.CALLER, CallEvent.ACK_ASYNCGEN): Cell(State.FAILED, Breach("OPN-09s", Reaction.FAIL_CALL)),
    (State.STARTING, Sender.CALLER, CallEvent.ACK_CONTEXT): Cell(State.FAILED, Breach("OPN-09s", Reaction.FAIL_CALL)),
    (State.STARTING, Sender.CALLER, CallEvent.STARTED): Cell(State.FAILED, Breach("OPN-09s", Reaction.FAIL_CALL)),
    (State.STARTING, Sender.CALLER, CallEvent.ITEM): Cell(State.FAILED, Breach("CTX-04s", Reaction.FAIL_CALL)),
    (State.STARTING, Sender.CALLER, CallEvent.END): Cell(State.FAILED, Breach("CTX-04s", Reaction.FAIL_CALL)),
    (State.STARTING, Sender.CALLER, CallEvent.RESULT): Cell(State.FAILED, Breach("OPN-09s", Reaction.FAIL_CALL)),
    (State.STARTING, Sender.CALLER, CallEvent.FAIL): Cell(State.FAILED, Breach("CTX-04s", Reaction.FAIL_CALL)),
    (State.STARTING, Sender.CALLER, CallEvent.OVERRUN): Cell(State.STARTING, Breach("FLW-03s", Reaction.DROP)),
    (State.STARTING, Sender.CALLER, CallEvent.MALFORMED): Cell(State.FAILED, Breach("frame", Reaction.FAIL_CALL)),
    (State.STARTING, Sender.CALLEE, CallEvent.OPEN): Cell(State.STARTING, Breach("CID-02s", Reaction.CLOSE)),
    (State.STARTING, Sender.CALLEE, CallEvent.ACK_ASYNCFUNC): Cell(State.FAILED, Breach("OPN-04s", Reaction.FAIL_CALL)),
    (State.STARTING, Sender.CALLEE, CallEvent.ACK_ASYNCGEN): Cell(State.FAILED, Breach("OPN-04s", Reaction.FAIL_CALL)),
    (State.STARTING, Sender.CALLEE, CallEvent.ACK_CONTEXT): Cell(State.STARTING, Breach("OPN-04s", Reaction.DROP)),
    (State.STARTING, Sender.CALLEE, CallEvent.STARTED): Cell(State.OPEN),
    (State.STARTING, Sender.CALLEE, CallEvent.ITEM): Cell(State.FAILED, Breach("CTX-01s", Reaction.FAIL_CALL)),
    (State.STARTING, Sender.CALLEE, CallEvent.END): Cell(State.FAILED, Breach("CTX-01s", Reaction.FAIL_CALL)),
    (State.STARTING, Sender.CALLEE, CallEvent.RESULT): Cell(State.DONE, Breach("CTX-01s", Reaction.FAIL_CALL)),
    (State.STARTING, Sender.CALLEE, CallEvent.FAIL): Cell(State.DONE),
    (State.STARTING, Sender.CALLEE, CallEvent.OVERRUN): Cell(State.FAILED, Breach("ERR-05s", Reaction.FAIL_CALL)),
    (State.STARTING, Sender.CALLEE, CallEvent.MALFORMED): Cell(State.FAILED, Breach("frame", Reaction.FAIL_CALL)),
    (State.OPEN, Sender.CALLER, CallEvent.OPEN): Cell(State.OPEN, Breach("CID-02s", Reaction.CLOSE)),
    (State.OPEN, Sender.CALLER, CallEvent.ACK_ASYNCFUNC): Cell(State.FAILED, Breach("OPN-09s", Reaction.FAIL_CALL)),
    (State.OPEN, Sender.CALLER, CallEvent.ACK_ASYNCGEN): Cell(State.FAILED, Breach("OPN-09s", Reaction.FAIL_CALL)),
    (State.OPEN, Sender.CALLER, CallEvent.ACK_CONTEXT): Cell(State.FAILED, Breach("OPN-09s", Reaction.FAIL_CALL)),
    (State.OPEN, Sender.CALLER, CallEvent.STARTED): Cell(State.FAILED, Breach("OPN-09s", Reaction.FAIL_CALL)),
    (State.OPEN, Sender.CALLER, CallEvent.ITEM): Cell(State.OPEN),
    (State.OPEN, Sender.CALLER, CallEvent.END): Cell(State.CALLER_STOPPED),
    (State.OPEN, Sender.CALLER, CallEvent.RESULT): Cell(State.FAILED, Breach("OPN-09s", Reaction.FAIL_CALL)),
    (State.OPEN, Sender.CALLER, CallEvent.FAIL): Cell(State.CALLER_STOPPED),
    (State.OPEN, Sender.CALLER, CallEvent.OVERRUN): Cell(State.OPEN),
    (State.OPEN, Sender.CALLER, CallEvent.MALFORMED): Cell(State.FAILED, Breach("frame", Reaction.FAIL_CALL)),
    (State.OPEN, Sender.CALLEE, CallEvent.OPEN): Cell(State.OPEN, Breach("CID-02s", Reaction.CLOSE)),
    (State.OPEN, Sender.CALLEE, CallEvent.ACK_ASYNCFUNC): Cell(State.FAILED, Breach("OPN-04s", Reaction.FAIL_CALL)),
    (State.OPEN, Sender.CALLEE, CallEvent.ACK_ASYNCGEN): Cell(State.FAILED, Breach("OPN-04s", Reaction.FAIL_CALL)),
    (State.OPEN, Sender.CALLEE, CallEvent.ACK_CONTEXT): Cell(State.OPEN, Breach("OPN-04s", Reaction.DROP)),
    (State.OPEN, Sender.CALLEE, CallEvent.STARTED): Cell(State.OPEN, Breach("CTX-02s", Reaction.DROP)),
    (State.OPEN, Sender.CALLEE, CallEvent.ITEM): Cell(State.OPEN),
    (State.OPEN, Sender.CALLEE, CallEvent.END): Cell(State.CALLEE_STOPPED),
    (State.OPEN, Sender.CALLEE, CallEvent.RESULT): Cell(State.DRAINING),
    (State.OPEN, Sender.CALLEE, CallEvent.FAIL): Cell(State.DRAINING),
    (State.OPEN, Sender.CALLEE, CallEvent.OVERRUN): Cell(State.OPEN),
    (State.OPEN, Sender.CALLEE, CallEvent.MALFORMED): Cell(State.FAILED, Breach("frame", Reaction.FAIL_CALL)),
    (State.CALLEE_STOPPED, Sender.CALLER, CallEvent.OPEN): Cell(State.CALLEE_STOPPED, Breach("CID-02s", Reaction.CLOSE)),
    (State.CALLEE_STOPPED, Sender.CALLER, CallEvent.ACK_ASYNCFUNC): Cell(State.FAILED, Breach("OPN-09s", Reaction.FAIL_CALL)),
    (State.CALLEE_STOPPED, Sender.CALLER, CallEvent.ACK_ASYNCGEN): Cell(State.FAILED, Breach("OPN-09s", Reaction.FAIL_CALL)),
    (State.CALLEE_STOPPED, Sender.CALLER, CallEvent.ACK_CONTEXT): Cell(State.FAILED, Breach("OPN-09s", Reaction.FAIL_CALL)),
    (State.CALLEE_STOPPED, Sender.CALLER, CallEvent.STARTED): Cell(State.FAILED, Breach("OPN-09s", Reaction.FAIL_CALL)),
    (State.CALLEE_STOPPED, Sender.CALLER, CallEvent.ITEM): Cell(State.CALLEE_STOPPED),
    (State.CALLEE_STOPPED, Sender.CALLER, CallEvent.END): Cell(State.BOTH_STOPPED),
    (State.CALLEE_STOPPED, Sender.CALLER, CallEvent.RESULT): Cell(State.FAILED, Breach("OPN-09s", Reaction.FAIL_CALL)),
    (State.CALLEE_STOPPED, Sender.CALLER, CallEvent.FAIL): Cell(State.BOTH_STOPPED),
    (State.CALLEE_STOPPED, Sender.CALLER, CallEvent.OVERRUN): Cell(State.CALLEE_STOPPED),
    (State.CALLEE_STOPPED, Sender.CALLER, CallEvent.MALFORMED): Cell(State.FAILED, Breach("frame", Reaction.FAIL_CALL)),
    (State.CALLEE_STOPPED, Sender.CALLEE, CallEvent.OPEN): Cell(State.CALLEE_STOPPED, Breach("CID-02s", Reaction.CLOSE)),
    (State.CALLEE_STOPPED, Sender.CALLEE, CallEvent.ACK_ASYNCFUNC): Cell(State.FAILED, Breach("OPN-04s", Reaction.FAIL_CALL)),
    (State.CALLEE_STOPPED, Sender.CALLEE, CallEvent.ACK_ASYNCGEN): Cell(State.FAILED, Breach("OPN-04s", Reaction.FAIL_CALL)),
    (State.CALLEE_STOPPED, Sender.CALLEE, CallEvent.ACK_CONTEXT): Cell(State.CALLEE_STOPPED, Breach("OPN-04s", Reaction.DROP)),
    (State.CALLEE_STOPPED, Sender.CALLEE, CallEvent.STARTED): Cell(State.CALLEE_STOPPED, Breach("CTX-02s", Reaction.DROP)),
    (State.CALLEE_STOPPED, Sender.CALLEE, CallEvent.ITEM): Cell(State.CALLEE_STOPPED, Breach("STR-02s", Reaction.DROP)),
    (State.CALLEE_STOPPED, Sender.CALLEE, CallEvent.END): Cell(State.CALLEE_STOPPED, Breach("STR-03s", Reaction.DROP)),
    (State.CALLEE_STOPPED, Sender.CALLEE, CallEvent.RESULT): Cell(State.DRAINING),
    (State.CALLEE_STOPPED, Sender.CALLEE, CallEvent.FAIL): Cell(State.DRAINING),
    (State.CALLEE_STOPPED, Sender.CALLEE, CallEvent.OVERRUN): Cell(State.CALLEE_STOPPED),
    (State.CALLEE_STOPPED, Sender.CALLEE, CallEvent.MALFORMED): Cell(State.FAILED, Breach("frame", Reaction.FAIL_CALL)),
    (State.CALLER_STOPPED, Sender.CALLER, CallEvent.OPEN): Cell(State.CALLER_STOPPED, Breach("CID-02s", Reaction.CLOSE)),
    (State.CALLER_STOPPED, Sender.CALLER, CallEvent.ACK_ASYNCFUNC): Cell(State.FAILED, Breach("OPN-09s", Reaction.FAIL_CALL)),
    (State.CALLER_STOPPED, Sender.CALLER, CallEvent.ACK_ASYNCGEN): Cell(State.FAILED, Breach("OPN-09s", Reaction.FAIL_CALL)),
    (State.CALLER_STOPPED, Sender.CALLER, CallEvent.ACK_CONTEXT): Cell(State.FAILED, Breach("OPN-09s", Reaction.FAIL_CALL)),
    (State.CALLER_STOPPED, Sender.CALLER, CallEvent.STARTED): Cell(State.FAILED, Breach("OPN-09s", Reaction.FAIL_CALL)),
    (State.CALLER_STOPPED, Sender.CALLER, CallEvent.ITEM): Cell(State.CALLER_STOPPED, Breach("STR-02s", Reaction.DROP)),
    (State.CALLER_STOPPED, Sender.CALLER, CallEvent.END): Cell(State.CALLER_STOPPED, Breach("STR-03s", Reaction.DROP)),
    (State.CALLER_STOPPED, Sender.CALLER, CallEvent.RESULT): Cell(State.FAILED, Breach("OPN-09s", Reaction.FAIL_CALL)),
    (State.CALLER_STOPPED, Sender.CALLER, CallEvent.FAIL): Cell(State.CALLER_STOPPED, Breach("STR-03s", Reaction.DROP)),
    (State.CALLER_STOPPED, Sender.CALLER, CallEvent.OVERRUN): Cell(State.CALLER_STOPPED),
    (State.CALLER_STOPPED, Sender.CALLER, CallEvent.MALFORMED): Cell(State.FAILED, Breach("frame", Reaction.FAIL_CALL)),
    (State.CALLER_STOPPED, Sender.CALLEE, CallEvent.OPEN): Cell(State.CALLER_STOPPED, Breach("CID-02s", Reaction.CLOSE)),
    (State.CALLER_STOPPED, Sender.CALLEE, CallEvent.ACK_ASYNCFUNC): Cell(State.FAILED, Breach("OPN-04s", Reaction.FAIL_CALL)),
    (State.CALLER_STOPPED, Sender.CALLEE, CallEvent.ACK_ASYNCGEN): Cell(State.FAILED, Breach("OPN-04s", Reaction.FAIL_CALL)),
    (State.CALLER_STOPPED, Sender.CALLEE, CallEvent.ACK_CONTEXT): Cell(State.CALLER_STOPPED, Breach("OPN-04s", Reaction.DROP)),
    (State.CALLER_STOPPED, Sender.CALLEE, CallEvent.STARTED): Cell(State.CALLER_STOPPED, Breach("CTX-02s", Reaction.DROP)),
    (State.CALLER_STOPPED, Sender.CALLEE, CallEvent.ITEM): Cell(State.CALLER_STOPPED),
    (State.CALLER_STOPPED, Sender.CALLEE, CallEvent.END): Cell(State.BOTH_STOPPED),
    (State.CALLER_STOPPED, Sender.CALLEE, CallEvent.RESULT): Cell(State.DONE),
    (State.CALLER_STOPPED, Sender.CALLEE, CallEvent.FAIL): Cell(State.DONE),
    (State.CALLER_STOPPED, Sender.CALLEE, CallEvent.OVERRUN): Cell(State.CALLER_STOPPED),
    (State.CALLER_STOPPED, Sender.CALLEE, CallEvent.MALFORMED): Cell(State.FAILED, Breach("frame", Reaction.FAIL_CALL)),
    (State.BOTH_STOPPED, Sender.CALLER, CallEvent.OPEN): Cell(State.BOTH_STOPPED, Breach("CID-02s", Reaction.CLOSE)),
    (State.BOTH_STOPPED, Sender.CALLER, CallEvent.ACK_ASYNCFUNC): Cell(State.FAILED, Breach("OPN-09s", Reaction.FAIL_CALL)),
    (State.BOTH_STOPPED, Sender.CALLER, CallEvent.ACK_ASYNCGEN): Cell(State.FAILED, Breach("OPN-09s", Reaction.FAIL_CALL)),
    (State.BOTH_STOPPED, Sender.CALLER, CallEvent.ACK_CONTEXT): Cell(State.FAILED, Breach("OPN-09s", Reaction.FAIL_CALL)),
    (State.BOTH_STOPPED, Sender.CALLER, CallEvent.STARTED): Cell(State.FAILED, Breach("OPN-09s", Reaction.FAIL_CALL)),
    (State.BOTH_STOPPED, Sender.CALLER, CallEvent.ITEM): Cell(State.BOTH_STOPPED, Breach("STR-02s", Reaction.DROP)),
    (State.BOTH_STOPPED, Sender.CALLER, CallEvent.END): Cell(State.BOTH_STOPPED, Breach("STR-03s", Reaction.DROP)),
    (State.BOTH_STOPPED, Sender.CALLER, CallEvent.RESULT): Cell(State.FAILED, Breach("OPN-09s", Reaction.FAIL_CALL)),
    (State.BOTH_STOPPED, Sender.CALLER, CallEvent.FAIL): Cell(State.BOTH_STOPPED, Breach("STR-03s", Reaction.DROP)),
    (State.BOTH_STOPPED, Sender.CALLER, CallEvent.OVERRUN): Cell(State.BOTH_STOPPED),
    (State.BOTH_STOPPED, Sender.CALLER, CallEvent.MALFORMED): Cell(State.FAILED, Breach("frame", Reaction.FAIL_CALL)),
    (State.BOTH_STOPPED, Sender.CALLEE, CallEvent.OPEN): Cell(State.BOTH_STOPPED, Breach("CID-02s", Reaction.CLOSE)),
    (State.BOTH_STOPPED, Sender.CALLEE, CallEvent.ACK_ASYNCFUNC): Cell(State.FAILED, Breach("OPN-04s", Reaction.FAIL_CALL)),
    (State.BOTH_STOPPED, Sender.CALLEE, CallEvent.ACK_ASYNCGEN): Cell(State.FAILED, Breach("OPN-04s", Reaction.FAIL_CALL)),
    (State.BOTH_STOPPED, Sender.CALLEE, CallEvent.ACK_CONTEXT): Cell(State.BOTH_STOPPED, Breach("OPN-04s", Reaction.DROP)),
    (State.BOTH_STOPPED, Sender.CALLEE, CallEvent.STARTED): Cell(State.BOTH_STOPPED, Breach("CTX-02s", Reaction.DROP)),
    (State.BOTH_STOPPED, Sender.CALLEE, CallEvent.ITEM): Cell(State.BOTH_STOPPED, Breach("STR-02s", Reaction.DROP)),
    (State.BOTH_STOPPED, Sender.CALLEE, CallEvent.END): Cell(State.BOTH_STOPPED, Breach("STR-03s", Reaction.DROP)),
    (State.BOTH_STOPPED, Sender.CALLEE, CallEvent.RESULT): Cell(State.DONE),
    (State.BOTH_STOPPED, Sender.CALLEE, CallEvent.FAIL): Cell(State.DONE),
    (State.BOTH_STOPPED, Sender.CALLEE, CallEvent.OVERRUN): Cell(State.BOTH_STOPPED),
    (State.BOTH_STOPPED, Sender.CALLEE, CallEvent.MALFORMED): Cell(State.FAILED, Breach("frame", Reaction.FAIL_CALL)),
    (State.DRAINING, Sender.CALLER, CallEvent.OPEN): Cell(State.REQUESTED),
    (State.DRAINING, Sender.CALLER, CallEvent.ACK_ASYNCFUNC): Cell(State.DRAINING, Breach("OPN-09s", Reaction.DROP)),
    (State.DRAINING, Sender.CALLER, CallEvent.ACK_ASYNCGEN): Cell(State.DRAINING, Breach("OPN-09s", Reaction.DROP)),
    (State.DRAINING, Sender.CALLER, CallEvent.ACK_CONTEXT): Cell(State.DRAINING, Breach("OPN-09s", Reaction.DROP)),
    (State.DRAINING, Sender.CALLER, CallEvent.STARTED): Cell(State.DRAINING, Breach("OPN-09s", Reaction.DROP)),
    (State.DRAINING, Sender.CALLER, CallEvent.ITEM): Cell(State.DRAINING, crossed="crossed the callee's terminal"),
    (State.DRAINING, Sender.CALLER, CallEvent.END): Cell(State.DONE, crossed="crossed the callee's terminal"),
    (State.DRAINING, Sender.CALLER, CallEvent.RESULT): Cell(State.DRAINING, Breach("OPN-09s", Reaction.DROP)),
    (State.DRAINING, Sender.CALLER, CallEvent.FAIL): Cell(State.DONE, crossed="crossed the callee's terminal"),
    (State.DRAINING, Sender.CALLER, CallEvent.OVERRUN): Cell(State.DRAINING, crossed="crossed the callee's terminal"),
    (State.DRAINING, Sender.CALLER, CallEvent.MALFORMED): Cell(State.DRAINING, Breach("frame", Reaction.DROP)),
    (State.DRAINING, Sender.CALLEE, CallEvent.OPEN): Cell(State.DRAINING, Breach("CID-03s", Reaction.CLOSE)),
    (State.DRAINING, Sender.CALLEE, CallEvent.ACK_ASYNCFUNC): Cell(State.DRAINING, Breach("TRM-03s", Reaction.DROP)),
    (State.DRAINING, Sender.CALLEE, CallEvent.ACK_ASYNCGEN): Cell(State.DRAINING, Breach("TRM-03s", Reaction.DROP)),
    (State.DRAINING, Sender.CALLEE, CallEvent.ACK_CONTEXT): Cell(State.DRAINING, Breach("TRM-03s", Reaction.DROP)),
    (State.DRAINING, Sender.CALLEE, CallEvent.STARTED): Cell(State.DRAINING, Breach("TRM-03s", Reaction.DROP)),
    (State.DRAINING, Sender.CALLEE, CallEvent.ITEM): Cell(State.DRAINING, Breach("TRM-03s", Reaction.DROP)),
    (State.DRAINING, Sender.CALLEE, CallEvent.END): Cell(State.DRAINING, Breach("TRM-03s", Reaction.DROP)),
    (State.DRAINING, Sender.CALLEE, CallEvent.RESULT): Cell(State.DRAINING, Breach("TRM-02s", Reaction.DROP)),
    (State.DRAINING, Sender.CALLEE, CallEvent.FAIL): Cell(State.DRAINING, Breach("TRM-02s", Reaction.DROP)),
    (State.DRAINING, Sender.CALLEE, CallEvent.OVERRUN): Cell(State.DRAINING, Breach("TRM-03s", Reaction.DROP)),
    (State.DRAINING, Sender.CALLEE, CallEvent.MALFORMED): Cell(State.DRAINING, Breach("frame", Reaction.DROP)),
    (State.DONE, Sender.CALLER, CallEvent.OPEN): Cell(State.REQUESTED),
    (State.DONE, Sender.CALLER, CallEvent.ACK_ASYNCFUNC): Cell(State.DONE, Breach("OPN-09s", Reaction.DROP)),
    (State.DONE, Sender.CALLER, CallEvent.ACK_ASYNCGEN): Cell(State.DONE, Breach("OPN-09s", Reaction.DROP)),
    (State.DONE, Sender.CALLER, CallEvent.ACK_CONTEXT): Cell(State.DONE, Breach("OPN-09s", Reaction.DROP)),
    (State.DONE, Sender.CALLER, CallEvent.STARTED): Cell(State.DONE, Breach("OPN-09s", Reaction.DROP)),
    (State.DONE, Sender.CALLER, CallEvent.ITEM): Cell(State.DONE, Breach("TRM-03s", Reaction.DROP)),
    (State.DONE, Sender.CALLER, CallEvent.END): Cell(State.DONE, Breach("TRM-03s", Reaction.DROP)),
    (State.DONE, Sender.CALLER, CallEvent.RESULT): Cell(State.DONE, Breach("OPN-09s", Reaction.DROP)),
    (State.DONE, Sender.CALLER, CallEvent.FAIL): Cell(State.DONE, Breach("TRM-03s", Reaction.DROP)),
    (State.DONE, Sender.CALLER, CallEvent.OVERRUN): Cell(State.DONE, crossed="crossed the callee's terminal"),
    (State.DONE, Sender.CALLER, CallEvent.MALFORMED): Cell(State.DONE, Breach("frame", Reaction.DROP)),
    (State.DONE, Sender.CALLEE, CallEvent.OPEN): Cell(State.DONE, Breach("CID-03s", Reaction.CLOSE)),
    (State.DONE, Sender.CALLEE, CallEvent.ACK_ASYNCFUNC): Cell(State.DONE, Breach("TRM-03s", Reaction.DROP)),
    (State.DONE, Sender.CALLEE, CallEvent.ACK_ASYNCGEN): Cell(State.DONE, Breach("TRM-03s", Reaction.DROP)),
    (State.DONE, Sender.CALLEE, CallEvent.ACK_CONTEXT): Cell(State.DONE, Breach("TRM-03s", Reaction.DROP)),
    (State.DONE, Sender.CALLEE, CallEvent.STARTED): Cell(State.DONE, Breach("TRM-03s", Reaction.DROP)),
    (State.DONE, Sender.CALLEE, CallEvent.ITEM): Cell(State.DONE, Breach("TRM-03s", Reaction.DROP)),
    (State.DONE, Sender.CALLEE, CallEvent.END): Cell(State.DONE, Breach("TRM-02s", Reaction.DROP)),
    (State.DONE, Sender.CALLEE, CallEvent.RESULT): Cell(State.DONE, Breach("TRM-02s", Reaction.DROP)),
    (State.DONE, Sender.CALLEE, CallEvent.FAIL): Cell(State.DONE, Breach("TRM-02s", Reaction.DROP)),
    (State.DONE, Sender.CALLEE, CallEvent.OVERRUN): Cell(State.DONE, Breach("TRM-03s", Reaction.DROP)),
    (State.DONE, Sender.CALLEE, CallEvent.MALFORMED): Cell(State.DONE, Breach("frame", Reaction.DROP)),
    (State.FAILED, Sender.CALLER, CallEvent.OPEN): Cell(State.FAILED, Breach("CID-02s", Reaction.CLOSE)),
    (State.FAILED, Sender.CALLER, CallEvent.ACK_ASYNCFUNC): Cell(State.FAILED, crossed="the call has failed; its ends are letting go"),
    (State.FAILED, Sender.CALLER, CallEvent.ACK_ASYNCGEN): Cell(State.FAILED, crossed="the call has failed; its ends are letting go"),
    (State.FAILED, Sender.CALLER, CallEvent.ACK_CONTEXT): Cell(State.FAILED, crossed="the call has failed; its ends are letting go"),
    (State.FAILED, Sender.CALLER, CallEvent.STARTED): Cell(State.FAILED, crossed="the call has failed; its ends are letting go"),
    (State.FAILED, Sender.CALLER, CallEvent.ITEM): Cell(State.FAILED, crossed="the call has failed; its ends are letting go"),
    (State.FAILED, Sender.CALLER, CallEvent.END): Cell(State.FAILED, crossed="the call has failed; its ends are letting go"),
    (State.FAILED, Sender.CALLER, CallEvent.RESULT): Cell(State.FAILED, crossed="the call has failed; its ends are letting go"),
    (State.FAILED, Sender.CALLER, CallEvent.FAIL): Cell(State.FAILED, crossed="the call has failed; its ends are letting go"),
    (State.FAILED, Sender.CALLER, CallEvent.OVERRUN): Cell(State.FAILED, crossed="the call has failed; its ends are letting go"),
    (State.FAILED, Sender.CALLER, CallEvent.MALFORMED): Cell(State.FAILED, crossed="the call has failed; its ends are letting go"),
    (State.FAILED, Sender.CALLEE, CallEvent.OPEN): Cell(State.FAILED, Breach("CID-02s", Reaction.CLOSE)),
    (State.FAILED, Sender.CALLEE, CallEvent.ACK_ASYNCFUNC): Cell(State.FAILED, crossed="the call has failed; its ends are letting go"),
    (State.FAILED, Sender.CALLEE, CallEvent.ACK_ASYNCGEN): Cell(State.FAILED, crossed="the call has failed; its ends are letting go"),
    (State.FAILED, Sender.CALLEE, CallEvent.ACK_CONTEXT): Cell(State.FAILED, crossed="the call has failed; its ends are letting go"),
    (State.FAILED, Sender.CALLEE, CallEvent.STARTED): Cell(State.FAILED, crossed="the call has failed; its ends are letting go"),
    (State.FAILED, Sender.CALLEE, CallEvent.ITEM): Cell(State.FAILED, crossed="the call has failed; its ends are letting go"),
    (State.FAILED, Sender.CALLEE, CallEvent.END): Cell(State.FAILED, crossed="the call has failed; its ends are letting go"),
    (State.FAILED, Sender.CALLEE, CallEvent.RESULT): Cell(State.DRAINING, crossed="the call has failed; its ends are letting go"),
    (State.FAILED, Sender.CALLEE, CallEvent.FAIL): Cell(State.DRAINING),
    (State.FAILED, Sender.CALLEE, CallEvent.OVERRUN): Cell(State.FAILED, crossed="the call has failed; its ends are letting go"),
    (State.FAILED, Sender.CALLEE, CallEvent.MALFORMED): Cell(State.FAILED, crossed="the call has failed; its ends are letting go"),
}
# fmt: on
