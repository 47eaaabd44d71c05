"""Faults in cancelling."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import trio

from faults.honest import Call, Callee, Conn
from faults.honest.callee import CANCEL, failure
from faults.honest.table import live

if TYPE_CHECKING:
    from faults.honest.callee import Outcome
    from faults.honest.fixture import Entry
    from iptc_conformance.wire import Message


class CancelUnacknowledged(Callee):
    """It answers a CANCEL with a result alone."""

    async def acknowledge(self, call: Call) -> None:
        if call.func == "_cancel_task":
            call.state = "unary"
        else:
            await super().acknowledge(call)


class CancelWithoutResult(Callee):
    """It acknowledges a CANCEL and sends no result of it."""

    async def finish(self, call: Call, outcome: Outcome) -> None:
        if call.func != "_cancel_task":
            await super().finish(call, outcome)


class CancelAnsweredAtOnce(Callee):
    """It answers a CANCEL before its target is over."""

    async def cancel(self, conn: Conn, own: Call, target: str) -> Any:
        call = self.find(conn, target)
        if call is None or call is own:
            return False
        self.give_up(call, call.why)
        return True


class CancelWaitsASecond(Callee):
    """It waits for a clean-up no longer than a twentieth of a second, then answers the CANCEL."""

    async def cancel(self, conn: Conn, own: Call, target: str) -> Any:
        with trio.move_on_after(0.05):
            return await super().cancel(conn, own, target)
        return True


class CancelReturnsNil(Callee):
    """The result of a CANCEL is nil."""

    async def cancel(self, conn: Conn, own: Call, target: str) -> Any:
        await super().cancel(conn, own, target)


class CancelAlwaysTrue(Callee):
    """The result of a CANCEL is true, whatever it did."""

    async def cancel(self, conn: Conn, own: Call, target: str) -> Any:
        await super().cancel(conn, own, target)
        return True


class CancelledIsAResult(Callee):
    """A cancelled unary call ends with nil."""

    def cancelled(self, call: Call) -> Outcome:
        return ("RESULT", None) if call.kind == "asyncfunc" else super().cancelled(call)


class CancelledGeneratorEnds(Callee):
    """A cancelled generator ends as if it were at its end."""

    def cancelled(self, call: Call) -> Outcome:
        return ("END", True) if call.kind == "asyncgen" else super().cancelled(call)


class CancelledByAnotherName(Callee):
    """A cancelled context ends with the name that its language has for it."""

    def cancelled(self, call: Call) -> Outcome:
        event, value = super().cancelled(call)
        named = call.kind == "context" and call.why == "ContextCancelled"
        return event, failure("CancelledError") if named else value


class UnknownTargetUnanswered(Callee):
    """It does not answer a CANCEL of an unknown call."""

    async def finish(self, call: Call, outcome: Outcome) -> None:
        if call.func != "_cancel_task" or outcome[1] is not False:
            await super().finish(call, outcome)


class UnknownTargetFails(Callee):
    """A CANCEL of an unknown call ends the connection."""

    async def cancel(self, conn: Conn, own: Call, target: str) -> Any:
        if self.find(conn, target) is None:
            await conn.close()
        return await super().cancel(conn, own, target)


class EarlyCancelKept(Callee):
    """It keeps a CANCEL of an unknown cid for the call that will have it."""

    async def cancel(self, conn: Conn, own: Call, target: str) -> Any:
        self.notes[conn.number, target] = True
        return await super().cancel(conn, own, target)

    async def acknowledge(self, call: Call) -> None:
        await super().acknowledge(call)
        if (call.conn.number, call.cid) in self.notes:
            self.give_up(call, "ContextCancelled")


class CancelInTheReader(Callee):
    """It reads on only when a CANCEL has its result."""

    async def open(self, conn: Conn, message: Message) -> None:
        await super().open(conn, message)
        call = conn.calls.get(message.cid or "")
        if call is not None and call.func == "_cancel_task":
            await call.over.wait()


class CleanUpBlocksAll(Callee):
    """While a cancelled call cleans up, no other call of the process is finished."""

    async def finish(self, call: Call, outcome: Outcome) -> None:
        busy = [c for conn in self.conns for c in conn.calls.values() if c.scope.cancel_called]
        for other in busy:
            if other is not call and call.func == "echo":
                await other.over.wait()
        await super().finish(call, outcome)


class SecondCancelUnanswered(Callee):
    """It does not answer the second CANCEL of a target."""

    async def cancel(self, conn: Conn, own: Call, target: str) -> Any:
        call = self.find(conn, target)
        if call is not None and call.scope.cancel_called:
            await trio.sleep_forever()
        return await super().cancel(conn, own, target)


class SecondCancelForces(Callee):
    """A second CANCEL breaks off the clean-up of its target, and ends it at once."""

    async def cancel(self, conn: Conn, own: Call, target: str) -> Any:
        call = self.find(conn, target)
        if call is not None and call.scope.cancel_called:
            await self.finish(call, ("FAIL", failure("ContextCancelled")))
            return True
        return await super().cancel(conn, own, target)


class CancelBeforeStartedLost(Callee):
    """A CANCEL of a context that has not started is lost."""

    async def cancel(self, conn: Conn, own: Call, target: str) -> Any:
        call = self.find(conn, target)
        if call is not None and call.state == "starting":
            return False
        return await super().cancel(conn, own, target)


class PipelinedCancelLost(Callee):
    """A CANCEL that comes before its target's task has run is lost."""

    async def cancel(self, conn: Conn, own: Call, target: str) -> Any:
        call = self.find(conn, target)
        if call is not None and call.number + 1 == own.number and call.func not in self.notes:
            self.notes[call.func] = True
            return False
        return await super().cancel(conn, own, target)


