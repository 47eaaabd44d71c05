"""Verbs about how calls are told apart: cids that are nearly the same, or the same on two connections."""

from __future__ import annotations

from typing import Any

from iptc_fuzz.live.calls import Call
from iptc_fuzz.live.script import PATIENCE, UNKNOWN, Script, Step

_CIDS: tuple[tuple[str, str], ...] = (
    ("c-0123456789abcdef", "c-0123456789abcdeg"),
    ("Abc", "aBc"),
    ("é", "e\u0301"),
    ("x" * 255 + "a", "x" * 255 + "b"),
    ("é" * 127 + "a", "é" * 127 + "b"),
    ("1", "01"),
    ("a", "a "),
    ("a\0", "a\0b"),
    ("\U0001f600", "\U0001f601"),
    ("x" * 65, "x" * 66),
    ("x" * 31, "x" * 32),
    ("\u212b", "Å"),
    ("\ufeffa", "a"),
    ("ß", "ss"),
    ("../a", "a"),
    ("-1", "+1"),
    ("é" * 128, "é" * 127),
    ("a.b", "a/b"),
    ("nil", "null"),
    ("\x7f", "\x80"),
)
"""Pairs of legal cids that a careless table takes for one, or cuts, or refuses."""
PAIRS = len(_CIDS)


def _free(script: Script, conn: str, choice: int) -> tuple[str, str] | None:
    """The pair of a choice, or the next one of which no call of a connection has had any cid."""
    pairs = (_CIDS[(choice + more) % PAIRS] for more in range(PAIRS))
    return next((pair for pair in pairs if not any((conn, cid) in script.taken for cid in pair)), None)


def do_named(script: Script, slot: int, pick: int, choice: int, _value: Any) -> None:
    """Two live calls with nearly the same cid; one is cancelled, and the other goes on."""
    first, second = (Call(script.name("n"), script.conn(slot), "hang") for _ in range(2))
    pair = _free(script, first.conn, choice)
    if pair is None:
        return
    for call, cid in zip((first, second), pair, strict=True):
        script.bind(call, cid)
    calls = (first, second) if pick & 1 else (second, first)
    for call in calls:
        script.opened(call)
        script.settle(call)
    script.steps.append(script.cancel(calls[0]))
    script.reap(calls[0])
    script.barrier(first.conn)


def do_talk(script: Script, slot: int, pick: int, choice: int, value: Any) -> None:
    """A stream whose cid is drawn: an item and its echo."""
    call = Call(script.name("n"), script.conn(slot), "ctx_echo")
    pair = _free(script, call.conn, choice)
    if pair is None:
        return
    script.bind(call, pair[pick & 1])
    script.opened(call)
    script.settle(call)
    script.steps.append({"item": call.name, "value": value, "on": call.conn})
    call.items = [value]
    script.settle(call)


def do_twin(script: Script, slot: int, pick: int, choice: int, _value: Any) -> None:
    """The same cid on two connections at once: what is said of one is not said of the other."""
    func = ("ctx_echo", "hang", "count_forever", "ctx_hang")[choice % 4]
    mine, theirs = script.conn(slot), script.conn((slot + 1) % 3)
    first, second = Call(script.name("n"), mine, func), Call(script.name("n"), theirs, func)
    script.opened(first)
    script.settle(first)
    script.steps.append({"bind": second.name, "cid": {"$cid": first.name}})
    script.opened(second)
    script.settle(second)
    one, other = (first, second) if pick & 1 else (second, first)
    if func == "ctx_echo":
        for call, value in ((one, "one"), (other, "other")):
            script.steps.append({"item": call.name, "value": value, "on": call.conn})
            call.items = [value]
            script.settle(call)
    script.steps.append(script.cancel(one))
    script.reap(one)
    script.barrier(other.conn)


def do_foreseen(script: Script, slot: int, _pick: int, choice: int, _value: Any) -> None:
    """A CANCEL of a cid that is opened only then: it finds nothing, and does nothing to the call."""
    call = Call(script.name("n"), script.conn(slot), ("hang", "ctx_hang", "ctx_echo")[choice % 3])
    kill = script.name("k")
    script.steps.append({"cancel": kill, "target": call.name, "on": call.conn})
    events: list[Step] = [{"ack": "asyncfunc"}, UNKNOWN]
    script.steps.append({"expect": kill, "events": events, "clause": "CXL-05r", "within": PATIENCE})
    script.opened(call)
    script.settle(call)
    script.barrier(call.conn)
