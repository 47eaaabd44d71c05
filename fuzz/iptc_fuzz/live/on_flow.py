"""Verbs about many items, about slow endings, and about much at once."""

from __future__ import annotations

from typing import Any

from iptc_fuzz.live.calls import Call, small
from iptc_fuzz.live.script import PATIENCE, Script, Step

_HELD = (1, 15, 16, 17, 32, 63, 64)
_SECONDS = 1.0
_FED = 2000
_CHOKED = (400, 3000)
_AT_ONCE = (9, 20, 64)
_BULK = 3_000_000


def _values(choice: int, value: Any) -> Any:
    return ({"$i": True}, value, {"$zeros": 10000})[choice % 3]


def do_hold(script: Script, slot: int, pick: int, choice: int, value: Any) -> None:
    """Items that nobody takes, as many as anybody holds at the least; then the call is cancelled."""
    value = small(value)
    call = script.opened(Call(script.name("c"), script.conn(slot), "ctx_hang"))
    script.settle(call)
    script.steps.append(_items(call, _HELD[choice % len(_HELD)], _values(pick, value)))
    if choice & 8:
        script.steps.append({"end": call.name, "on": call.conn})
        call.ended = True
    script.barrier(call.conn)
    script.steps[-1]["clause"] = "FLW-08r"
    script.steps.append(script.cancel(call))
    script.reap(call)
    if choice & 16:
        heir = Call(script.name("c"), call.conn, "ctx_collect")
        script.steps.append({"bind": heir.name, "cid": {"$cid": call.name}})
        script.calls = [known for known in script.calls if known is not call]
        script.opened(heir)
        script.settle(heir)
        script.steps.append({"end": heir.name, "on": heir.conn})
        script.expect(heir, heir.stopped, wrong_clause="CID-06r")
        heir.over = heir.ended = True


def _items(call: Call, times: int, value: Any) -> Step:
    step: Step = {"item": call.name, "value": value, "on": call.conn}
    return {**step, "times": times} if times > 1 else step


def do_pour(script: Script, slot: int, pick: int, choice: int, value: Any) -> None:
    """Items and the END behind them in one write: none is lost, and none comes before another."""
    value = small(value)
    func = ("ctx_echo", "ctx_collect")[pick & 1]
    call = script.opened(Call(script.name("c"), script.conn(slot), func))
    script.settle(call)
    times = _HELD[choice % len(_HELD)]
    numbers = choice // len(_HELD) % 3 == 0
    one = {"$i": True} if numbers else {"$zeros": 10000} if choice // len(_HELD) % 3 == 1 else value
    call.items = list(range(times)) if numbers else [one] * times
    parts: list[Step] = [_items(call, times, one), {"end": call.name, "on": call.conn}]
    if pick & 2:  # what comes behind the END is dropped
        script.broken = True
        parts.append({"item": call.name, "value": "late", "on": call.conn})
    script.steps.append({"together": parts, "on": call.conn})
    call.ended = True
    script.expect(call, call.stopped)
    call.over = True


def do_feed(script: Script, slot: int, _pick: int, _choice: int, _value: Any) -> None:
    """More items than anybody holds to a function that keeps taking them: all of them arrive."""
    script.heavy = True
    call = script.opened(Call(script.name("c"), script.conn(slot), "ctx_collect"))
    script.settle(call)
    script.steps += [_items(call, _FED, {"$i": True}), {"end": call.name, "on": call.conn}]
    events: list[Step] = [{"end": True, "times": "?"}, {"result": {"$range": _FED}}]
    script.steps.append(
        {"expect": call.name, "events": events, "clause": "FLW-09r", "on": call.conn, "within": 15}
    )
    call.over = call.ended = True


def do_choke(script: Script, slot: int, _pick: int, _choice: int, _value: Any) -> None:
    """Items to an echo that can't be rid of its own: they all come back, or the loss is told."""
    script.heavy = True
    call = script.opened(Call(script.name("c"), script.conn(slot), "ctx_echo"))
    script.settle(call)
    large, small = _CHOKED
    anything = {"$any": True}
    script.steps += [
        {"deaf": call.conn},
        _items(call, large, {"$repeat": ["x", 30000]}),
        _items(call, small, {"$i": True}),
        {"end": call.name, "on": call.conn},
        {"pass": 4},
        {"hear": call.conn},
    ]
    whole: list[Step] = [{"item": anything, "times": large}, {"items": {"$range": small}}]
    whole += [{"end": True, "times": "?"}, {"result": large + small}]
    told: list[Step] = [
        {"item": anything, "times": "*"},
        {"overrun": True},
        {"one_of": [{"item": anything}, {"overrun": True}], "times": "*"},
        {"end": True, "times": "?"},
        {"one_of": [{"result": anything}, {"fail": "*"}]},
    ]
    step: Step = {"expect": call.name, "any": [whole, told], "on": call.conn, "clause": "FLW-02s"}
    script.steps.append({**step, "within": 20})
    call.over = call.ended = True


def do_crossing(script: Script, slot: int, pick: int, choice: int, value: Any) -> None:
    """What the caller says while its call ends by itself: it has crossed the terminal, and is dropped."""
    value = small(value)
    func = ("ctx_return", "ctx_fail", "ctx_push", "echo")[choice % 4]
    call = script.opened(Call(script.name("c"), script.conn(slot), func, 1, 3))
    if func == "echo":
        script.steps.append(script.cancel(call))
        script.reap(call)
        return
    script.expect(call, call.first)
    said: list[Step] = [
        _items(call, 3, value),
        {"overrun": call.name, "on": call.conn},
        {"end": call.name, "on": call.conn},
    ]
    script.steps += said[pick % 3 :]
    ending = {"fail": "*"} if func == "ctx_fail" else {"result": {"$any": True}}
    step: Step = {"terminal": call.name, "clause": "TRM-01s", "be": ending, "be_clause": "TRM-07r"}
    script.steps.append({**step, "within": PATIENCE})
    call.settled = call.over = call.ended = True
    script.barrier(call.conn)