class CancelAfterCallersEndLost(Callee):
    """A CANCEL of a context whose caller has stopped is lost."""

    async def cancel(self, conn: Conn, own: Call, target: str) -> Any:
        call = self.find(conn, target)
        if call is not None and call.state in {"caller-stopped", "both-stopped"}:
            return False
        return await super().cancel(conn, own, target)


class CancelTakesAnyArguments(Callee):
    """It takes further arguments of a CANCEL."""

    def misfit(self, entry: Entry, kwargs: Any) -> bool:
        return super().misfit(entry, {"cid": kwargs.get("cid")} if entry is CANCEL else kwargs)


class NilTargetCancelsAll(Callee):
    """A CANCEL of nil cancels all calls of its connection."""

    def misfit(self, entry: Entry, kwargs: Any) -> bool:
        return (entry is not CANCEL or kwargs != {"cid": None}) and super().misfit(entry, kwargs)

    async def cancel(self, conn: Conn, own: Call, target: str | None) -> Any:
        if target is not None:
            return await super().cancel(conn, own, target)
        for call in conn.calls.values():
            if call is not own:
                self.give_up(call, call.why)
        return True


class ListTargetEndsProcess(Callee):
    """A CANCEL of a list ends the process."""

    def misfit(self, entry: Entry, kwargs: Any) -> bool:
        if entry is CANCEL and isinstance(kwargs.get("cid"), list):
            raise TypeError("unhashable type: list")
        return super().misfit(entry, kwargs)


class CancelAcrossConnections(Callee):
    """A CANCEL reaches the calls of every connection."""

    async def cancel(self, conn: Conn, own: Call, target: str) -> Any:
        homes = (other for other in self.conns if target in other.calls)
        return await super().cancel(next(homes, conn), own, target)


class CancelAcrossOneUid(Callee):
    """A CANCEL reaches the calls of every connection that claims its uid."""

    async def cancel(self, conn: Conn, own: Call, target: str) -> Any:
        homes = (other for other in self.conns if other.theirs == conn.theirs and target in other.calls)
        return await super().cancel(next(homes, conn), own, target)


class CancelTakesSiblings(Callee):
    """A CANCEL ends all calls of one function."""

    async def cancel(self, conn: Conn, own: Call, target: str) -> Any:
        call = self.find(conn, target)
        for other in conn.calls.values():
            if call is not None and other.func == call.func and live(other.state) and other is not own:
                self.give_up(other, other.why)
        return await super().cancel(conn, own, target)
