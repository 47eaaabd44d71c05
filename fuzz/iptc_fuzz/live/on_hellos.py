"""Verbs about the hello, and about what comes in one chunk with something that costs the connection."""

from __future__ import annotations

from typing import Any

from iptc_conformance import wire
from iptc_fuzz.live import forms
from iptc_fuzz.live.calls import Call
from iptc_fuzz.live.frames import Meaning, meaning
from iptc_fuzz.live.script import PATIENCE, Script, Step

HELLO_PATIENCE = 15
_PARTS = (None, ["0b000000 92 a6"], ["0b00"])


def do_silent(script: Script, slot: int, _pick: int, choice: int, _value: Any) -> None:
    """A connection that says nothing, or half of its hello: it is closed."""
    conn = script.fresh_conn(slot)
    script.steps.append({"connect": conn, "hello": False, "await": False})
    if (part := _PARTS[choice % len(_PARTS)]) is not None:
        script.broken = True
        script.steps.append({"bytes": part, "on": conn})
    script.hello_seconds = 2
    script.heavy = True
    script.steps.append({"closed": conn, "clause": "HSK-05r", "within": HELLO_PATIENCE})


def do_listen(script: Script, slot: int, _pick: int, _choice: int, _value: Any) -> None:
    """A connection that waits for the testee's hello before it says its own."""
    conn = script.fresh_conn(slot)
    script.steps.append({"connect": conn, "hello": False, "await": False})
    script.steps.append({"hello_of": conn, "clause": "HSK-02s", "within": PATIENCE})
    script.steps.append({"send": {"$uid": conn}, "on": conn})
    script.conns[slot] = conn
    script.barrier(conn)


_COSTLY: tuple[Step, ...] = (
    {"send": 5},
    {"send": []},
    {"send": ["a", "b"]},
    {"send": {"future": 1}},
    {"frame": ["c1"]},
    {"frame": ["c0c0"]},
    {"bytes": ["00000000"]},
    {"bytes": ["ffffffff"]},
)


def do_behind(script: Script, slot: int, pick: int, choice: int, _value: Any) -> None:
    """A call behind something that costs the connection, in one write: it is never served."""
    conn = script.conn(slot)
    script.broken = True
    call = Call(script.name("c"), conn, "hang")
    script.functions |= {"hang", "cancelled_tags"}
    costly = {**_COSTLY[choice % len(_COSTLY)], "on": conn}
    script.steps.append({"together": [costly, call.open], "on": conn})
    script.steps.append({"closed": conn, "clause": "ROB-05r", "within": PATIENCE})
    script.steps.append({"fence": True})
    script.steps.append({"silent": call.name, "on": conn, "clause": "ROB-05r"})
    if pick & 1:
        script.steps.append({"poll": call.tag, "absent": True, "clause": "ROB-05r"})
    script.gone(conn, "DSC-03r")


def do_form(script: Script, slot: int, pick: int, choice: int, _value: Any) -> None:
    """A message of a live stream in another form, or a malformed one."""
    name = script.name("c")
    cid = f"form-{name}"
    known = forms.good(cid)
    at = (choice + 64 * (pick >> 1)) % (forms.GOOD + forms.BAD)
    call = Call(name, script.conn(slot), "ctx_echo")
    script.bind(call, cid)
    script.opened(call)
    script.settle(call)
    if at < len(known):
        script.steps.append({"frame": [known[at].body.hex()], "on": call.conn})
        call.items = [known[at].item]
        script.settle(call)
        return
    body = forms.bad(cid)[at - len(known)]
    seen = wire.classify(body)
    script.broken = True
    script.steps.append({"frame": [body.hex()], "on": call.conn})
    if seen.event is wire.Event.CALL and seen.cid == cid and seen.kind == "ITEM":
        call.items = [{"$any": True}]
        script.settle(call)
    elif seen.cid == cid:
        ours = {"ignored_warns": "ROB-04r", "any_type": True, "result_too": True}
        clause = (seen.clause or "ROB-04r")[:-1] + "r"
        script.steps.append({"contained": name, **ours, "clause": clause, "within": PATIENCE})
        call.loose = True
    elif seen.event.value in {"MALFORMED_OBJECT", "MALFORMED_BYTES"}:
        clause = (seen.clause or "ROB-02r")[:-1] + "r"
        script.steps.append({"closed": call.conn, "clause": clause, "within": PATIENCE})
        script.gone(call.conn, "DSC-03r")
    else:
        script.barrier(call.conn)


def do_body(script: Script, slot: int, pick: int, choice: int, _value: Any) -> None:
    """An OPEN that is wrong whoever says it."""
    name = script.name("g")
    cid = f"body-{name}"
    bodies = forms.commands(cid)
    put_body(script, script.conn(slot), bodies[(choice + 64 * (pick >> 1)) % len(bodies)])


def put_body(script: Script, conn: str, body: bytes) -> None:
    """Send a body, and see that it costs what the rules say."""
    meant = meaning(body)
    if meant is None or (conn, meant.cid) in script.taken:
        return  # what it means to a call is another matter
    script.broken = True
    frame: Step = {"frame": [body.hex()], "on": conn}
    _cost(script, conn, frame, meant)


def _cost(script: Script, conn: str, frame: Step, meant: Meaning) -> None:
    if meant.effect == "close":
        script.steps.append(frame)
        script.steps.append({"closed": conn, "clause": meant.clause, "within": PATIENCE})
        script.gone(conn, "DSC-03r")
    elif meant.effect == "refuse":
        call = Call(script.name("g"), conn, "echo", over=True)
        script.bind(call, meant.cid or "")
        script.steps.append(frame)
        ours = {"any_type": True, "clause": meant.clause, "on": conn}
        script.steps.append({"contained": call.name, **ours, "within": PATIENCE})
    else:
        script.steps.append(frame)
        script.barrier(conn)
