"""Faults in errors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from faults.honest import Call, Callee, Conn
from faults.honest.callee import failure

if TYPE_CHECKING:
    from faults.honest.callee import Outcome
    from faults.honest.fixture import Entry
    from iptc_conformance.wire import Classified


class TracebackOmitted(Callee):
    """It leaves an empty traceback out of an error."""

    def encode(self, message: Any) -> bytes:
        if isinstance(message, dict) and message.get("error", {}).get("tb_str", "x") == "":
            message = {**message, "error": {"type_str": message["error"]["type_str"]}}
        return super().encode(message)


class ErrorWithMessage(Callee):
    """It adds the message to the body of an error."""

    def encode(self, message: Any) -> bytes:
        if isinstance(message, dict) and "error" in message:
            message = {**message, "error": {**message["error"], "msg": ""}}
        return super().encode(message)


class TypeOfErrorEmpty(Callee):
    """The type of what was raised is empty."""

    async def finish(self, call: Call, outcome: Outcome) -> None:
        if outcome[0] == "FAIL" and not call.scope.cancelled_caught:
            outcome = ("FAIL", failure("", outcome[1]["tb_str"]))
        await super().finish(call, outcome)


class FatalIgnored(Callee):
    """It ignores FATAL."""

    def on_fatal(self, conn: Conn) -> None:
        return


class FatalEndsProcess(Callee):
    """FATAL ends the process."""

    def on_fatal(self, conn: Conn) -> None:
        raise RuntimeError("the other side has crashed")


class FatalEndsAllConnections(Callee):
    """FATAL ends the calls of all connections."""

    def on_fatal(self, conn: Conn) -> None:
        for other in self.conns:
            for call in other.calls.values():
                self.give_up(call, call.why)
        super().on_fatal(conn)


class FailsAsOverrun(Callee):
    """It holds 64 items, and a call whose items were lost ends with the type of the notice."""

    held_items = 64

    async def run(self, call: Call, entry: Entry, kwargs: dict[str, Any]) -> Outcome:
        event, value = await super().run(call, entry, kwargs)
        lost = event == "FAIL" and value["type_str"] == "ItemsLost"
        return event, failure("StreamOverrun") if lost else value


class AllErrorsAreOverruns(Callee):
    """A context that raises ends with the type of the notice."""

    async def run(self, call: Call, entry: Entry, kwargs: dict[str, Any]) -> Outcome:
        event, value = await super().run(call, entry, kwargs)
        return event, failure("StreamOverrun") if event == "FAIL" else value


class ViolationHasAnotherName(Callee):
    """A call that it fails for a violation ends as if cancelled."""

    def fail_call(self, call: Call) -> None:
        super().fail_call(call)
        call.why = "ContextCancelled"


class CallersFailIgnored(Callee):
    """It ignores a caller's FAIL."""

    def on_caller_fail(self, call: Call) -> None:
        return


class CallersFailIsEnd(Callee):
    """It takes a caller's FAIL for an END."""

    def on_caller_fail(self, call: Call) -> None:
        call.inbox.close()


class CallersFailEndsAll(Callee):
    """A caller's FAIL ends all its calls."""

    def on_caller_fail(self, call: Call) -> None:
        for other in call.conn.calls.values():
            self.give_up(other, "ContextCancelled")


class FatalForACall(Callee):
    """It sends FATAL where it fails one call, and goes on."""

    def fail_call(self, call: Call) -> None:
        call.conn.nursery.start_soon(call.conn.send, {"error": failure("ProtocolError")})
        super().fail_call(call)


class ErrorTypeOfBody(Callee):
    """A malformed error ends the process."""

    async def on_malformed(self, conn: Conn, got: Classified) -> None:
        if got.clause == "ERR-01s":
            raise KeyError("type_str")
        await super().on_malformed(conn, got)
