"""Arrays and maps as messages: the rules from the envelope's keys to the body, in their order.

A rule that is broken raises Broken with its clause. Nothing here looks into values of the application.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from iptc_conformance import _specdata
from iptc_conformance._values import check_value
from iptc_conformance.msgpack_reader import Kind, Token, children, text_of, token_at

if TYPE_CHECKING:
    from collections.abc import Callable

FUNCTYPES = ("asyncfunc", "asyncgen", "context")
OVERRUN_TYPE = "StreamOverrun"
_COMMAND_SIZE = 5
_CID_INDEX = 4


class Broken(Exception):  # noqa: N818  (it is a finding, not a fault of the program)
    """The rule of `clause` is broken; `detail` says how."""

    def __init__(self, clause: str, detail: str) -> None:
        super().__init__(f"{clause}: {detail}")
        self.clause = clause
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Content:
    """A message whose envelope and body are legal.

    `values` are the offsets of the application's values, which are still to be checked.
    """

    kind: str
    cid: str | None = None
    fields: dict[str, Any] = field(default_factory=dict)
    value_at: int | None = None
    values: tuple[int, ...] = ()


def _cid(body: bytes, token: Token) -> str | None:
    """Return a legal cid, else None (CID-01s)."""
    size = token.end - token.payload
    text = text_of(body, token)
    return text if text is not None and 1 <= size <= _specdata.limit("cid_bytes") else None


def _is_array_of(token: Token, size: int) -> bool:
    return token.kind is Kind.ARRAY and token.size == size


class Envelope:
    """The map of a message: its keys and values as they stand."""

    def __init__(self, body: bytes, pairs: list[tuple[Token, Token]]) -> None:
        self.body = body
        self.pairs = pairs

    def named(self, name: str) -> list[Token]:
        """Return the values of every str key of this name."""
        return [value for key, value in self.pairs if text_of(self.body, key) == name]

    @property
    def has_cmd(self) -> bool:
        """Whether the map claims to open a call."""
        return bool(self.named("cmd"))

    def content(self) -> Content:
        """Return the message. Raises Broken with the first rule that the envelope or its body breaks."""
        names = self._names()
        kind = "+".join(sorted(names))
        if kind not in _BODIES:
            raise Broken("ENC-05s", f"no message has exactly the keys {sorted(names)!r:.200}")
        cid = self._legal_cid() if kind != "error" else None
        return _BODIES[kind](self, cid)

    def _names(self) -> list[str]:
        """Return the keys: all str (ENC-04s), all UTF-8 (ENC-02s), none twice (ENC-03s)."""
        for key, _ in self.pairs:
            if key.kind is not Kind.STR:
                raise Broken("ENC-04s", f"a key of the envelope is of type {key.kind}")
        names: list[str] = []
        for key, _ in self.pairs:
            name = text_of(self.body, key)
            if name is None:
                raise Broken("ENC-02s", f"the key at byte {key.start} is not UTF-8")
            names.append(name)
        if len(set(names)) < len(names):
            repeated = next(name for name, times in Counter(names).items() if times > 1)
            raise Broken("ENC-03s", f"the key {repeated!r:.80} stands twice")
        return names

    def _legal_cid(self) -> str:
        """Return the cid (CID-01s), which an OPEN holds as the fifth of five elements (OPN-01s)."""
        commands = self.named("cmd")
        if commands:
            if not _is_array_of(commands[0], _COMMAND_SIZE):
                raise Broken("OPN-01s", "cmd is no array of five elements")
            token = list(children(self.body, commands[0]))[_CID_INDEX]
        else:
            token = self.named("cid")[0]
        cid = _cid(self.body, token)
        if cid is None:
            raise Broken(
                "CID-01s", f"the cid is no str of 1 to {_specdata.limit('cid_bytes')} bytes of UTF-8"
            )
        return cid


def read_envelope(body: bytes) -> Envelope:
    """Return the keys and values of a body that is known to be one well-formed map."""
    parts = list(children(body, token_at(body)))
    return Envelope(body, list(zip(parts[::2], parts[1::2], strict=True)))


def readable_cid(envelope: Envelope) -> str | None:
    """Return the cid of a malformed map.

    It is readable where there is one, every place that may hold it is legal, and all are equal.
    """
    places = envelope.named("cid")
    for command in envelope.named("cmd"):
        if command.kind is Kind.ARRAY and command.size >= _COMMAND_SIZE:
            parts = children(envelope.body, command)
            places.append([next(parts) for _ in range(_COMMAND_SIZE)][_CID_INDEX])
    cids = {_cid(envelope.body, place) for place in places}
    return cids.pop() if len(cids) == 1 else None


def _open(envelope: Envelope, cid: str | None) -> Content:
    """Read an OPEN whose cmd is an array of five and whose cid is legal (OPN-01s)."""
    body = envelope.body
    ns, func, kwargs, uid, _ = children(body, envelope.named("cmd")[0])
    names = [text_of(body, ns), text_of(body, func)]
    if None in names:
        raise Broken("OPN-01s", "ns or func is no str of UTF-8")
    if kwargs.kind is not Kind.MAP:
        raise Broken("OPN-01s", "kwargs is no map")
    parts = list(children(body, kwargs))
    if any(text_of(body, key) is None for key in parts[::2]):
        raise Broken("OPN-01s", "a key of kwargs is no str of UTF-8")
    pair = [text_of(body, part) for part in children(body, uid)] if _is_array_of(uid, 2) else [None]
    if None in pair:
        raise Broken("OPN-01s", "uid is no array of two str of UTF-8")
    fields = {"ns": names[0], "func": names[1], "uid": tuple(pair)}
    return Content("OPEN", cid, fields, kwargs.start, tuple(part.start for part in parts[1::2]))


def _ack(envelope: Envelope, cid: str | None) -> Content:
    functype = text_of(envelope.body, envelope.named("functype")[0])
    if functype not in FUNCTYPES:
        raise Broken("OPN-05s", "functype is none of " + ", ".join(FUNCTYPES))
    return Content("ACK", cid, {"functype": functype})


def _end(envelope: Envelope, cid: str | None) -> Content:
    if envelope.named("stop")[0].scalar is not True:
        raise Broken("STR-05s", "the value of stop is not true")
    return Content("END", cid)


def _error(envelope: Envelope, cid: str | None) -> Content:
    """Read a FAIL, an OVERRUN or, without a cid, a FATAL (ERR-01s)."""
    body = envelope.body
    error = envelope.named("error")[0]
    parts = list(children(body, error)) if error.kind is Kind.MAP else []
    texts = [text_of(body, part) for part in parts]
    if None in texts or sorted(str(key) for key in texts[::2]) != ["tb_str", "type_str"]:
        raise Broken("ERR-01s", "the body is no map of exactly tb_str (str) and type_str (str)")
    fields = dict(zip(texts[::2], texts[1::2], strict=True))
    kind = "OVERRUN" if fields["type_str"] == OVERRUN_TYPE else "FAIL"
    return Content("FATAL" if cid is None else kind, cid, {str(key): text for key, text in fields.items()})


def _valued(kind: str, key: str, envelope: Envelope, cid: str | None) -> Content:
    """Read a message that carries one value of the application."""
    at = envelope.named(key)[0].start
    return Content(kind, cid, {}, at, (at,))


_BODIES: dict[str, Callable[[Envelope, str | None], Content]] = {
    "cmd": _open,
    "cid+functype": _ack,
    "cid+started": partial(_valued, "STARTED", "started"),
    "cid+yield": partial(_valued, "ITEM", "yield"),
    "cid+stop": _end,
    "cid+return": partial(_valued, "RESULT", "return"),
    "cid+error": _error,
    "error": _error,
}


def hello_body(body: bytes) -> tuple[str, str, int] | None:
    """Return name, uuid and the number of further elements of a hello; None for any other array."""
    parts = list(children(body, token_at(body)))
    texts = [text_of(body, part) for part in parts[:2]]
    if len(texts) < 2 or not texts[0] or not texts[1]:
        return None
    if any(check_value(body, part.start).clause is not None for part in parts[2:]):
        return None
    return texts[0], texts[1], len(parts) - 2
