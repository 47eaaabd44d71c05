"""Verbs that are about calls: each takes what is there, and makes it or does nothing if there is nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from iptc_conformance.judge.calls import cell_at
from iptc_fuzz.live import frames
from iptc_fuzz.live.calls import COUNTS, FUNCTIONS, LASTING, STREAMS, TAGGED, Call, small
from iptc_fuzz.live.script import PATIENCE, UNKNOWN, Script, Step

if TYPE_CHECKING:
    from collections.abc import Sequence

_TIMES = (1, 2, 5, 64)
_MANY = 80
_FLOOD = {"ctx_echo": 200, "ctx_hang": 1100}
_UNREAD = 64
_QUICK = tuple(func for func in FUNCTIONS if func != "slow_cancel")
_STATES = {"hang": "unary", "slow_cancel": "unary", "count_forever": "generator"}


def picked(calls: Sequence[Call], pick: int) -> Call | None:
    """One of these calls, or None."""
    return calls[pick % len(calls)] if calls else None


def new_call(script: Script, slot: int, choice: int, value: Any, funcs: Sequence[str] = FUNCTIONS) -> Call:
    """A call that was not opened yet."""
    func = funcs[choice % len(funcs)]
    count = COUNTS[(choice // len(funcs)) % len(COUNTS)]
    return Call(script.name("c"), script.conn(slot), func, value, count)


def do_open(script: Script, slot: int, pick: int, choice: int, value: Any) -> None:
    """Open a call, and perhaps see it answered."""
    call = script.opened(new_call(script, slot, choice, value))
    if pick & 1:
        script.settle(call)


def do_await(script: Script, slot: int, pick: int, _choice: int, _value: Any) -> None:
    """See a call answered as far as it can be by now."""
    if (call := picked(script.live(slot), pick)) is not None:
        script.settle(call)


def a_stream(script: Script, slot: int, pick: int, choice: int = 0) -> Call | None:
    """A stream that takes items: one that is there, or a new one."""
    fit = [call for call in script.live(slot, STREAMS) if not call.ended and not call.cancels]
    call = picked(fit, pick) or script.opened(Call(script.name("c"), script.conn(slot), STREAMS[choice % 3]))
    if not call.settled:
        script.settle(call)
    return call


def do_item(script: Script, slot: int, pick: int, choice: int, value: Any) -> None:
    """Send items."""
    times = _TIMES[(choice // 3) % len(_TIMES)]
    call = a_stream(script, slot, pick, choice)
    if call is None:
        return
    if times > 1 or call.func != "ctx_echo":
        value = small(value)
    if len(call.items) - call.echoed + times > _UNREAD:
        if call.func != "ctx_echo":
            return
        script.settle(call)
    step: Step = {"item": call.name, "value": {"$i": True} if times > 2 else value, "on": call.conn}
    script.steps.append({**step, "times": times} if times > 1 else step)
    call.items += list(range(times)) if times > 2 else [value] * times
    if small(value) != value:
        script.settle(call)


def do_end(script: Script, slot: int, pick: int, choice: int, _value: Any) -> None:
    """Close the caller's half."""
    call = a_stream(script, slot, pick, choice)
    if call is None:
        return
    script.steps.append({"end": call.name, "on": call.conn})
    call.ended = True
    if call.func != "ctx_hang" and not choice & 8:
        script.expect(call, call.stopped)
        call.over = True


def do_cancel(script: Script, slot: int, pick: int, choice: int, _value: Any) -> None:
    """Cancel a call."""
    call = picked(script.live(slot), pick)
    if call is None:
        call = script.opened(new_call(script, slot, pick, 1, LASTING))
        script.settle(call)
    script.steps.append(script.cancel(call))
    if choice & 1:
        script.reap(call)


def do_fail(script: Script, slot: int, pick: int, choice: int, _value: Any) -> None:
    """Close the caller's half with an error."""
    call = a_stream(script, slot, pick, choice)
    if call is None:
        return
    names = ("ValueError", "KeyboardInterrupt", "NoSuchTypeAnywhere", "ContextCancelled", "StreamOverrun")
    script.steps.append({"fail": call.name, "type": names[choice % 4], "on": call.conn})
    script.steps.append({"terminal": call.name, "clause": "ERR-07r", "within": PATIENCE})
    script.poll(call, "ERR-07r")
    call.over = True


def do_late(script: Script, slot: int, pick: int, choice: int, _value: Any) -> None:
    """Something for a call that is over: dropped, whatever it is."""
    call = picked(script.ended(slot), pick)
    if call is None:
        call = script.opened(
            new_call(script, slot, choice, 1, ("echo", "ctx_return", "count", "ctx_collect"))
        )
        script.settle(call)
        if call.lasting:
            _close_stream(script, call)
    if choice % 5 == 0:
        late_cancel(script, call.name, call.conn)
        return
    script.broken = True
    script.steps.append(frames.of_caller(call, choice)[1])
    if choice & 32:
        script.barrier(call.conn)


def _close_stream(script: Script, call: Call) -> None:
    script.steps.append({"end": call.name, "on": call.conn})
    script.expect(call, call.stopped)
    call.over = call.ended = True


