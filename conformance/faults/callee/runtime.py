"""Faults in the namespace `self`, in what is exported, and in containing violations."""

from __future__ import annotations

from typing import Any

import trio

from faults.honest import Call, Callee, Conn, ConnectionOver
from faults.honest.callee import failure
from faults.honest.fixture import Entry
from iptc_conformance.wire import Classified, Frame


async def _nothing(call: Call, **kwargs: Any) -> None:
    return


class AnyMethodOfSelf(Callee):
    """Any method of its actor can be called in `self`."""

    def lookup(self, conn: Conn, ns: str, func: str) -> Entry | None:
        if ns == "self" and func in dir(object):
            return Entry("asyncfunc", {}, _nothing)
        return super().lookup(conn, ns, func)


class SelfByPrefix(Callee):
    """It knows functions of `self` by the beginning of their names."""

    def lookup(self, conn: Conn, ns: str, func: str) -> Entry | None:
        known = ns == "self" and func.startswith("_cancel_task")
        return super().lookup(conn, ns, "_cancel_task" if known else func)


class UnknownInSelfEndsProcess(Callee):
    """An unknown function of `self` ends the process."""

    def lookup(self, conn: Conn, ns: str, func: str) -> Entry | None:
        found = super().lookup(conn, ns, func)
        if ns == "self" and found is None:
            raise AttributeError(func)
        return found


class ModuleAttributes(Callee):
    """It calls whatever its module holds."""

    def lookup(self, conn: Conn, ns: str, func: str) -> Entry | None:
        if ns == "iptc_testee" and func in {"__name__", "trio", "os", "_private"}:
            return Entry("asyncfunc", {}, _nothing)
        return super().lookup(conn, ns, func)


class AnyModule(Callee):
    """It imports the module that an OPEN names."""

    def lookup(self, conn: Conn, ns: str, func: str) -> Entry | None:
        if ns in {"os", "builtins", "asyncio"}:
            return Entry("asyncfunc", {}, _nothing)
        return super().lookup(conn, ns, func)


class SelfCancelsForeignTasks(Callee):
    """A function of `self` cancels the calls of all connections."""

    def lookup(self, conn: Conn, ns: str, func: str) -> Entry | None:
        if ns == "self" and func == "cancel_rpc_tasks":
            for other in self.conns:
                for call in other.calls.values():
                    self.give_up(call, call.why)
        return super().lookup(conn, ns, func)


class ViolationFailsSiblings(Callee):
    """A violation by one call fails the other calls of its connection."""

    def fail_call(self, call: Call) -> None:
        for other in call.conn.calls.values():
            other.state = "failed"
            self.give_up(other, "ProtocolError")


class ViolationEndsProcess(Callee):
    """An object that is no message ends the process."""

    def on_wrong_object(self, conn: Conn, got: Classified) -> None:
        raise AttributeError("'int' object has no attribute 'get'")


class ViolationEndsAllConnections(Callee):
    """A violation on one connection closes all."""

    async def end(self, conn: Conn, how: str) -> None:
        if how == "violation":
            for other in self.conns:
                await other.close()
        await super().end(conn, how)


class ViolationJamsConnection(Callee):
    """A call that breaks a rule jams the writer of its connection."""

    def fail_call(self, call: Call) -> None:
        call.conn.lock = trio.Lock()
        call.conn.nursery.start_soon(call.conn.lock.acquire)


class SaysReady(Callee):
    """It says that it is ready, in a body that is a str."""

    def on_hello(self, conn: Conn, got: Classified) -> None:
        super().on_hello(conn, got)
        conn.nursery.start_soon(conn.send, "ready")


class LogsOverTheWire(Callee):
    """It sends a map of another kind after the first error of a call."""

    async def finish(self, call: Call, outcome: tuple[str, Any]) -> None:
        await super().finish(call, outcome)
        if outcome[0] == "FAIL" and not call.scope.cancel_called:
            await call.conn.send({"log": "a call has failed"})


class WrongObjectsIgnored(Callee):
    """It ignores an object that is no message."""

    def on_wrong_object(self, conn: Conn, got: Classified) -> None:
        if got.clause != "ROB-02s":
            super().on_wrong_object(conn, got)


class EmptyArrayIgnored(Callee):
    """It takes an empty array for a heartbeat."""

    def classify(self, conn: Conn, frame: Frame) -> Classified:
        got = super().classify(conn, frame)
        if frame.body == b"\x90" and conn.theirs is not None:
            return Classified(got.event, "heartbeat")
        return got

    def on_wrong_object(self, conn: Conn, got: Classified) -> None:
        if got.clause != "heartbeat":
            super().on_wrong_object(conn, got)


class ClosesWhenTheOtherDoes(Callee):
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


class ChunkFinishedBeforeClosing(Callee):
    """It serves what comes in one chunk with a violation, then closes."""

    def on_wrong_object(self, conn: Conn, got: Classified) -> None:
        conn.nursery.start_soon(conn.close)


class MalformedCallCloses(Callee):
    """It closes the connection on a malformed message whose cid can be read."""

    async def on_malformed(self, conn: Conn, got: Classified) -> None:
        if not got.opens:
            raise ConnectionOver("violation")
        await super().on_malformed(conn, got)


class OtherDialectGuessed(Callee):
    """It answers the messages of the other dialect."""

    def on_wrong_object(self, conn: Conn, got: Classified) -> None:
        if got.clause == "ENC-05s":
            conn.nursery.start_soon(conn.send, {"error": failure("NotSupported")})
            return
        super().on_wrong_object(conn, got)
