"""Faults in contexts, generators and terminals."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import trio

from faults.honest import Caller, Conn, ConnectionOver, OutCall
from faults.honest.table import Cell

if TYPE_CHECKING:
    from iptc_conformance.wire import Message


class SendsBeforeStarted(Caller):
    """It sends the items of a context when it has the ACK."""

    async def deliver(self, call: OutCall, event: str, message: Message) -> None:
        await super().deliver(call, event, message)
        if event == "ACK_CONTEXT":
            call.started.set()

    def cell(self, state: str, sender: str, event: str) -> Cell:
        found = super().cell(state, sender, event)
        return Cell(True, state) if (state, sender) == ("starting", "caller") and event == "ITEM" else found


class SendsWithOpen(Caller):
    """It ends its half of a context in one go with the OPEN."""

    async def open(self, conn: Conn, target: tuple[str, str, dict[str, Any]], kind: str) -> OutCall:
        call = await super().open(conn, target, kind)
        if kind == "context":
            await conn.send({"stop": True, "cid": call.cid})
        return call


class FailInsteadOfCancel(Caller):
    """It gives up a context that has not started by FAIL, not by CANCEL."""

    async def cancel(self, call: OutCall) -> None:
        if call.state in {"starting", "requested"}:
            await self.say(call, "FAIL", {"tb_str": "", "type_str": "Cancelled"})
        await super().cancel(call)


class SecondStartedTaken(Caller):
    """A repeated STARTED replaces the first value."""

    def cell(self, state: str, sender: str, event: str) -> Cell:
        found = super().cell(state, sender, event)
        return Cell(True, state) if found.clause == "CTX-02s" else found


class SecondStartedFails(Caller):
    """A repeated STARTED fails its call."""

    def cell(self, state: str, sender: str, event: str) -> Cell:
        found = super().cell(state, sender, event)
        return found._replace(reaction="fail-call") if found.clause == "CTX-02s" else found


class MissingStartedIgnored(Caller):
    """It takes the result of a context that has not started."""

    def cell(self, state: str, sender: str, event: str) -> Cell:
        if state == "starting" and sender == "callee" and event == "RESULT":
            return Cell(True, "done")
        return super().cell(state, sender, event)


class StartedInUnaryIgnored(Caller):
    """It ignores STARTED in a unary call."""

    def cell(self, state: str, sender: str, event: str) -> Cell:
        found = super().cell(state, sender, event)
        return found._replace(reaction="drop") if found.clause == "CTX-03s" else found


class ItemInUnaryIgnored(Caller):
    """It ignores an item in a unary call."""

    def cell(self, state: str, sender: str, event: str) -> Cell:
        found = super().cell(state, sender, event)
        return found._replace(reaction="drop") if found.clause == "STR-01s" else found


class ItemBehindEnd(Caller):
    """It sends the last item of a context behind its END."""

    async def say(self, call: OutCall, event: str, value: Any) -> None:
        await super().say(call, event, value)
        if event == "END" and call.state != "starting":
            await call.conn.send({"yield": None, "cid": call.cid})


class LateItemDelivered(Caller):
    """It delivers an item that follows the END of the callee."""

    def cell(self, state: str, sender: str, event: str) -> Cell:
        found = super().cell(state, sender, event)
        return Cell(True, state) if found.clause == "STR-02s" and sender == "callee" else found


class LateItemFails(Caller):
    """An item that follows the END of the callee fails the call."""

    def cell(self, state: str, sender: str, event: str) -> Cell:
        found = super().cell(state, sender, event)
        return (
            found._replace(reaction="fail-call")
            if found.clause == "STR-02s" and sender == "callee"
            else found
        )


class EndTwice(Caller):
    """It sends END again when it has the callee's."""

    def on_end(self, call: OutCall) -> None:
        super().on_end(call)
        if call.kind == "context" and call.state == "both-stopped":
            call.conn.nursery.start_soon(call.conn.send, {"stop": True, "cid": call.cid})


class EndAfterCallersFail(Caller):
    """It sends END twice where its half is used."""

    async def say(self, call: OutCall, event: str, value: Any) -> None:
        await super().say(call, event, value)
        if event == "END":
            await super().say(call, event, value)


class SecondEndFails(Caller):
    """A repeated END fails its call."""

    def cell(self, state: str, sender: str, event: str) -> Cell:
        found = super().cell(state, sender, event)
        return (
            found._replace(reaction="fail-call")
            if found.clause == "STR-03s" and sender == "callee"
            else found
        )


class SecondEndCloses(Caller):
    """A repeated END closes the connection."""

    def cell(self, state: str, sender: str, event: str) -> Cell:
        found = super().cell(state, sender, event)
        return found._replace(reaction="close") if found.clause == "STR-03s" and sender == "callee" else found


class EndToGenerator(Caller):
    """It ends its half of a generator, which has none."""

    async def deliver(self, call: OutCall, event: str, message: Message) -> None:
        await super().deliver(call, event, message)
        if event == "ACK_ASYNCGEN":
            await call.conn.send({"stop": True, "cid": call.cid})


