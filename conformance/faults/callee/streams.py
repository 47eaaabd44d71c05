"""Faults in contexts, items and stops."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from faults.honest import Call, Callee, Conn, ConnectionOver
from faults.honest.table import Cell

if TYPE_CHECKING:
    from iptc_conformance.wire import Classified, Message


class StartedOmittedForNil(Callee):
    """It sends no STARTED where the first value is nil or zero."""

    async def say(self, call: Call, event: str, value: Any) -> None:
        if event != "STARTED" or value:
            await super().say(call, event, value)


class FirstItemBeforeStarted(Callee):
    """A context that pushes sends its first item before STARTED."""

    async def say(self, call: Call, event: str, value: Any) -> None:
        if event == "STARTED" and call.func == "ctx_push":
            await super().say(call, "ITEM", 0)
        if not (event == "ITEM" and call.func == "ctx_push" and value == 0):
            await super().say(call, event, value)


class StartedAgainWithFirstItem(Callee):
    """It repeats STARTED before the first item of a context."""

    async def say(self, call: Call, event: str, value: Any) -> None:
        if event == "ITEM" and call.kind == "context" and call.items == 1:
            await super().say(call, "STARTED", None)
        await super().say(call, event, value)


class GeneratorsStart(Callee):
    """It sends STARTED in a generator too."""

    async def acknowledge(self, call: Call) -> None:
        await super().acknowledge(call)
        if call.kind == "asyncgen":
            await self.say(call, "STARTED", None)


class EarlyItemEndsProcess(Callee):
    """An item before STARTED ends the process."""

    async def on_message(self, conn: Conn, message: Message) -> None:
        if self.state(conn, message.cid or "") == "starting" and message.kind == "ITEM":
            raise RuntimeError("no stream")
        await super().on_message(conn, message)


class ProgressFromUnary(Callee):
    """A unary call reports its progress by an item."""

    async def say(self, call: Call, event: str, value: Any) -> None:
        if event == "RESULT" and call.func == "echo":
            await super().say(call, "ITEM", 100)
        await super().say(call, event, value)


class LastItemBehindEnd(Callee):
    """The last item of a context that pushes comes behind its END."""

    async def say(self, call: Call, event: str, value: Any) -> None:
        held = self.notes.pop(call, None)
        if held is not None and event != "END":
            await super().say(call, "ITEM", held[0])
        if event == "ITEM" and call.func == "ctx_push":
            self.notes[call] = [value]
            return
        await super().say(call, event, value)
        if held is not None and event == "END":
            await super().say(call, "ITEM", held[0])


class LateItemDelivered(Callee):
    """It delivers an item that follows the END of its sender."""

    def cell(self, state: str, sender: str, event: str) -> Cell:
        found = super().cell(state, sender, event)
        return Cell(True, state, "fail-call") if found.clause == "STR-02s" and sender == "caller" else found


class LateItemCloses(Callee):
    """It closes the connection on an item that follows the END of its sender."""

    def cell(self, state: str, sender: str, event: str) -> Cell:
        found = super().cell(state, sender, event)
        return found._replace(reaction="close") if found.clause == "STR-02s" and sender == "caller" else found


class EndTwice(Callee):
    """A context that has sent END sends it again before its result."""

    async def say(self, call: Call, event: str, value: Any) -> None:
        if event == "RESULT" and call.state in {"callee-stopped", "both-stopped"}:
            await super().say(call, "END", True)
        await super().say(call, event, value)


class EndTwiceForCancelled(Callee):
    """A context that is cancelled closes its half twice."""

    async def say(self, call: Call, event: str, value: Any) -> None:
        if event == "FAIL" and call.kind == "context" and call.items:
            await super().say(call, "END", True)
            await super().say(call, "END", True)
        await super().say(call, event, value)


class SecondEndFails(Callee):
    """A repeated END fails its call."""

    def cell(self, state: str, sender: str, event: str) -> Cell:
        found = super().cell(state, sender, event)
        return (
            found._replace(reaction="fail-call")
            if found.clause == "STR-03s" and sender == "caller"
            else found
        )


class ItemToUnaryEndsProcess(Callee):
    """An item to a unary call ends the process."""

    async def on_message(self, conn: Conn, message: Message) -> None:
        if self.state(conn, message.cid or "") == "unary":
            raise AttributeError("a function has no stream")
        await super().on_message(conn, message)


class StopIsNil(Callee):
    """The value of its stop is nil."""

    async def say(self, call: Call, event: str, value: Any) -> None:
        await super().say(call, event, None if event == "END" else value)


class StopCountsItems(Callee):
    """The value of its stop is the number of items, true for one and for none."""

    async def say(self, call: Call, event: str, value: Any) -> None:
        await super().say(call, event, call.items if event == "END" and call.items > 1 else value)


class FalseStopEndsProcess(Callee):
    """A stop of another value ends the process."""

    async def on_malformed(self, conn: Conn, got: Classified) -> None:
        if got.clause == "STR-05s":
            raise AssertionError
        await super().on_malformed(conn, got)


class ThousandthItemLost(Callee):
    """It loses each thousandth item of a stream."""

    async def say(self, call: Call, event: str, value: Any) -> None:
        if event != "ITEM" or call.items % 1000:
            await super().say(call, event, value)


class ItemDoubled(Callee):
    """It sends the hundredth item twice."""

    async def say(self, call: Call, event: str, value: Any) -> None:
        await super().say(call, event, value)
        if event == "ITEM" and call.items == 100:
            await super().say(call, event, value)


class NewestFirst(Callee):
    """A consumer gets the newest of the items that wait for it."""

    async def hold(self, call: Any, value: Any, size: int) -> None:
        await super().hold(call, value, size)
        if call.func == "ctx_echo":
            call.inbox.items.rotate(1)


class FalseItemsSkipped(Callee):
    """It skips items that are false."""

    async def hold(self, call: Any, value: Any, size: int) -> None:
        if value or call.func != "ctx_collect":
            await super().hold(call, value, size)


class ItemsMixed(Callee):
    """Items of a generator go to the generator that was opened last."""

    async def say(self, call: Call, event: str, value: Any) -> None:
        if event == "ITEM" and call.kind == "asyncgen":
            call = [other for other in call.conn.calls.values() if other.kind == "asyncgen"][-1]
        await super().say(call, event, value)


class LargeItemsCut(Callee):
    """Items of more than 64 KiB are cut."""

    async def hold(self, call: Any, value: Any, size: int) -> None:
        cut = value[:65536] if isinstance(value, bytes | str) else value
        await super().hold(call, cut, size)


class NoEndBeforeResult(Callee):
    """A context that has used its stream sends no END before its result."""

    async def say(self, call: Call, event: str, value: Any) -> None:
        if event != "END" or call.kind != "context":
            await super().say(call, event, value)


class EndClosesBothHalves(Callee):
    """The caller's END closes the callee's half as well: it sends no item any more."""

    async def say(self, call: Call, event: str, value: Any) -> None:
        if event != "ITEM" or call.state not in {"caller-stopped", "both-stopped"}:
            await super().say(call, event, value)


class EndCancels(Callee):
    """The caller's END cancels its context."""

    async def deliver(self, call: Call, event: str, message: Message) -> None:
        await super().deliver(call, event, message)
        if event == "END":
            self.give_up(call, "ContextCancelled")


class SecondEndCloses(Callee):
    """A repeated END closes the connection."""

    async def on_message(self, conn: Conn, message: Message) -> None:
        state = self.state(conn, message.cid or "")
        if message.kind == "END" and state in {"caller-stopped", "both-stopped"}:
            raise ConnectionOver("violation")
        await super().on_message(conn, message)
