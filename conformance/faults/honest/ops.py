"""The ops of the driver protocol, in terms of calls."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import trio

from faults.honest.inbox import ItemsLost
from iptc_conformance.tagged import tag, untag

if TYPE_CHECKING:
    from faults.honest.caller import Caller, OutCall, Outcome

KINDS = {"call": "asyncfunc", "stream": "asyncgen", "context": "context"}
_MEMBERS = {"id", "op", "func", "kwargs", "cancel_after", "take", "send"}
NAMESPACE = "iptc_testee"


async def carry_out(peer: Caller, op: Any) -> Outcome:
    """Carry one op out and return its outcome."""
    if not isinstance(op, dict) or op.get("op") not in {*KINDS, "close"} or op.keys() - _MEMBERS:
        return {"outcome": "unsupported"}
    if op["op"] == "close":
        await peer.leave()
        return {"outcome": "closed"}
    await peer.ready.wait()
    if peer.gone.is_set() or peer.leaving:
        return {"outcome": "disconnected"}
    try:
        kwargs = {name: untag(value) for name, value in op.get("kwargs", {}).items()}
        send = untag(op.get("send"))
    except ValueError as error:
        return {"outcome": "unsupported", "detail": str(error)}
    partial: Outcome = {}
    call = await peer.open(peer.conns[0], (NAMESPACE, op["func"], kwargs), KINDS[op["op"]])
    with trio.move_on_after(op.get("cancel_after", float("inf"))) as scope:
        outcome = await _CARRY[op["op"]](call, op, send, partial)
    if scope.cancelled_caught:
        await peer.cancel(call)
        outcome = {"outcome": "cancelled"}
    return {**partial, **outcome}


async def _call(call: OutCall, op: Outcome, send: Any, partial: Outcome) -> Outcome:
    await call.over.wait()
    return settled(call)


async def _stream(call: OutCall, op: Outcome, send: Any, partial: Outcome) -> Outcome:
    items = partial["items"] = []
    try:
        while op.get("take") is None or len(items) < op["take"]:
            items.append(tag(await call.inbox.take()))
    except trio.EndOfChannel:
        await call.over.wait()
        return settled(call)
    except ItemsLost:
        await call.peer.cancel(call)
        return {"outcome": "error", "type": "StreamOverrun"}
    await call.peer.cancel(call)
    return {"outcome": "closed"}


async def _context(call: OutCall, op: Outcome, send: Any, partial: Outcome) -> Outcome:
    await call.started.wait()
    if call.over.is_set() and call.outcome["outcome"] != "return" and call.first is None:
        return settled(call)
    partial |= {"first": tag(call.first), "items": []}
    if send is not None or op.get("take") is not None:
        try:
            await _converse(call, send or [], op.get("take"), partial["items"])
        except ItemsLost:
            await call.peer.cancel(call)
            return {"outcome": "error", "type": "StreamOverrun"}
    await call.over.wait()
    return settled(call)


async def _converse(call: OutCall, send: list[Any], take: int | None, items: list[Any]) -> None:
    for value in send:
        await trio.lowlevel.checkpoint()
        if call.may("ITEM"):
            await call.peer.say(call, "ITEM", value)
    if take is None:
        await _end(call)
    try:
        while take is None or len(items) < take:
            items.append(tag(await call.inbox.take()))
    except trio.EndOfChannel:
        pass
    if take is not None:
        call.inbox.abandon()
        await _end(call)


async def _end(call: OutCall) -> None:
    if call.may("END"):
        await call.peer.say(call, "END", True)


def settled(call: OutCall) -> Outcome:
    """Return how a call that is over has ended, as JSON has it."""
    outcome = dict(call.outcome)
    if "value" in outcome:
        outcome["value"] = tag(outcome["value"])
    return outcome


_CARRY = {"call": _call, "stream": _stream, "context": _context}
