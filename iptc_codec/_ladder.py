"""Which clause a refused frame has broken, and which call it costs.

The rules stand in the order in which they are asked; the first that is broken names the clause.

1. The body is one well-formed object (ENC-01s) with nothing after it (FRM-02s).
2. nil is GOODBYE, an array is a hello, a map is a message: nothing else is anything (ROB-02s).
3. Of a map: its keys (ENC-04s, ENC-02s, ENC-03s, ENC-05s), the cid (CID-01s), the rest, the values.

A broken map costs its call if one cid can be read from it without doubt, else the connection (ROB-01r).
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Final

from ._call_table import Reaction
from ._connection_table import HalfEvent
from ._errors import DecodeError, Violation
from ._limits_table import CID_BYTES
from ._messages import ACKS
from ._scan import Body, Kind, NotMsgpackError, Slot, children, end_of, slot, text, value_clause

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_SHAPES: Final = frozenset(
    [frozenset({"cmd"}), frozenset({"error"})]
    + [frozenset({key, "cid"}) for key in ("functype", "started", "yield", "stop", "return", "error")]
)
_MANY: Final = 1024
"""So many different keys are remembered. An envelope of more is refused at the latest for that (ENC-05s)."""


def refusal(body: Body) -> DecodeError | None:
    """Climb the ladder: what is wrong with a body, or None if it is legal."""
    try:
        end = end_of(body)
    except NotMsgpackError:
        return _refuse("ENC-01s", HalfEvent.MALFORMED_BYTES)
    if end != len(body):
        return _refuse("FRM-02s", HalfEvent.MALFORMED_BYTES)
    top = slot(body)
    if top.kind is not Kind.MAP:
        legal = top.kind is Kind.NIL or (top.kind is Kind.ARRAY and _is_hello(body, top))
        return None if legal else _refuse("ROB-02s", HalfEvent.MALFORMED_OBJECT)
    clause = _map_clause(body, top)
    return object_refusal(body, clause) if clause else None


def object_refusal(body: Body, clause: str) -> DecodeError:
    """Refuse a well-formed object for breaking `clause`, at the cost of its call if that can be read."""
    top = slot(body)
    cid, opens = _readable_cid(body, top) if top.kind is Kind.MAP else (None, False)
    event = HalfEvent.MALFORMED_OBJECT if cid is None else HalfEvent.MALFORMED_CALL
    return _refuse(clause, event, cid, opens=opens and cid is not None)


def _refuse(clause: str, event: HalfEvent, cid: str | None = None, *, opens: bool = False) -> DecodeError:
    reaction = Reaction.CLOSE if cid is None else Reaction.FAIL_CALL
    return DecodeError(Violation(clause, reaction, cid, "malformed frame"), event, opens=opens)


def is_cid(value: object) -> bool:
    """Whether it is a legal cid (CID-01s)."""
    if not isinstance(value, str):
        return False
    try:
        return 0 < len(value.encode()) <= CID_BYTES
    except UnicodeEncodeError:  # a lone surrogate
        return False


def _is_hello(body: Body, top: Slot) -> bool:
    if top.size < 2:
        return False
    elements = children(body, top)
    return (
        bool(text(body, next(elements)))
        and bool(text(body, next(elements)))
        and not any(value_clause(body, element) for element in elements)
    )


def _map_clause(body: Body, top: Slot) -> str | None:
    """The first rule that a map breaks: of its keys first, then of the message that they make it."""
    if clause := _keys_clause(body, top):
        return clause
    fields = {text(body, key): value for key, value in _pairs(body, top)}
    cid = fields.pop("cid", None)
    ((name, value),) = fields.items()
    if name == "cmd":
        return _open_clause(body, value)
    if cid is not None and not is_cid(text(body, cid)):
        return "CID-01s"
    return _body_clause(body, name, value)


def _keys_clause(body: Body, top: Slot) -> str | None:
    if any(key.kind is not Kind.STR for key, _ in _pairs(body, top)):
        return "ENC-04s"
    names: set[str] = set()
    repeated = False
    for key, _ in _pairs(body, top):
        name = text(body, key)
        if name is None:
            return "ENC-02s"
        repeated = repeated or name in names
        if len(names) < _MANY:
            names.add(name)
    if repeated:
        return "ENC-03s"
    return None if names in _SHAPES else "ENC-05s"


def _open_clause(body: Body, cmd: Slot) -> str | None:
    if cmd.kind is not Kind.ARRAY or cmd.size != 5:
        return "OPN-01s"
    ns, func, kwargs, uid, cid = children(body, cmd)
    if not is_cid(text(body, cid)):
        return "CID-01s"
    if not (
        _all_text(body, (ns, func)) and kwargs.kind is Kind.MAP and uid.kind is Kind.ARRAY and uid.size == 2
    ):
        return "OPN-01s"
    if not (
        _all_text(body, children(body, uid)) and _all_text(body, (key for key, _ in _pairs(body, kwargs)))
    ):
        return "OPN-01s"
    return next(filter(None, (value_clause(body, value) for _, value in _pairs(body, kwargs))), None)


def _body_clause(body: Body, name: str | None, value: Slot) -> str | None:
    if name == "functype":
        return None if text(body, value) in ACKS else "OPN-05s"
    if name == "stop":
        return None if value.kind is Kind.TRUE else "STR-05s"
    if name == "error":
        return None if _is_error(body, value) else "ERR-01s"
    return value_clause(body, value)


def _is_error(body: Body, value: Slot) -> bool:
    if value.kind is not Kind.MAP or value.size != 4:
        return False
    names = {text(body, key) for key, _ in _pairs(body, value)}
    return names == {"tb_str", "type_str"} and _all_text(body, (told for _, told in _pairs(body, value)))


def _readable_cid(body: Body, top: Slot) -> tuple[str | None, bool]:
    """The one cid that every place for one agrees on, if it is legal; and whether the map has the key cmd."""
    found: set[str | None] = set()
    opens = False
    for key, value in _pairs(body, top):
        name = text(body, key)
        if name == "cmd":
            opens = True
            if value.kind is Kind.ARRAY and value.size >= 5:
                found.add(_cid(body, next(islice(children(body, value), 4, None))))
        elif name == "cid":
            found.add(_cid(body, value))
        if len(found) > 1:
            return None, opens
    return (found.pop() if found else None), opens


def _cid(body: Body, value: Slot) -> str | None:
    return cid if is_cid(cid := text(body, value)) else None


def _pairs(body: Body, parent: Slot) -> Iterator[tuple[Slot, Slot]]:
    each = children(body, parent)
    return zip(each, each, strict=True)


def _all_text(body: Body, slots: Iterable[Slot]) -> bool:
    return all(text(body, one) is not None for one in slots)
