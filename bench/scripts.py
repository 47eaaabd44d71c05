"""Legal conversations from which the codec benchmark takes its bytes.

The call table lets no message pass that its call does not expect. So every figure is of whole conversations:
a script says what has to be said before, by either side, and then what one side says while the clock runs.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

from iptc_codec import (
    Ack,
    Connection,
    End,
    Fail,
    Hello,
    Item,
    Limits,
    Message,
    Open,
    Result,
    Role,
    Started,
    encode,
    frame,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Literal

SMALL_ITEM = b"\x5a" * 300
LARGE_ITEM = b"\xa5" * 65536
_CHUNK = 65536
_TRACEBACK = "Traceback (most recent call last):\n" + '  File "app.py", line 10, in work\n    step(x)\n' * 4
_UNITS = 16
_CALLS = 400
_LARGE_ITEMS = 16


class Side(Enum):
    """Who says something: the one whose messages are measured, or the other."""

    SPEAKER = "speaker"
    LISTENER = "listener"

    @property
    def uid(self) -> tuple[str, str]:
        """What its hello says."""
        return self.value, "0" * 32


@dataclass
class Script:
    """What is said before, and what is measured."""

    before: list[tuple[Side, Message]] = field(default_factory=list)
    spoken: list[Message] = field(default_factory=list)
    _calls: int = 0

    def cid(self) -> str:
        """A cid of the length that the reference peer's have."""
        self._calls += 1
        return f"0123456789abcdef-{self._calls}"

    def open(self, by: Side, cid: str) -> Open:
        """Open a call."""
        return Open.of("bench", "work", {"number": 7, "text": "some text"}, by.uid, cid)

    def opened(self, functype: Literal["asyncfunc", "asyncgen", "context"] | None = None) -> str:
        """A call that the listener has opened and the speaker, if a kind is given, has acknowledged."""
        cid = self.cid()
        self.before.append((Side.LISTENER, self.open(Side.LISTENER, cid)))
        if functype:
            self.before.append((Side.SPEAKER, Ack(functype, cid)))
        return cid

    def started(self) -> str:
        """A context that has started."""
        cid = self.opened("context")
        self.before.append((Side.SPEAKER, Started(None, cid)))
        return cid

    def listener(self) -> Connection:
        """The end that is to receive what is spoken."""
        return self._end(Side.LISTENER)

    def speaker(self) -> Connection:
        """The end that is to say it."""
        return self._end(Side.SPEAKER)

    def _end(self, side: Side) -> Connection:
        conn = Connection(side.uid, Role.INITIATOR, Limits(open_calls=1 << 20))
        hellos: list[tuple[Side, Message]] = [(one, Hello(*one.uid)) for one in Side]
        for by, message in hellos + self.before:
            if by is side:
                conn.send(message)
            else:
                conn.receive(frame(encode(message)))
        return conn

    def chunks(self) -> list[bytes]:
        """What is spoken, as a reader gets it."""
        return chunked(encode(message) for message in self.spoken)


def chunked(bodies: Iterable[bytes]) -> list[bytes]:
    """Whole frames, about 64 KiB at a time."""
    chunks, held, size = [], [], 0
    for body in bodies:
        held.append(frame(body))
        size += len(held[-1])
        if size >= _CHUNK:
            chunks.append(b"".join(held))
            held, size = [], 0
    return [*chunks, b"".join(held)] if held else chunks


def _cmd(script: Script) -> Message:
    return script.open(Side.SPEAKER, script.cid())


_KINDS: dict[str, Callable[[Script], Message]] = {
    "cmd": _cmd,
    "functype": lambda script: Ack("asyncfunc", script.opened()),
    "return": lambda script: Result(12345, script.opened("asyncfunc")),
    "started": lambda script: Started("ready", script.opened("context")),
    "stop": lambda script: End.of(script.opened("asyncgen")),
    "error": lambda script: Fail.of("ValueError", _TRACEBACK, script.opened("asyncfunc")),
}


def mix(*, large: bool = True) -> Script:
    """Every kind once a unit, the functype twice: a context with its items, a unary call, and an OPEN."""
    script = Script()
    for _ in range(_UNITS):
        context, unary = script.opened(), script.opened()
        script.spoken += [
            script.open(Side.SPEAKER, script.cid()),
            Ack("context", context),
            Started("ready", context),
            Item(SMALL_ITEM, context),
            Ack("asyncfunc", unary),
            *([Item(LARGE_ITEM, context)] if large else []),
            Result(12345, unary),
            End.of(context),
            Fail.of("ValueError", _TRACEBACK, context),
        ]
    return script


def alone(kind: str) -> Script:
    """Messages of one kind; each of a call of its own, but for items."""
    script = Script()
    script.spoken = [_KINDS[kind](script) for _ in range(_CALLS)]
    return script


def items(value: object, count: int) -> Script:
    """Items of one stream."""
    script = Script()
    context = script.started()
    script.spoken = [Item(value, context)] * count
    return script


def all_scripts() -> dict[str, Script]:
    """By name; the first is the one that the table of requirements means."""
    return {
        "mix of all kinds": mix(),
        "mix without 64 KiB": mix(large=False),
        **{kind: alone(kind) for kind in _KINDS},
        "yield, int": items(12345, _CALLS),
        "yield, 300 B": items(SMALL_ITEM, _CALLS),
        "yield, 64 KiB": items(LARGE_ITEM, _LARGE_ITEMS),
    }
