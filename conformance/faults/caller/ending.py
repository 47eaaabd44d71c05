"""Faults in cancelling, in errors, in holding items and in the end of connections."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import trio

from faults.honest import Caller, Conn, ConnectionOver, OutCall
from faults.honest.table import live

if TYPE_CHECKING:
    from faults.honest.inbox import Inbox
    from iptc_conformance.wire import Classified, Deframer, Message


class CancelUnderTargetsCid(Caller):
    """It sends a CANCEL under the cid of its target."""

    async def cancel(self, call: OutCall) -> None:
        if not self.leaving and live(call.state) and not call.cancelled:
            call.cancelled = True
            await call.conn.send({"cmd": ["self", "_cancel_task", {"cid": call.cid}, self.name, call.cid]})
            self.after_cancel(call)


class CancelWithReason(Caller):
    """It gives a reason with a CANCEL."""

    def open_message(self, call: OutCall) -> dict[str, Any]:
        if call.ns == "self":
            call.kwargs = {**call.kwargs, "reason": "given up"}
        return super().open_message(call)


class CancelInTheNamespace(Caller):
    """It sends a CANCEL to the namespace of its target."""

    def open_message(self, call: OutCall) -> dict[str, Any]:
        if call.ns == "self":
            call.ns = "iptc_testee"
        return super().open_message(call)


class NeverCancels(Caller):
    """It leaves a call without a CANCEL."""

    async def cancel(self, call: OutCall) -> None:
        self.after_cancel(call)


class GeneratorsUncancelled(Caller):
    """It leaves a generator without a CANCEL."""

    async def cancel(self, call: OutCall) -> None:
        if call.kind != "asyncgen":
            await super().cancel(call)


class WaitsForTerminalOfTarget(Caller):
    """It waits for the terminal of a cancelled call, whatever its CANCEL came to."""

    def after_cancel(self, call: OutCall) -> None:
        return

    async def cancel(self, call: OutCall) -> None:
        await super().cancel(call)
        with trio.CancelScope(shield=True):
            await call.over.wait()


class NilOfCancelFails(Caller):
    """A CANCEL that returns nil ends the connection."""

    async def deliver(self, call: OutCall, event: str, message: Message) -> None:
        if event == "RESULT" and call.ns == "self" and not isinstance(message.value, bool):
            raise ConnectionOver("violation")
        await super().deliver(call, event, message)


class FalseOfCancelEndsProcess(Caller):
    """A CANCEL that returns false ends the process."""

    async def deliver(self, call: OutCall, event: str, message: Message) -> None:
        if event == "RESULT" and call.ns == "self" and message.value is not True:
            raise AssertionError
        await super().deliver(call, event, message)


class FatalIgnored(Caller):
    """It ignores FATAL."""

    def on_fatal(self, conn: Conn) -> None:
        return


class FatalEndsProcess(Caller):
    """FATAL ends the process."""

    def on_fatal(self, conn: Conn) -> None:
        raise RuntimeError("the other side has crashed")


class MalformedErrorDropped(Caller):
    """It drops an error with a malformed body."""

    async def on_malformed(self, conn: Conn, got: Classified) -> None:
        if got.clause != "ERR-01s":
            await super().on_malformed(conn, got)


class ErrorWithMessage(Caller):
    """It answers with errors that have a message besides."""

    def encode(self, message: Any) -> bytes:
        if isinstance(message, dict) and "error" in message:
            message = {**message, "error": {**message["error"], "msg": ""}}
        return super().encode(message)


class FatalAndOn(Caller):
    """It sends FATAL where it fails one call, and goes on."""

    def fail_call(self, call: OutCall, clause: str, *, freed: bool) -> None:
        fatal = {"error": {"tb_str": "", "type_str": "ProtocolError"}}
        call.conn.nursery.start_soon(call.conn.send, fatal)
        super().fail_call(call, clause, freed=freed)


class NoticeIsFail(Caller):
    """It takes an OVERRUN for the terminal."""

    async def deliver(self, call: OutCall, event: str, message: Message) -> None:
        if event == "OVERRUN":
            call.end({"outcome": "error", "type": "StreamOverrun"})
        await super().deliver(call, event, message)


class DropsInSilence(Caller):
    """It drops items of an overrun consumer without a notice."""

    async def overrun(self, call: Any) -> None:
        return


class NoticeInUnary(Caller):
    """It gives notice in a unary call."""

    async def deliver(self, call: OutCall, event: str, message: Message) -> None:
        await super().deliver(call, event, message)
        if event == "ACK_ASYNCFUNC":
            await self.overrun(call)


class NoticeBeforeStarted(Caller):
    """It gives notice before a context has started."""

    async def deliver(self, call: OutCall, event: str, message: Message) -> None:
        await super().deliver(call, event, message)
        if event == "ACK_CONTEXT":
            await self.overrun(call)


class TerminalCounts(Caller):
    """A terminal for which there is no room among the items is dropped."""

    async def on_message(self, conn: Conn, message: Message) -> None:
        call = self.find(conn, message.cid or "")
        if call is not None and message.kind in {"RESULT", "FAIL", "END"} and len(call.inbox.items) >= 64:
            return
        await super().on_message(conn, message)


class WaitsForEver(Caller):
    """It waits for a consumer that takes nothing, for ever."""

    stall_seconds = math.inf


class HoldsSixteen(Caller):
    """It holds sixteen items, and drops what comes above."""

    async def hold(self, call: Any, value: Any, size: int) -> None:
        if len(call.inbox.items) >= 16 and not call.inbox.lost:
            call.inbox.lost = True
            await self.overrun(call)
        await super().hold(call, value, size)


class HoldsSixtyThree(Caller):
    """It holds 63 items."""

    def full(self, inbox: Inbox) -> bool:
        return len(inbox.items) >= 63


class DropsAtOnce(Caller):
    """It does not wait for a consumer before it drops items."""

    stall_seconds = 0.0


class PendingStay(Caller):
    """Its pending calls wait on when the connection is closed."""

    async def end(self, conn: Conn, how: str) -> None:
        if how != "eof":
            await super().end(conn, how)


class PendingStayAtReset(Caller):
    """Its pending calls wait on when the connection is reset."""

    async def end(self, conn: Conn, how: str) -> None:
        if how != "reset":
            await super().end(conn, how)


class PendingStreamsStay(Caller):
    """Its pending streams and contexts wait on when the connection ends."""

    async def end(self, conn: Conn, how: str) -> None:
        for cid in [cid for cid, call in conn.calls.items() if call.kind != "asyncfunc"]:
            del conn.calls[cid]
        await super().end(conn, how)


class CutFrameWaits(Caller):
    """Its pending calls wait on when the connection ends inside a frame."""

    def on_eof(self, conn: Conn, cutter: Deframer) -> str:
        if cutter.pending:
            conn.calls.clear()
        return super().on_eof(conn, cutter)


class GoodbyeUnanswered(Caller):
    """It closes on GOODBYE and does not say it."""

    async def part(self, conn: Conn) -> None:
        if self.leaving:
            await super().part(conn)


class GoodbyeIgnored(Caller):
    """It ignores GOODBYE."""

    def on_goodbye(self, conn: Conn) -> None:
        return


class GoodbyeEndsProcess(Caller):
    """GOODBYE ends the process."""

    def on_goodbye(self, conn: Conn) -> None:
        raise TypeError("NoneType is not a message")


class SaysGoodbyeTwice(Caller):
    """It says GOODBYE twice when it leaves."""

    async def leave(self) -> None:
        for conn in self.conns:
            await conn.send(None)
        await super().leave()


class CancelsBehindGoodbye(Caller):
    """It cancels its calls when it has said GOODBYE."""

    async def leave(self) -> None:
        for conn in self.conns:
            await conn.send(None)
            for call in list(conn.calls.values()):
                await self.cancel(call)
        await super().leave()


class TakesBehindGoodbye(Caller):
    """It takes a result that follows a GOODBYE."""

    def on_goodbye(self, conn: Conn) -> None:
        conn.nursery.start_soon(self._part, conn)

    async def _part(self, conn: Conn) -> None:
        await trio.sleep(0.05)
        await self.end(conn, "goodbye")
        await conn.close()


class WrongObjectsIgnored(Caller):
    """It ignores an object that is no message."""

    def on_wrong_object(self, conn: Conn, got: Classified) -> None:
        if got.clause != "ROB-02s":
            super().on_wrong_object(conn, got)


class WrongObjectEndsProcess(Caller):
    """An object that is no message ends the process."""

    def on_wrong_object(self, conn: Conn, got: Classified) -> None:
        raise AttributeError("'int' object has no attribute 'get'")


class WaitsForClose(Caller):
    """After a violation it reads nothing more, and waits for the other side to close."""

    async def on_frame(self, conn: Conn, got: Classified) -> None:
        if conn.number in self.notes:
            return
        try:
            await super().on_frame(conn, got)
        except ConnectionOver as over:
            if over.how != "violation" or conn.theirs is None:
                raise
            self.notes[conn.number] = True


class SaysReady(Caller):
    """It says that it is ready, in a body that is a str."""

    def on_hello(self, conn: Conn, got: Classified) -> None:
        super().on_hello(conn, got)
        conn.nursery.start_soon(conn.send, "ready")


class AnyMethodOfSelf(Caller):
    """It answers whatever is called in `self`."""

    async def on_open(self, conn: Conn, message: Message) -> None:
        if message.fields["ns"] == "self" and message.fields["func"] != "_cancel_task":
            await conn.send({"functype": "asyncfunc", "cid": message.cid})
            await conn.send({"return": None, "cid": message.cid})
        else:
            await super().on_open(conn, message)


class TheirCancelReachesOurs(Caller):
    """A CANCEL of the other side reaches the calls that it serves itself."""

    async def on_open(self, conn: Conn, message: Message) -> None:
        await super().on_open(conn, message)
        call = self.find(conn, str(message.value.get("cid")))
        if call is not None:
            call.end({"outcome": "error", "type": "ContextCancelled"})


class TheirCancelUnanswered(Caller):
    """It does not answer a CANCEL of an unknown call."""

    async def on_open(self, conn: Conn, message: Message) -> None:
        if message.fields["func"] != "_cancel_task":
            await super().on_open(conn, message)
