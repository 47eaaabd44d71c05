"""Faults in the terminals of calls."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from faults.honest import Call, Callee, Conn, ConnectionOver

if TYPE_CHECKING:
    from faults.honest.callee import Outcome
    from faults.honest.fixture import Entry


class NilResultOmitted(Callee):
    """It sends no result where a function returns nil."""

    async def finish(self, call: Call, outcome: Outcome) -> None:
        if outcome != ("RESULT", None):
            await super().finish(call, outcome)


class EmptyGeneratorNeverEnds(Callee):
    """A generator without items gets no END."""

    async def finish(self, call: Call, outcome: Outcome) -> None:
        if outcome[0] != "END" or call.items:
            await super().finish(call, outcome)


class CancelledGetsNoTerminal(Callee):
    """A cancelled unary call gets no terminal."""

    async def finish(self, call: Call, outcome: Outcome) -> None:
        if not (call.scope.cancelled_caught and call.kind == "asyncfunc"):
            await super().finish(call, outcome)


class GoneCallerGetsNoTerminal(Callee):
    """A context whose caller has failed gets no terminal."""

    async def finish(self, call: Call, outcome: Outcome) -> None:
        if call.state not in {"caller-stopped", "both-stopped"} or outcome[0] == "RESULT":
            await super().finish(call, outcome)


class TwoTerminals(Callee):
    """A context that fails sends a result behind its FAIL."""

    async def finish(self, call: Call, outcome: Outcome) -> None:
        await super().finish(call, outcome)
        if call.kind == "context" and outcome[0] == "FAIL":
            await super().finish(call, ("RESULT", None))


class CancelledTwice(Callee):
    """A cancelled call ends twice: by its task and by its cancel."""

    async def finish(self, call: Call, outcome: Outcome) -> None:
        await super().finish(call, outcome)
        if call.scope.cancelled_caught and call.kind == "asyncfunc":
            await super().finish(call, outcome)


class EndBehindResult(Callee):
    """The END of a context comes behind its result."""

    async def finish(self, call: Call, outcome: Outcome) -> None:
        await super().finish(call, outcome)
        if call.kind == "context" and outcome[0] == "RESULT":
            await self.say(call, "END", True)


class NoticeBehindTerminal(Callee):
    """It gives notice of an overrun when it finds items left over behind a terminal."""

    def forget(self, call: Call) -> None:
        if call.inbox.items:
            call.conn.nursery.start_soon(self.overrun, call)
        super().forget(call)

    def give_up(self, call: Call, why: str) -> None:
        call.why = why
        call.scope.cancel()


class LateMessageAnswered(Callee):
    """It answers a late message for an ended call with another FAIL."""

    async def on_unknown(self, conn: Conn, cid: str) -> None:
        if cid in self.notes:
            await self.refuse(conn, cid, "CallOver")

    def forget(self, call: Call) -> None:
        self.notes[call.cid] = True
        super().forget(call)


class LateMessageCloses(Callee):
    """It closes the connection on the second late message for an ended call."""

    async def on_unknown(self, conn: Conn, cid: str) -> None:
        self.notes[cid] = self.notes.get(cid, 0) + 1
        if self.notes[cid] > 1:
            raise ConnectionOver("violation")


class GeneratorsReturn(Callee):
    """A generator ends with a result instead of END."""

    def returned(self, call: Call, value: Any) -> Outcome:
        return "RESULT", value


class ContextsStop(Callee):
    """A context that returns nothing ends with END."""

    def returned(self, call: Call, value: Any) -> Outcome:
        if call.func == "ctx_return" and not isinstance(value, int):
            return "END", True
        return super().returned(call, value)


class ErrorEndsConnection(Callee):
    """A function that raises ends its connection."""

    async def finish(self, call: Call, outcome: Outcome) -> None:
        await super().finish(call, outcome)
        if outcome[0] == "FAIL" and not call.scope.cancel_called:
            await call.conn.close()


class ErrorCancelsSiblings(Callee):
    """A function that raises cancels the other calls of its connection, as a nursery does."""

    async def run(self, call: Call, entry: Entry, kwargs: dict[str, Any]) -> Outcome:
        outcome = await super().run(call, entry, kwargs)
        if outcome[0] == "FAIL":
            for other in call.conn.calls.values():
                if other is not call:
                    self.give_up(other, "Cancelled")
        return outcome


class ErrorEndsProcess(Callee):
    """A context that raises before it has started ends the process."""

    async def run(self, call: Call, entry: Entry, kwargs: dict[str, Any]) -> Outcome:
        outcome = await super().run(call, entry, kwargs)
        if outcome[0] == "FAIL" and call.state == "starting":
            raise RuntimeError(outcome)
        return outcome


class CrossingItemCloses(Callee):
    """It closes the connection on an item that crosses the terminal."""

    async def on_unknown(self, conn: Conn, cid: str) -> None:
        if self.notes.get(cid) == "context":
            raise ConnectionOver("violation")

    def forget(self, call: Call) -> None:
        self.notes[call.cid] = call.kind
        super().forget(call)


class RaisedErrorReturned(Callee):
    """What a function raises is returned as its text."""

    async def run(self, call: Call, entry: Entry, kwargs: dict[str, Any]) -> Outcome:
        event, value = await super().run(call, entry, kwargs)
        return ("RESULT", value["tb_str"]) if event == "FAIL" and call.kind == "asyncfunc" else (event, value)


class GeneratorErrorIsEnd(Callee):
    """A generator that raises ends as if it were at its end."""

    async def run(self, call: Call, entry: Entry, kwargs: dict[str, Any]) -> Outcome:
        outcome = await super().run(call, entry, kwargs)
        return ("END", True) if call.kind == "asyncgen" else outcome


class FailedStaysOpen(Callee):
    """A call that fails for a violation fails again when its task is over."""

    def fail_call(self, call: Call) -> None:
        call.conn.nursery.start_soon(self.refuse, call.conn, call.cid, "ProtocolError")
        super().fail_call(call)
