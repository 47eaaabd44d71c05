"""Verbs that are about connections, and about what is refused or is no message at all."""

from __future__ import annotations

from typing import Any

from iptc_fuzz.live import frames
from iptc_fuzz.live.calls import LASTING, STREAMS, TAGGED, Call, small
from iptc_fuzz.live.on_calls import a_stream, late_cancel, new_call, picked
from iptc_fuzz.live.on_hellos import put_body
from iptc_fuzz.live.script import PATIENCE, Script

_HOWS = ("close", "reset", "half")


def do_refused(script: Script, slot: int, pick: int, choice: int, _value: Any) -> None:
    """An OPEN that has to be refused, and is alone in that."""
    call = Call(script.name("c"), script.conn(slot), "echo")
    step, events, broken, clause = frames.refused(call, choice)
    script.broken = script.broken or broken
    script.opened(call, step)
    script.expect(call, events, clause=clause)
    call.settled = call.over = True
    if pick & 1:
        script.barrier(call.conn)


def do_notice(script: Script, slot: int, pick: int, _choice: int, _value: Any) -> None:
    """Give notice of an overrun."""
    fit = script.live(slot, (*STREAMS, "count_forever"))
    call = picked(fit, pick) or a_stream(script, slot, pick, pick)
    if call is not None:
        script.settle(call)
        if not call.over:
            script.steps.append({"overrun": call.name, "on": call.conn})


def do_close(script: Script, slot: int, _pick: int, choice: int, _value: Any) -> None:
    """Close a connection, in one of three ways."""
    conn, how = script.conn(slot), _HOWS[choice % 3]
    if choice & 4:
        script.opened(new_call(script, slot, choice, 1))
    script.blame = "DSC-05r"
    script.steps.append({"close": conn, "how": how})
    if how == "half":
        script.steps.append({"closed": conn, "clause": "DSC-05r", "within": PATIENCE})
    script.gone(conn, "DSC-03r")


def do_goodbye(script: Script, slot: int, _pick: int, choice: int, _value: Any) -> None:
    """Leave, and perhaps say more."""
    conn = script.conn(slot)
    script.blame = "DSC-05r"
    script.steps.append({"goodbye": conn})
    if choice & 3 == 0:
        script.broken = True
        late = Call(script.name("c"), conn, "echo")
        script.steps[-1:] = [{"together": [{"goodbye": conn}, late.open], "on": conn}]
        script.steps.append({"closed": conn, "clause": "DSC-01r", "within": PATIENCE})
        script.steps.append({"silent": late.name, "clause": "DSC-01r", "on": conn})
    else:
        for call in script.of(conn):
            if call.settled and call.lasting and not call.over and not call.loose and not call.ended:
                be = {"be": call.endings, "be_clause": "CXL-04s"}
                script.steps.append({"terminal": call.name, **be, "clause": "DSC-02r", "within": PATIENCE})
        script.steps.append({"left": conn, "clause": "DSC-02r", "within": PATIENCE})
    script.gone(conn, "DSC-03r")


def do_fatal(script: Script, slot: int, _pick: int, _choice: int, _value: Any) -> None:
    """Send FATAL."""
    conn = script.conn(slot)
    script.blame = "ERR-04r"
    script.steps.append({"fatal": "ProtocolError", "on": conn})
    script.gone(conn, "ERR-04r")
    script.steps.append({"close": conn, "how": "close"})


def do_same(script: Script, slot: int, pick: int, choice: int, _value: Any) -> None:
    """Open a call under the cid of one that lives: it costs the connection."""
    call = picked([call for call in script.live(slot, LASTING) if not call.cancels], pick)
    if call is None:
        call = script.opened(new_call(script, slot, pick, 1, LASTING))
    script.settle(call)
    if call.over:
        return
    script.broken = True
    func = 7 if choice & 1 else "echo"
    opening = [{"$ns": True}, func, {"value": 1}, {"$uid": call.conn}, {"$cid": call.name}]
    script.steps.append({"send": {"cmd": opening}, "on": call.conn})
    _lose(script, call.conn, "CID-02r")


