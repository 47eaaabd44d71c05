"""A strict, sans-IO codec for IPTC.

`Connection` is one end of a connection: `send` turns messages into bytes, `receive` turns bytes into events,
and both hold them to the specification. Below it, usable alone: `Deframer` and `frame`, `encode` and
`decode`, and `Conversation` with its `Calls`, which measure both sides alike and so serve an observer too.
"""

from __future__ import annotations

from ._call_table import CallEvent, Cell, Reaction, Sender, State
from ._calls import Calls
from ._connection import CallRecord, Connection
from ._connection_table import CANCEL_FUNCTION, HalfEvent, HalfState
from ._conversation import Conversation, Step
from ._errors import (
    DecodeError,
    LocalProtocolError,
    ProtocolError,
    RemoteProtocolError,
    UnencodableValueError,
    Violation,
)
from ._events import ConnectionLost, Event, GoodbyeReceived, HelloReceived, Items
from ._framing import Deframer, frame
from ._limits import Limits
from ._messages import (
    OVERRUN_TYPE,
    Ack,
    CallMessage,
    Command,
    End,
    ErrorBody,
    Fail,
    Fatal,
    Goodbye,
    Hello,
    Item,
    Message,
    Open,
    Result,
    Started,
)
from ._places import Role
from ._version import __version__
from ._wire import decode, encode

__all__ = (
    "CANCEL_FUNCTION",
    "OVERRUN_TYPE",
    "Ack",
    "CallEvent",
    "CallMessage",
    "CallRecord",
    "Calls",
    "Cell",
    "Command",
    "Connection",
    "ConnectionLost",
    "Conversation",
    "DecodeError",
    "Deframer",
    "End",
    "ErrorBody",
    "Event",
    "Fail",
    "Fatal",
    "Goodbye",
    "GoodbyeReceived",
    "HalfEvent",
    "HalfState",
    "Hello",
    "HelloReceived",
    "Item",
    "Items",
    "Limits",
    "LocalProtocolError",
    "Message",
    "Open",
    "ProtocolError",
    "Reaction",
    "RemoteProtocolError",
    "Result",
    "Role",
    "Sender",
    "Started",
    "State",
    "Step",
    "UnencodableValueError",
    "Violation",
    "__version__",
    "decode",
    "encode",
    "frame",
)