def do_slow(script: Script, slot: int, pick: int, choice: int, _value: Any) -> None:
    """A cancelled call takes its time to clean up: others are served meanwhile, and ended as well."""
    conn = script.conn(slot)
    call = script.opened(Call(script.name("c"), conn, "slow_cancel", seconds=_SECONDS))
    script.settle(call)
    first = script.cancel(call)
    script.heavy = True
    more: list[Step] = []
    others: list[Call] = []
    if choice & 1:
        other = Call(script.name("c"), conn, "echo")
        script.calls.append(other)
        more.append(other.open)
        others.append(other)
    if choice & 2:
        other = script.opened(Call(script.name("c"), conn, "hang"))
        script.settle(other)
        more.append(script.cancel(other))
        others.append(other)
    kills = [kill for other in others for kill in other.cancels] or [one.name for one in others]
    if not more:
        more.append(script.cancel(call))
    split = len(script.steps) if pick & 1 else None
    parts = [first, *more]
    script.steps += parts if split else [{"together": parts, "on": conn}]
    for other in others:
        script.settle(other)
    _ends(script, call)
    if kills and not split:
        script.steps.append({"order": [kills[0], first["cancel"]], "clause": "CXL-06r"})


def _ends(script: Script, call: Call) -> None:
    kills = list(call.cancels)
    step: Step = {"terminal": call.name, "clause": "TRM-01s", "be": {"fail": "ContextCancelled"}}
    script.steps.append({**step, "be_clause": "CXL-04s", "within": PATIENCE})
    for kill in kills:
        answer = {"be": {"result": {"$any": True}}, "clause": "CXL-07r" if len(kills) > 1 else "CXL-01r"}
        script.steps.append({"terminal": kill, **answer, "within": PATIENCE})
    call.cancels = []
    call.over = True


def do_crowd(script: Script, slot: int, _pick: int, choice: int, _value: Any) -> None:
    """Many calls that last, opened at once: one more is served beside them."""
    conn = script.conn(slot)
    func = ("hang", "ctx_hang_before_started", "ctx_hang")[choice % 3]
    made = [Call(script.name("c"), conn, func) for _ in range(_AT_ONCE[choice // 3 % 3] - 1)]
    script.functions.add(func)
    script.steps.append({"together": [call.open for call in made], "on": conn})
    script.calls += made
    script.barrier(conn)
    script.steps[-1]["clause"] = "OPN-11r"
    script.steps.append({"fence": True, "clause": "OPN-11r", "within": PATIENCE})
    script.steps.append({"close": conn, "how": "close"})
    for call in made:
        call.over = True
    script.gone(conn, "DSC-03r")


def do_visitors(script: Script, _slot: int, _pick: int, _choice: int, _value: Any) -> None:
    """Connections that come and go: each is served as the first was."""
    script.heavy = True
    script.steps.append({"repeat": 80, "steps": [{"fence": True, "clause": "HSK-01s"}]})


def do_bulk(script: Script, slot: int, pick: int, choice: int, _value: Any) -> None:
    """Large frames beside small ones, whole or while their call is cancelled: each arrives in one piece."""
    conn = script.conn(slot)
    script.heavy = True
    if choice % 3 == 0:
        calls = [
            Call(script.name("c"), conn, "echo", {"$repeat": ["x", _BULK]}),
            Call(script.name("c"), conn, "echo", "small"),
            Call(script.name("c"), conn, "count", count=20),
        ]
        script.functions |= {"echo", "count"}
        script.calls += calls
        script.steps.append({"together": [call.open for call in calls], "on": conn})
        for call in calls:
            script.settle(call)
        return
    if choice % 3 == 1:
        call = script.opened(Call(script.name("c"), conn, "ctx_echo"))
        script.settle(call)
        parts = [_items(call, 5, {"$zeros": 200000}), script.cancel(call)]
        script.steps.append({"together": parts, "on": conn})
    else:
        call = script.opened(Call(script.name("c"), conn, "ctx_push", {"$repeat": ["y", 1000]}, count=3000))
        script.expect(call, [{"ack": "context"}, {"started": {"$any": True}}, {"item": 0}])
        script.steps.append(script.cancel(call))
    script.steps.append({"terminal": call.name, "clause": "FRM-05s", "within": PATIENCE})
    script.steps.append({"terminal": call.cancels[0], "clause": "FRM-05s", "within": PATIENCE})
    call.cancels = []
    call.over = True
    script.barrier(conn)
    if pick & 1:
        script.barrier(conn)


def do_largest(script: Script, slot: int, _pick: int, choice: int, _value: Any) -> None:
    """A frame that is nearly as large as frames may be."""
    script.heavy = True
    size = (1 << 20, 2 << 20, 16 << 20, (64 << 20) - 900)[choice % 4]
    call = Call(script.name("c"), script.conn(slot), "echo")
    script.opened(
        call,
        {"open": call.name, "func": "count", "kwargs": {"n": 0, "pad": {"$zeros": size}}, "on": call.conn},
    )
    script.functions.add("count")
    script.steps.append(
        {"expect": call.name, "events": [{"fail": "*"}], "on": call.conn, "clause": "FRM-06r", "within": 30}
    )
    call.settled = call.over = True
    script.barrier(call.conn)
