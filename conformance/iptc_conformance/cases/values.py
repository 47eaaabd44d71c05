"""Tagged JSON: how a case writes the values that JSON has no word for.

An object whose only key begins with `$` stands for something else. Values of msgpack:

    {"$bin": "00ff"}   {"$ext": [5, "01"]}   {"$timestamp": [seconds, nanoseconds]}
    {"$int": "18446744073709551615"}   {"$float": "nan" | "inf" | "-inf" | 0.5}   {"$map": [[key, value], …]}
    {"$raw": "cd0001"} (these bytes, as they are)

Large ones: {"$repeat": ["x", 1000]} (a str)   {"$zeros": 1000} (a bin)   {"$range": 3} ([0, 1, 2])
    {"$nest": 100} (arrays, one in the other)

What a run binds: {"$cid": "c1"}   {"$uid": "a"}   {"$name": "a"}   {"$uuid": "a"}   {"$ns": true}
    {"$tag": "t"}   {"$i": true} (the round of `times`)
    {"$near": "c1"} (another cid in each round, almost that)
"""

from __future__ import annotations

import secrets
import uuid
from typing import TYPE_CHECKING, Any

from iptc_conformance.msgpack_values import Ext, Map, Raw, Timestamp

if TYPE_CHECKING:
    from collections.abc import Callable


class Bindings:
    """What the `$` words of one run of a case stand for: everything fresh, so that no two runs can meet."""

    def __init__(self, namespace: str) -> None:
        self.namespace = namespace
        self.run = secrets.token_hex(4)
        self._cids: dict[str, Any] = {}
        self._uids: dict[str, list[str]] = {}
        self.round = 0

    def cid(self, call: str) -> str:
        """The cid of a call of this case, made when it is first named."""
        cid = self._cids.setdefault(call, f"{call}-{secrets.token_hex(6)}")
        return str(cid)

    def bind_cid(self, call: str, cid: str) -> None:
        """Give a call a cid of the case's own choice."""
        self._cids[call] = cid

    def near(self, call: str) -> str:
        """A cid that is not the call's, though nearly: cut short, longer, with a blank, in the other case."""
        cid = self.cid(call)
        swapped = cid.swapcase()
        alike = (cid[:-1] or f"{cid}{cid}", f"{cid}0", f"{cid} ", swapped if swapped != cid else f" {cid}")
        return alike[self.round % len(alike)]

    def renew(self, call: str) -> None:
        """Give a call a fresh cid: it is another call from now on."""
        self._cids.pop(call, None)

    def uid(self, conn: str) -> list[str]:
        """The uid that a connection says hello with."""
        return self._uids.setdefault(conn, ["iptc-suite", str(uuid.uuid4())])

    def adopt_uid(self, conn: str, uid: list[str]) -> None:
        """Let a connection have the uid that it has said hello with."""
        self._uids[conn] = uid

    def share_uid(self, conn: str, other: str) -> None:
        """Let a connection claim the uid of another."""
        self._uids[conn] = self.uid(other)

    def call_of(self, cid: object) -> str | None:
        """The call that has this cid, or None."""
        return next((call for call, known in self._cids.items() if known == cid), None)

    def value(self, tagged: Any) -> Any:
        """A Python value that `wire.encode` can write.  Raises ValueError for an unknown `$` word."""
        if isinstance(tagged, list):
            return [self.value(item) for item in tagged]
        if not isinstance(tagged, dict):
            return tagged
        if len(tagged) == 1:
            (key, argument) = next(iter(tagged.items()))
            if key.startswith("$"):
                return self._tag(key, argument)
        return {key: self.value(item) for key, item in tagged.items()}

    def _tag(self, key: str, argument: Any) -> Any:
        bound: dict[str, Callable[[Any], Any]] = {
            "$cid": self.cid,
            "$near": self.near,
            "$uid": self.uid,
            "$name": lambda conn: self.uid(conn)[0],
            "$uuid": lambda conn: self.uid(conn)[1],
            "$ns": lambda _: self.namespace,
            "$tag": lambda name: f"{name}-{self.run}",
            "$i": lambda _: self.round,
            "$map": lambda pairs: Map(tuple((self.value(key), self.value(item)) for key, item in pairs)),
        }
        if key in bound:
            return bound[key](argument)
        if key in _PLAIN:
            return _PLAIN[key](argument)
        raise ValueError(f"unknown tag {key}")


def _nest(levels: int) -> Raw:
    return Raw(b"\x91" * (levels - 1) + b"\x90")


_PLAIN: dict[str, Callable[[Any], Any]] = {
    "$bin": bytes.fromhex,
    "$ext": lambda argument: Ext(argument[0], bytes.fromhex(argument[1])),
    "$timestamp": lambda argument: Timestamp(*argument),
    "$int": int,
    "$float": float,
    "$raw": lambda text: Raw(bytes.fromhex(text)),
    "$repeat": lambda argument: argument[0] * argument[1],
    "$zeros": bytes,
    "$range": lambda count: list(range(count)),
    "$nest": _nest,
}
