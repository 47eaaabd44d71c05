"""One half of a connection: where every event in every state leads.

GENERATED from spec/v1/connection.json by tools/generate.py: edit the specification, not this file.
"""

from __future__ import annotations

from enum import Enum
from typing import Final, NamedTuple

from ._call_table import Breach, Reaction


class HalfState(Enum):
    """What one side has sent so far."""

    SILENT = "silent"
    """Has sent nothing yet; its hello comes first."""
    TALKING = "talking"
    """Has sent its hello."""
    FAILING = "failing"
    """Has sent FATAL: every call of the connection is over."""
    LEFT = "left"
    """Has sent GOODBYE, its last frame."""
    GONE = "gone"
    """Its end of the stream is closed."""

    __hash__ = object.__hash__


class HalfEvent(Enum):
    """What the connection's table sees of a frame."""

    HELLO = "HELLO"
    """A legal hello."""
    CALL = "CALL"
    """A legal message of a call."""
    FATAL = "FATAL"
    """A legal error without cid."""
    GOODBYE = "GOODBYE"
    """Nil."""
    MALFORMED_CALL = "MALFORMED_CALL"
    """A map that is no legal message, but whose cid can be read; `frame` stands for the clause that it violates."""
    MALFORMED_OBJECT = "MALFORMED_OBJECT"
    """Any other well-formed object that is no hello, no message and not nil."""
    MALFORMED_BYTES = "MALFORMED_BYTES"
    """A frame whose length is refused, or whose body is not one well-formed object."""
    EOF = "EOF"
    """The stream ends, by an orderly close or a reset; a frame cut short ends with it."""

    __hash__ = object.__hash__


class CallEffect(Enum):
    """What the call table makes of a frame."""

    MESSAGE = "message"
    """The call table takes the message."""
    MALFORMED = "malformed"
    """The call table takes OPEN followed by MALFORMED if the map has the key cmd, else MALFORMED."""

    __hash__ = object.__hash__


class CallsEffect(Enum):
    """What a frame does to all calls of the connection."""

    SERVED_OVER = "served-over"
    """Calls that the sender serves end here without an answer: legal only for those still requested, else DSC-02s, reaction close; an OPEN of the other side that comes by later has crossed the GOODBYE and ends at once."""
    ALL_OVER = "all-over"
    """Every call of the connection ends here without an answer; call messages of the other side that come later have crossed the end and are ignored."""

    __hash__ = object.__hash__


class HalfCell(NamedTuple):
    """One cell of the table of a half: where it leads, what is wrong, what it does to calls."""

    next: HalfState
    breach: Breach | None = None
    call: CallEffect | None = None
    calls: CallsEffect | None = None


HALF_INITIAL: Final = HalfState.SILENT

CANCEL_FUNCTION: Final = ("self", "_cancel_task")
"""The namespace and the function of a CANCEL (CXL-01s)."""

CANCEL_KWARGS: Final = frozenset({"cid"})