class FailToLeaveGenerator(Caller):
    """It leaves a generator by FAIL before it cancels."""

    async def cancel(self, call: OutCall) -> None:
        if call.state == "generator":
            await call.conn.send({"error": {"tb_str": "", "type_str": "Left"}, "cid": call.cid})
        await super().cancel(call)


class StopIsNil(Caller):
    """The value of its stop is nil."""

    async def say(self, call: OutCall, event: str, value: Any) -> None:
        await super().say(call, event, None if event == "END" else value)


class FalseStopTaken(Caller):
    """It takes a stop of any value."""

    async def on_malformed(self, conn: Conn, got: Any) -> None:
        call = self.find(conn, got.cid or "")
        if got.clause != "STR-05s" or call is None:
            await super().on_malformed(conn, got)
            return
        call.state = self.cell(call.state, "callee", "END").next
        self.on_end(call)


class NewestFirst(Caller):
    """Its consumer gets the newest of the items that wait for it."""

    async def hold(self, call: Any, value: Any, size: int) -> None:
        await super().hold(call, value, size)
        call.inbox.items.rotate(1)


class FalseItemsSkipped(Caller):
    """It skips items that are false."""

    async def hold(self, call: Any, value: Any, size: int) -> None:
        if value:
            await super().hold(call, value, size)


class HundredthItemDoubled(Caller):
    """It sends its hundredth item twice."""

    async def say(self, call: OutCall, event: str, value: Any) -> None:
        await super().say(call, event, value)
        self.notes[call] = self.notes.get(call, 0) + 1
        if event == "ITEM" and self.notes[call] == 3:
            await super().say(call, event, value)


class EndClosesBoth(Caller):
    """The callee's END closes the caller's half: it sends no item any more."""

    async def say(self, call: OutCall, event: str, value: Any) -> None:
        if event != "ITEM" or call.state != "callee-stopped":
            await super().say(call, event, value)


class EndEndsTheCall(Caller):
    """It takes the callee's END for the end of a context."""

    def on_end(self, call: OutCall) -> None:
        super().on_end(call)
        call.end({"outcome": "return", "value": None})


class SecondTerminalCounts(Caller):
    """A second terminal closes the connection."""

    def cell(self, state: str, sender: str, event: str) -> Cell:
        found = super().cell(state, sender, event)
        return found._replace(reaction="close") if found.clause == "TRM-02s" else found


class LateMessageCloses(Caller):
    """A message behind a terminal closes the connection."""

    def cell(self, state: str, sender: str, event: str) -> Cell:
        found = super().cell(state, sender, event)
        return found._replace(reaction="close") if found.clause == "TRM-03s" and sender == "callee" else found


class EndBehindTerminal(Caller):
    """It ends its half of a context when the terminal has come."""

    async def deliver(self, call: OutCall, event: str, message: Message) -> None:
        before = call.state
        await super().deliver(call, event, message)
        if event == "RESULT" and before == "draining":
            await call.conn.send({"stop": True, "cid": call.cid})


class ItemsBehindTerminal(Caller):
    """It goes on sending when the terminal has come."""

    async def deliver(self, call: OutCall, event: str, message: Message) -> None:
        await super().deliver(call, event, message)
        if event in {"RESULT", "FAIL"} and call.kind == "context":
            await call.conn.send({"yield": 0, "cid": call.cid})


class ResultEndsGenerator(Caller):
    """It takes a result for the end of a generator."""

    def cell(self, state: str, sender: str, event: str) -> Cell:
        if state == "generator" and sender == "callee" and event == "RESULT":
            return Cell(True, "done")
        return super().cell(state, sender, event)


class LastItemLostWithResult(Caller):
    """The result of a context takes the last item with it."""

    async def on_message(self, conn: Conn, message: Message) -> None:
        call = self.find(conn, message.cid or "")
        if message.kind == "RESULT" and call is not None and call.kind == "context" and call.inbox.items:
            call.inbox.items.pop()
        await super().on_message(conn, message)


class ViolationEndsProcess(Caller):
    """A violation of a call ends the process."""

    def fail_call(self, call: OutCall, clause: str, *, freed: bool) -> None:
        raise RuntimeError(clause)


class ViolationFailsSiblings(Caller):
    """A violation by one call fails the other calls of the connection."""

    def fail_call(self, call: OutCall, clause: str, *, freed: bool) -> None:
        for other in list(call.conn.calls.values()):
            if not other.over.is_set():
                super().fail_call(other, clause, freed=freed)


class ViolationCloses(Caller):
    """It closes the connection where it has to fail a call."""

    def fail_call(self, call: OutCall, clause: str, *, freed: bool) -> None:
        raise ConnectionOver("violation")


class FailedCallHangs(Caller):
    """A call that is failed for a violation hangs."""

    def fail_call(self, call: OutCall, clause: str, *, freed: bool) -> None:
        call.state = "failed"
        call.conn.nursery.start_soon(trio.sleep, 0)