def late_cancel(script: Script, target: str, conn: str) -> None:
    """Cancel what is over, or what was never there."""
    script.blame = "CXL-10r"
    kill = script.name("k")
    script.steps.append({"cancel": kill, "target": target, "on": conn})
    events = [{"ack": "asyncfunc"}, UNKNOWN]
    script.steps.append({"expect": kill, "events": events, "clause": "CXL-05r", "within": PATIENCE})


def do_wrong(script: Script, slot: int, pick: int, choice: int, _value: Any) -> None:
    """Something that a live call can't be told: it costs the call, or nothing."""
    call = picked([call for call in script.live(slot, LASTING) if not call.cancels], pick)
    if call is None:
        call = script.opened(new_call(script, slot, pick, 1, LASTING))
    script.settle(call)
    if call.over:
        return
    event, step = frames.of_caller(call, choice)
    state = _STATES.get(call.func, "starting" if call.func.endswith("started") else "open")
    cell = cell_at("caller-stopped" if call.ended else state, "caller", event)
    if "violates" not in cell:
        return
    script.broken = True
    script.steps.append(step)
    if cell["reaction"] == "drop":
        return
    ours = {"ignored_warns": "ROB-04r", "any_type": True, "result_too": True}
    script.steps.append({"contained": call.name, **ours, "within": PATIENCE})
    call.loose = True


def do_reuse(script: Script, slot: int, pick: int, choice: int, value: Any) -> None:
    """Open a call under the cid of one that is over."""
    value = small(value)
    old = picked(script.ended(slot), pick)
    if old is None:
        old = script.opened(new_call(script, slot, choice, value, ("echo", "count", "ctx_return")))
        script.settle(old)
    call = new_call(script, slot, choice, value)
    script.steps.append({"bind": call.name, "cid": {"$cid": old.name}})
    script.calls = [known for known in script.calls if known is not old]
    script.opened(call)
    script.settle(call)


def do_barrier(script: Script, slot: int, _pick: int, choice: int, _value: Any) -> None:
    """See that a connection, or the testee, still serves."""
    if choice & 3:
        script.barrier(script.conn(slot))
    else:
        script.steps.append({"fence": True})


def do_together(script: Script, slot: int, pick: int, choice: int, value: Any) -> None:
    """A call and its CANCEL in one write, or cut."""
    value = small(value)
    call = new_call(script, slot, choice, value)
    script.opened(call)
    open_, kill = script.steps.pop(), script.cancel(call)
    split = (None, 1, 3, 7)[pick % 4]
    step: Step = {"together": [open_, kill], "on": call.conn}
    script.steps.append({**step, "split": split} if split else step)
    if pick & 4:
        script.reap(call)


def do_burst(script: Script, slot: int, pick: int, choice: int, value: Any) -> None:
    """Many calls in one write."""
    value = small(value)
    made = [new_call(script, slot, choice + number, value) for number in range((2, 12)[pick & 1])]
    first = len(script.steps)
    for call in made:
        script.opened(call)
    parts = script.steps[first:]
    script.steps[first:] = [{"together": parts, "on": made[0].conn}]
    for call in made[:: -1 if pick & 2 else 1]:
        script.settle(call)


def do_many(script: Script, slot: int, pick: int, choice: int, _value: Any) -> None:
    """Many calls, one after the other: what each leaves behind adds up."""
    call = new_call(script, slot, choice, 1, _QUICK)
    call.count = min(call.count, 3)
    if call.func in TAGGED:
        call.func = "ctx_hang_before_started"
    script.heavy = True
    inner = Script(conns=dict(script.conns), _names=script._names)  # noqa: SLF001  (one of its kind)
    inner.opened(call)
    if pick & 1:
        inner.settle(call)
    inner._end(call)  # noqa: SLF001
    script._names = inner._names  # noqa: SLF001
    script.functions |= inner.functions
    script.steps.append({"repeat": _MANY, "steps": inner.steps})


def do_flood(script: Script, slot: int, pick: int, choice: int, _value: Any) -> None:
    """More items than anybody keeps, to a stream that echoes them or to one that reads none."""
    script.heavy = True
    func = ("ctx_echo", "ctx_hang")[choice & 1]
    call = script.opened(Call(script.name("c"), script.conn(slot), func))
    script.settle(call)
    script.steps.append({"item": call.name, "value": {"$i": True}, "times": _FLOOD[func], "on": call.conn})
    if func == "ctx_echo":
        call.items, call.ended = list(range(_FLOOD[func])), True
        script.steps.append({"end": call.name, "on": call.conn})
        items: list[Step] = [
            {"items": {"$range": _FLOOD[func]}},
            {"end": True, "times": "?"},
            {"result": _FLOOD[func]},
        ]
        script.expect(call, items, clause="FLW-09r")
        call.over = True
        return
    if pick & 1:
        script.steps.append({"barrier": call.conn, "allow": _allowed(script, call), "within": PATIENCE})
    script.steps.append(script.cancel(call))
    terminal = {"terminal": call.name, "be": {"fail": "ContextCancelled"}, "be_clause": "CXL-04s"}
    script.steps.append({**terminal, "clause": "FLW-04r", "within": PATIENCE})
    call.loose = True
    script.reap(call)


def _allowed(script: Script, call: Call) -> list[str]:
    return [
        name
        for one in script.of(call.conn)
        if one is call or not one.quiet
        for name in (one.name, *one.cancels)
    ]
