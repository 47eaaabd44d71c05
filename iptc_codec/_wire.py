"""Version 1 on the wire: bodies to messages and back.

The common message is read at first sight (`_readers.py`). What is not may yet be legal, with longer headers
or a long cid. So msgspec reads it again as whatever it is, and what that leaves open is asked of a handful of
objects in Python. Only what is illegal, and the odd error, goes the slow way, to the ladder, which finds the
clause or clears it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from ._call_table import Reaction
from ._connection_table import CANCEL_FUNCTION, CANCEL_KWARGS
from ._errors import LocalProtocolError, UnencodableValueError, Violation
from ._ladder import has_shape, is_cid, object_refusal, refusal
from ._messages import (
    ACKS,
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
from ._readers import NOT_TAKEN, READERS, read_value
from ._scan import Body, head, without_last_half_microsecond
from ._writers import skip, write_plain

if TYPE_CHECKING:
    from collections.abc import Callable


def decode(body: Body) -> Message:
    """Read a body. Raises `DecodeError`, which names the clause that it breaks."""
    try:
        return READERS[body[0]][body[4]](body)
    except NOT_TAKEN:
        return _decode_slowly(body)


def _decode_slowly(body: Body) -> Message:
    # Most of what is legal carries a large value at most: msgspec reads that, and little is left to ask.
    if message := _read_loosely(body):
        return message
    if refused := refusal(body):
        raise refused from None
    try:
        return _message(_read_legal(body))
    except (RecursionError, MemoryError):
        raise object_refusal(body, "ENC-06r") from None


def _read_legal(body: Body) -> Any:
    try:
        return read_value(body)
    except ValueError:
        return read_value(without_last_half_microsecond(body))


def _read_loosely(body: Body) -> Message | None:
    """Read a legal body by its value alone, None if it is not legal or takes a closer look.

    That msgspec reads it says that it is one object and its values are legal. What it does not tell is a
    repeated key: so the entries are counted, and the one map that lies deeper, an error's, is left.
    """
    try:
        plain = read_value(body)
        if isinstance(plain, dict):
            if "error" in plain or not has_shape(plain) or head(body, 0).size != 2 * len(plain):
                return None
        elif not isinstance(plain, list):
            return None
        message = _message(plain)
    except (*NOT_TAKEN, TypeError):
        return None
    clause = _open_clause(message) if isinstance(message, Open) else _own_clause(message)
    return message if clause is None else None


def _message(plain: Any) -> Message:
    """The message that a body says. Raises `ValueError` or `TypeError` if it has not the form of one."""
    if plain is None:
        return Goodbye()
    if isinstance(plain, list):
        name, uuid, *extra = plain
        return Hello(name, uuid, tuple(extra))
    cid = plain.pop("cid", None)
    ((name, value),) = plain.items()
    match name:
        case "cmd":
            ns, func, kwargs, uid, own = value
            if not (isinstance(value, list) and isinstance(uid, list)):
                raise TypeError
            return Open.of(ns, func, kwargs, (*uid,), own)
        case "error":
            error = ErrorBody(**value)
            return Fatal(error) if cid is None else Fail(error, cid)
        case "stop":
            if value is not True:
                raise ValueError
            return End.of(cid)
        case _:
            return _OF_VALUE[name](value, cid)


_OF_VALUE: Final[dict[str, Callable[[Any, str], CallMessage]]] = {
    "functype": Ack,
    "started": Started,
    "yield": Item,
    "return": Result,
}


def encode(message: Message) -> bytes:
    """Write a body: `check`, then `write`."""
    check(message)
    return write(message)


def check(message: Message) -> None:
    """Raise `LocalProtocolError` if a message is not legal in itself, its values aside."""
    if clause := _own_clause(message):
        raise LocalProtocolError(_finding(clause, message, "not a legal message"))


def write(message: Message) -> bytes:
    """Write the body of a message that is legal in itself.

    Raises `UnencodableValueError` for a value that msgpack cannot say, and for a `msgspec.Raw` that is not
    one object and so would break the frame (TRM-05s). Whatever else msgspec encodes passes unchecked: to look
    into every value would cost more than to write it. Three things are the sender's care, as the other side
    makes the call pay for them: keys that are written as maps or exts (of a struct, a dataclass, an `Ext`:
    ENC-07s), what is in a `msgspec.Raw` (ENC-02s, ENC-07s, ENC-08s), and an `Ext` of type -1 (ENC-08s).
    """
    try:
        body = write_plain(_plain(message))
        skip(body)
    except Exception as exc:
        detail = f"{type(exc).__name__}: {exc}"
        raise UnencodableValueError(_finding("TRM-05s", message, detail)) from exc
    return body


def _finding(clause: str, message: Message, detail: str) -> Violation:
    cid = getattr(message, "cid", None) if type(message) in _OWN_CLAUSES else None
    return Violation(clause, Reaction.DROP, cid if isinstance(cid, str) else None, detail)


def _plain(message: Message) -> object:
    match message:
        case Hello():
            return [message.name, message.uuid, *message.extra]
        case Goodbye():
            return None
        case _:
            return message


def _own_clause(message: Message) -> str | None:
    """The clause that a message of our own breaks in itself, values aside."""
    check = _OWN_CLAUSES.get(type(message))
    if check is None:
        return "ENC-05s"
    return check(message)


def _hello_clause(hello: Hello) -> str | None:
    named = _texts(hello.name, hello.uuid) and hello.name and hello.uuid
    return None if named and isinstance(hello.extra, tuple) else "HSK-01s"


def _open_clause(opening: Open) -> str | None:
    cmd: object = opening.cmd
    if not isinstance(cmd, Command):
        return "OPN-01s"
    ns, func, kwargs, uid, cid = msgspec.structs.astuple(cmd)
    if not (_texts(ns, func) and isinstance(kwargs, dict) and isinstance(uid, tuple) and len(uid) == 2):
        return "OPN-01s"
    if not (_texts(*uid) and _texts(*kwargs)):
        return "OPN-01s"
    if not is_cid(cid):
        return "CID-01s"
    return None


def _own_open_clause(opening: Open) -> str | None:
    return _open_clause(opening) or _cancel_clause(opening.cmd)


def _cancel_clause(cmd: Command) -> str | None:
    if (cmd.ns, cmd.func) != CANCEL_FUNCTION:
        return None
    return None if cmd.kwargs.keys() == CANCEL_KWARGS and _texts(*cmd.kwargs.values()) else "CXL-01s"


def _cid_clause(message: CallMessage) -> str | None:
    return None if is_cid(message.cid) else "CID-01s"


def _ack_clause(ack: Ack) -> str | None:
    return _cid_clause(ack) if _texts(ack.functype) and ack.functype in ACKS else "OPN-05s"


def _end_clause(end: End) -> str | None:
    return _cid_clause(end) or (None if end.stop is True else "STR-05s")


def _fail_clause(fail: Fail) -> str | None:
    return _cid_clause(fail) or _fatal_clause(fail)


def _fatal_clause(message: Fail | Fatal) -> str | None:
    error = message.error
    return None if isinstance(error, ErrorBody) and _texts(error.tb_str, error.type_str) else "ERR-01s"


def _texts(*values: object) -> bool:
    return all(isinstance(value, str) for value in values)


_OWN_CLAUSES: Final[dict[type, Callable[[Any], str | None]]] = {
    Hello: _hello_clause,
    Open: _own_open_clause,
    Ack: _ack_clause,
    Started: _cid_clause,
    Item: _cid_clause,
    End: _end_clause,
    Result: _cid_clause,
    Fail: _fail_clause,
    Fatal: _fatal_clause,
    Goodbye: lambda _: None,
}