def _lose(script: Script, conn: str, clause: str) -> None:
    script.steps.append({"closed": conn, "clause": clause, "within": PATIENCE})
    script.gone(conn, "DSC-03r")


def do_early(script: Script, slot: int, _pick: int, choice: int, value: Any) -> None:
    """A connection that says more than its hello in its first write."""
    value = small(value)
    conn = script.fresh_conn(slot)
    script.conns[slot] = conn
    call = new_call(script, slot, choice, value)
    script.opened(call)
    script.steps[-1:] = [{"connect": conn, "with": [script.steps[-1]]}]
    script.settle(call)


def do_hello(script: Script, slot: int, _pick: int, choice: int, _value: Any) -> None:
    """A connection whose first frame is no hello, or a longer one than need be."""
    conn = script.fresh_conn(slot)
    hello, legal = frames.hello(choice)
    if legal:
        script.broken = True
        own = [{"$name": conn}, {"$uuid": conn}, *hello]
        script.steps.append({"connect": conn, "hello": own, "await": True})
        script.conns[slot] = conn
        script.barrier(conn)
        return
    script.broken = True
    script.steps.append({"connect": conn, "hello": hello, "await": False})
    script.steps.append({"closed": conn, "clause": "HSK-01r", "within": PATIENCE})


def do_again(script: Script, slot: int, pick: int, _choice: int, _value: Any) -> None:
    """A second connection under the uid of the first, whose calls it must not touch."""
    mine = script.conn(slot)
    other = (slot + 1) % 3
    calls = [call for call in script.live(slot, ("hang", *STREAMS)) if call.settled and not call.cancels]
    call = picked(calls, pick)
    if call is None:
        call = script.opened(Call(script.name("c"), mine, ("hang", "ctx_hang")[pick & 1]))
        script.settle(call)
    conn = script.fresh_conn(other)
    script.conns[other] = conn
    script.steps.append({"connect": conn, "as": mine})
    late_cancel(script, call.name, conn)
    if call.func in TAGGED:
        script.functions.add("cancelled_tags")
        script.steps.append({"poll": call.tag, "absent": True, "clause": "CXL-10r"})
    script.barrier(mine)


def do_stray(script: Script, slot: int, pick: int, choice: int, _value: Any) -> None:
    """Something for a call that lives on another connection, or nowhere."""
    conn = script.conn(slot)
    foreign = [call for call in script.calls if call.conn != conn and not call.over]
    target = picked(foreign, pick)
    name = target.name if target is not None and pick & 1 else "nobody"
    if choice % 5 == 0:
        late_cancel(script, name, conn)
        return
    script.broken = True
    script.steps.append({"send": frames.stray(name, choice), "on": conn})
    script.barrier(conn)


def do_odd(script: Script, slot: int, _pick: int, choice: int, value: Any) -> None:
    """A call in another form of the same values."""
    value = small(value)
    call = Call(script.name("c"), script.conn(slot), "echo", value)
    script.opened(call, frames.odd(call, choice))
    script.settle(call)


def do_garbage(script: Script, slot: int, _pick: int, _choice: int, value: Any) -> None:
    """Any body, and what the rules say of it."""
    conn = script.conn(slot)
    put_body(script, conn, bytes.fromhex(value))


def do_noise(script: Script, slot: int, _pick: int, choice: int, _value: Any) -> None:
    """Bytes that are no frame."""
    conn = script.conn(slot)
    script.broken = True
    script.steps.append({"bytes": frames.noise(choice), "on": conn})
    if frames.NOISE[choice % len(frames.NOISE)][1]:
        _lose(script, conn, "FRM-03r")
    else:
        script.steps.append({"close": conn, "how": _HOWS[choice % 3]})
        script.gone(conn, "DSC-03r")


def do_deaf(script: Script, slot: int, pick: int, _choice: int, _value: Any) -> None:
    """Read nothing, while others go on."""
    conn = script.conn(slot)
    call = script.opened(Call(script.name("c"), conn, "ctx_push", count=1100))
    script.heavy = True
    script.steps += [{"deaf": conn}, {"fence": True, "clause": "OPN-11r", "within": PATIENCE}]
    script.steps.append({"hear": conn})
    if pick & 1:
        script.settle(call)
