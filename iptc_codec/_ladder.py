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
from ._scan import Body, Kind, NotMsgpackError, Slot, children, slot_of_all, text, value_clause

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_SHAPES: Final = frozenset(
    [frozenset({"cmd"}), frozenset({"error"})]
    + [frozenset({key, "cid"}) for key in ("functype", "started", "yield", "stop", "return", "error")]
)
_MANY: Final = 1024
"""So many different keys are remembered; an envelope of more is refused for that at the latest (ENC-05s)."""


def has_shape(fields: Iterable[object]) -> bool:
    """Whether these are the keys of a message (ENC-05s)."""
    return frozenset(fields) in _SHAPES


def refusal(body: Body) -> DecodeError | None:
    """What is wrong with a body, or None if it is legal."""
    body = bytes(body)
    try:
        top = slot_of_all(body)
    except NotMsgpackError:
        return _refuse("ENC-01s", HalfEvent.MALFORMED_BYTES)
    if top.end != len(body):
        return _refuse("FRM-02s", HalfEvent.MALFORMED_BYTES)
    if top.kind is Kind.MAP:
        envelope = Envelope(body, top)
        clause = envelope.clause or _message_clause(body, envelope.fields)
        return envelope.refuse(clause) if clause else None
    legal = top.kind is Kind.NIL or (top.kind is Kind.ARRAY and _is_hello(body, top))
    return None if legal else _refuse("ROB-02s", HalfEvent.MALFORMED_OBJECT)


def object_refusal(body: Body, clause: str) -> DecodeError:
    """Refuse a legal body for what it costs us: at the cost of its call, if it has one."""
    body = bytes(body)
    top = slot_of_all(body)
    if top.kind is Kind.MAP:
        return Envelope(body, top).refuse(clause)
    return _refuse(clause, HalfEvent.MALFORMED_OBJECT)


def is_cid(value: object) -> bool:
    """Whether it is a legal cid (CID-01s)."""
    if not isinstance(value, str):
        return False
    try:
        return 0 < len(value.encode()) <= CID_BYTES
    except UnicodeEncodeError:  # a lone surrogate
        return False


class Envelope:
    """The map of a message, read once: what its keys break, and which call it is about.

    `fields` are its values by key, as far as they are remembered. `cid` is the one that every place for one
    agrees on; None if there is none, or one is not legal, or two differ. `opens`: it has a key `cmd`.
    """

    def __init__(self, body: Body, top: Slot) -> None:
        self.fields: dict[str, Slot] = {}
        self.opens = False
        self._cids: set[str | None] = set()
        broken: set[str] = set()
        for key, value in _pairs(body, top):
            broken.add(self._take(body, key, value))
        self.cid = next(iter(self._cids)) if len(self._cids) == 1 else None
        self.clause: str | None = next((clause for clause in _KEY_CLAUSES if clause in broken), None)
        if self.clause is None and frozenset(self.fields) not in _SHAPES:
            self.clause = "ENC-05s"

    def _take(self, body: Body, key: Slot, value: Slot) -> str:
        """Take one entry; returns the clause that its key breaks, empty if none."""
        if key.kind is not Kind.STR:
            return "ENC-04s"
        name = text(body, key)
        if name is None:
            return "ENC-02s"
        if name == "cid":
            self._saw(body, value)
        elif name == "cmd":
            self.opens = True
            if value.kind is Kind.ARRAY and value.size >= _COMMAND_SIZE:
                self._saw(body, next(islice(children(body, value), 4, None)))
        if name in self.fields:
            return "ENC-03s"
        if len(self.fields) < _MANY:
            self.fields[name] = value
        return ""

    def _saw(self, body: Body, place: Slot) -> None:
        if len(self._cids) < 2:
            self._cids.add(_cid(body, place))

    def refuse(self, clause: str) -> DecodeError:
        """Refuse the message, at the cost of its call if that can be read."""
        if self.cid is None:
            return _refuse(clause, HalfEvent.MALFORMED_OBJECT)
        return _refuse(clause, HalfEvent.MALFORMED_CALL, self.cid, opens=self.opens)


_KEY_CLAUSES: Final = ("ENC-04s", "ENC-02s", "ENC-03s")
"""In the order in which the whole map is asked."""

_COMMAND_SIZE: Final = 5


def _refuse(clause: str, event: HalfEvent, cid: str | None = None, *, opens: bool = False) -> DecodeError:
    reaction = Reaction.CLOSE if cid is None else Reaction.FAIL_CALL
    return DecodeError(Violation(clause, reaction, cid, "malformed frame"), event, opens=opens)


def _is_hello(body: Body, top: Slot) -> bool:
    if top.size < 2:
        return False
    elements = children(body, top)
    named = bool(text(body, next(elements))) and bool(text(body, next(elements)))
    return named and value_clause(body, top) is None


def _message_clause(body: Body, fields: dict[str, Slot]) -> str | None:
    """The first rule that a message breaks whose keys are legal: the cid's, the rest's, the values'."""
    if cmd := fields.get("cmd"):
        return _open_clause(body, cmd)
    if (cid := fields.get("cid")) and _cid(body, cid) is None:
        return "CID-01s"
    if functype := fields.get("functype"):
        return None if text(body, functype) in ACKS else "OPN-05s"
    if stop := fields.get("stop"):
        return None if stop.kind is Kind.TRUE else "STR-05s"
    if error := fields.get("error"):
        return None if _is_error(body, error) else "ERR-01s"
    (value,) = (slot for key, slot in fields.items() if key != "cid")
    return value_clause(body, value)


def _open_clause(body: Body, cmd: Slot) -> str | None:
    if cmd.kind is not Kind.ARRAY or cmd.size != _COMMAND_SIZE:
        return "OPN-01s"
    ns, func, kwargs, uid, cid = children(body, cmd)
    if _cid(body, cid) is None:
        return "CID-01s"
    if not (
        _all_text(body, (ns, func)) and kwargs.kind is Kind.MAP and uid.kind is Kind.ARRAY and uid.size == 2
    ):
        return "OPN-01s"
    if not (
        _all_text(body, children(body, uid)) and _all_text(body, (key for key, _ in _pairs(body, kwargs)))
    ):
        return "OPN-01s"
    return value_clause(body, kwargs)


def _is_error(body: Body, error: Slot) -> bool:
    if error.kind is not Kind.MAP or error.size != 4:  # two keys and two values
        return False
    names = {text(body, key) for key, _ in _pairs(body, error)}
    return names == {"tb_str", "type_str"} and _all_text(body, (told for _, told in _pairs(body, error)))


def _cid(body: Body, place: Slot) -> str | None:
    cid = text(body, place) if place.size <= CID_BYTES else None
    return cid if is_cid(cid) else None


def _pairs(body: Body, parent: Slot) -> Iterator[tuple[Slot, Slot]]:
    each = children(body, parent)
    return zip(each, each, strict=True)


def _all_text(body: Body, slots: Iterable[Slot]) -> bool:
    return all(text(body, one) is not None for one in slots)
