"""The messages, each a frozen struct that is its own wire form.

Field names and their order are those of the wire, but for `value`, which is named there by what it is:
`started`, `yield` or `return`. `event` is what the call table sees of a message.

The garbage collector does not follow messages: they are many, and what comes from the wire holds no ring.
So nobody should put into a value the message that carries it, or what refers to that message: an error that
`Connection.send` has raised for it, with its traceback, is such a thing. It would never be freed.
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Final, Literal

from msgspec import Meta, Struct

from ._call_table import CallEvent

ACKS: Final = {
    "asyncfunc": CallEvent.ACK_ASYNCFUNC,
    "asyncgen": CallEvent.ACK_ASYNCGEN,
    "context": CallEvent.ACK_CONTEXT,
}
_MALFORMED: Final = CallEvent.MALFORMED  # to look it up costs 0.1 us
FuncType = Literal["asyncfunc", "asyncgen", "context"]

OVERRUN_TYPE: Final = "StreamOverrun"
"""The `type_str` that makes an error with a cid a notice (ERR-05s)."""

# Characters, not bytes: whatever passes here is within 256 bytes (CID-01s). A longer cid takes the slow path.
Cid = Annotated[str, Meta(min_length=1, max_length=64)]


class Hello(Struct, frozen=True, array_like=True):
    """A side's first frame (HSK-01s): the name and uuid of its uid. `extra` is reserved (EXT-01r)."""

    name: str
    uuid: str
    extra: tuple[Any, ...] = ()


class Command(Struct, frozen=True, gc=False, array_like=True, forbid_unknown_fields=True):
    """What an OPEN asks for (OPN-01s). `uid` is the opener's name and uuid."""

    ns: str
    func: str
    kwargs: dict[str, Any]
    uid: tuple[str, str]
    cid: Cid


class Open(Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    """OPEN: a caller opens a call."""

    event: ClassVar[CallEvent] = CallEvent.OPEN
    cmd: Command

    @classmethod
    def of(cls, ns: str, func: str, kwargs: dict[str, Any], uid: tuple[str, str], cid: str) -> Open:
        """Open a call of `func` in `ns`, by the side whose hello said `uid`."""
        return cls(Command(ns, func, kwargs, uid, cid))

    @property
    def cid(self) -> str:
        """The call's id, which stands in the command."""
        return self.cmd.cid


class Ack(Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    """ACK: the callee takes the call, and says of which kind it is (OPN-05s)."""

    functype: FuncType
    cid: Cid

    @property
    def event(self) -> CallEvent:
        """One event for each kind; `MALFORMED` if it is none of them."""
        return ACKS.get(self.functype, _MALFORMED) if isinstance(self.functype, str) else _MALFORMED


class Started(Struct, frozen=True, gc=False, forbid_unknown_fields=True, rename={"value": "started"}):
    """STARTED: the first value of a context."""

    event: ClassVar[CallEvent] = CallEvent.STARTED
    value: Any
    cid: Cid


class Item(Struct, frozen=True, gc=False, forbid_unknown_fields=True, rename={"value": "yield"}):
    """ITEM: an item of a stream."""

    event: ClassVar[CallEvent] = CallEvent.ITEM
    value: Any
    cid: Cid


class End(Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    """END: its sender's half of the stream is over. `stop` is true (STR-05s)."""

    event: ClassVar[CallEvent] = CallEvent.END
    stop: bool
    cid: Cid

    @classmethod
    def of(cls, cid: str) -> End:
        """The END of the sender's half of this call."""
        return cls(True, cid)  # noqa: FBT003  (by name costs more)


class Result(Struct, frozen=True, gc=False, forbid_unknown_fields=True, rename={"value": "return"}):
    """RESULT: the terminal of a unary call or a context."""

    event: ClassVar[CallEvent] = CallEvent.RESULT
    value: Any
    cid: Cid


class ErrorBody(Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    """What failed (ERR-01s): its traceback, as text for people, and the name of its type."""

    tb_str: str
    type_str: str


class Fail(Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    """FAIL, the terminal of a call that failed, or OVERRUN, the notice that a receiver has dropped items."""

    error: ErrorBody
    cid: Cid

    @classmethod
    def of(cls, type_str: str, tb_str: str, cid: str) -> Fail:
        """Say that what failed has this type and traceback."""
        return cls(ErrorBody(tb_str, type_str), cid)

    @property
    def is_overrun(self) -> bool:
        """Whether this is the notice OVERRUN, after which the call goes on (FLW-04r)."""
        return self.error.type_str == OVERRUN_TYPE

    @property
    def event(self) -> CallEvent:
        """FAIL or OVERRUN."""
        return CallEvent.OVERRUN if self.is_overrun else CallEvent.FAIL


class Fatal(Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    """FATAL: every call of the connection has failed, and nothing beyond it (ERR-04r)."""

    error: ErrorBody

    @classmethod
    def of(cls, type_str: str, tb_str: str) -> Fatal:
        """Say that what failed has this type and traceback."""
        return cls(ErrorBody(tb_str, type_str))


class Goodbye(Struct, frozen=True, gc=False):
    """GOODBYE: this side's last frame (DSC-01s)."""


CallMessage = Open | Ack | Started | Item | End | Result | Fail
Message = Hello | CallMessage | Fatal | Goodbye
