"""Errors, and the finding that all of them carry.

There is one kind of finding, `Violation`: who sent what, which clause that breaks and what it costs.
Received, it is an event. Sent, it never leaves: `LocalProtocolError` is raised in its place and nothing has
changed. Whatever else comes out of the codec is a bug in the codec.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from ._call_table import Reaction, Sender
    from ._connection_table import HalfEvent


class Violation(msgspec.Struct, frozen=True):
    """The other side broke a clause, at the cost that `reaction` says.

    `cid` is None where no call is concerned. `sender_role` says which end of that call the sender is, if it
    has one.

    The reaction is the application's to carry out. DROP: nothing. CLOSE: close the connection, after FATAL if
    you like (ROB-03s). FAIL_CALL as its callee: answer `Fail.of("ProtocolError", ...)` (ERR-06s). FAIL_CALL
    as its caller: fail the call locally and cancel it, unless `Connection.call_state` says that it is done.
    """

    clause: str
    reaction: Reaction
    cid: str | None = None
    detail: str = ""
    sender_role: Sender | None = None

    def __str__(self) -> str:
        concerned = "" if self.cid is None else f" in call {self.cid!r}"
        return f"[{self.clause}] {self.detail or 'violated'}{concerned} ({self.reaction.value})"


class ProtocolError(Exception):
    """A clause was broken. Raised only as one of its subclasses."""

    def __init__(self, violation: Violation) -> None:
        super().__init__(str(violation))
        self.violation = violation

    @property
    def clause(self) -> str:
        """The id of the clause."""
        return self.violation.clause

    @property
    def reaction(self) -> Reaction:
        """What the specification has a receiver do about it."""
        return self.violation.reaction

    @property
    def cid(self) -> str | None:
        """The call concerned, if it is one."""
        return self.violation.cid


class LocalProtocolError(ProtocolError):
    """We were about to break a clause. Nothing was sent and no state has changed."""


class UnencodableValueError(LocalProtocolError):
    """The value of a message that we may send cannot be put into a frame (TRM-05s, FRM-03s)."""


class RemoteProtocolError(ProtocolError):
    """The other side broke a clause; for applications that would rather raise than look at events."""


class DecodeError(ProtocolError):
    """A frame is no legal message.

    `event` says what the connection's table sees. `cid` is the call that it costs, None if that cannot be
    read. `opens` says that it was meant to open that call.
    """

    def __init__(self, violation: Violation, event: HalfEvent, *, opens: bool = False) -> None:
        super().__init__(violation)
        self.event = event
        self.opens = opens