# fmt: off
HALF_TABLE: Final[dict[tuple[HalfState, HalfEvent], HalfCell]] = {
    (HalfState.SILENT, HalfEvent.HELLO): HalfCell(HalfState.TALKING),
    (HalfState.SILENT, HalfEvent.CALL): HalfCell(HalfState.SILENT, Breach("HSK-01s", Reaction.CLOSE)),
    (HalfState.SILENT, HalfEvent.FATAL): HalfCell(HalfState.SILENT, Breach("HSK-01s", Reaction.CLOSE)),
    (HalfState.SILENT, HalfEvent.GOODBYE): HalfCell(HalfState.SILENT, Breach("HSK-01s", Reaction.CLOSE)),
    (HalfState.SILENT, HalfEvent.MALFORMED_CALL): HalfCell(HalfState.SILENT, Breach("HSK-01s", Reaction.CLOSE)),
    (HalfState.SILENT, HalfEvent.MALFORMED_OBJECT): HalfCell(HalfState.SILENT, Breach("HSK-01s", Reaction.CLOSE)),
    (HalfState.SILENT, HalfEvent.MALFORMED_BYTES): HalfCell(HalfState.SILENT, Breach("frame", Reaction.CLOSE)),
    (HalfState.SILENT, HalfEvent.EOF): HalfCell(HalfState.GONE, calls=CallsEffect.ALL_OVER),
    (HalfState.TALKING, HalfEvent.HELLO): HalfCell(HalfState.TALKING, Breach("HSK-03s", Reaction.CLOSE)),
    (HalfState.TALKING, HalfEvent.CALL): HalfCell(HalfState.TALKING, call=CallEffect.MESSAGE),
    (HalfState.TALKING, HalfEvent.FATAL): HalfCell(HalfState.FAILING, calls=CallsEffect.ALL_OVER),
    (HalfState.TALKING, HalfEvent.GOODBYE): HalfCell(HalfState.LEFT, calls=CallsEffect.SERVED_OVER),
    (HalfState.TALKING, HalfEvent.MALFORMED_CALL): HalfCell(HalfState.TALKING, call=CallEffect.MALFORMED),
    (HalfState.TALKING, HalfEvent.MALFORMED_OBJECT): HalfCell(HalfState.TALKING, Breach("frame", Reaction.CLOSE)),
    (HalfState.TALKING, HalfEvent.MALFORMED_BYTES): HalfCell(HalfState.TALKING, Breach("frame", Reaction.CLOSE)),
    (HalfState.TALKING, HalfEvent.EOF): HalfCell(HalfState.GONE, calls=CallsEffect.ALL_OVER),
    (HalfState.FAILING, HalfEvent.HELLO): HalfCell(HalfState.FAILING, Breach("ERR-08s", Reaction.CLOSE)),
    (HalfState.FAILING, HalfEvent.CALL): HalfCell(HalfState.FAILING, Breach("ERR-08s", Reaction.CLOSE)),
    (HalfState.FAILING, HalfEvent.FATAL): HalfCell(HalfState.FAILING, Breach("ERR-08s", Reaction.CLOSE)),
    (HalfState.FAILING, HalfEvent.GOODBYE): HalfCell(HalfState.LEFT),
    (HalfState.FAILING, HalfEvent.MALFORMED_CALL): HalfCell(HalfState.FAILING, Breach("ERR-08s", Reaction.CLOSE)),
    (HalfState.FAILING, HalfEvent.MALFORMED_OBJECT): HalfCell(HalfState.FAILING, Breach("ERR-08s", Reaction.CLOSE)),
    (HalfState.FAILING, HalfEvent.MALFORMED_BYTES): HalfCell(HalfState.FAILING, Breach("frame", Reaction.CLOSE)),
    (HalfState.FAILING, HalfEvent.EOF): HalfCell(HalfState.GONE),
    (HalfState.LEFT, HalfEvent.HELLO): HalfCell(HalfState.LEFT, Breach("DSC-01s", Reaction.CLOSE)),
    (HalfState.LEFT, HalfEvent.CALL): HalfCell(HalfState.LEFT, Breach("DSC-01s", Reaction.CLOSE)),
    (HalfState.LEFT, HalfEvent.FATAL): HalfCell(HalfState.LEFT, Breach("DSC-01s", Reaction.CLOSE)),
    (HalfState.LEFT, HalfEvent.GOODBYE): HalfCell(HalfState.LEFT, Breach("DSC-01s", Reaction.CLOSE)),
    (HalfState.LEFT, HalfEvent.MALFORMED_CALL): HalfCell(HalfState.LEFT, Breach("DSC-01s", Reaction.CLOSE)),
    (HalfState.LEFT, HalfEvent.MALFORMED_OBJECT): HalfCell(HalfState.LEFT, Breach("DSC-01s", Reaction.CLOSE)),
    (HalfState.LEFT, HalfEvent.MALFORMED_BYTES): HalfCell(HalfState.LEFT, Breach("DSC-01s", Reaction.CLOSE)),
    (HalfState.LEFT, HalfEvent.EOF): HalfCell(HalfState.GONE, calls=CallsEffect.ALL_OVER),
    (HalfState.GONE, HalfEvent.HELLO): HalfCell(HalfState.GONE, Breach("DSC-01s", Reaction.CLOSE)),
    (HalfState.GONE, HalfEvent.CALL): HalfCell(HalfState.GONE, Breach("DSC-01s", Reaction.CLOSE)),
    (HalfState.GONE, HalfEvent.FATAL): HalfCell(HalfState.GONE, Breach("DSC-01s", Reaction.CLOSE)),
    (HalfState.GONE, HalfEvent.GOODBYE): HalfCell(HalfState.GONE, Breach("DSC-01s", Reaction.CLOSE)),
    (HalfState.GONE, HalfEvent.MALFORMED_CALL): HalfCell(HalfState.GONE, Breach("DSC-01s", Reaction.CLOSE)),
    (HalfState.GONE, HalfEvent.MALFORMED_OBJECT): HalfCell(HalfState.GONE, Breach("DSC-01s", Reaction.CLOSE)),
    (HalfState.GONE, HalfEvent.MALFORMED_BYTES): HalfCell(HalfState.GONE, Breach("DSC-01s", Reaction.CLOSE)),
    (HalfState.GONE, HalfEvent.EOF): HalfCell(HalfState.GONE, Breach("DSC-01s", Reaction.CLOSE)),
}
# fmt: on
