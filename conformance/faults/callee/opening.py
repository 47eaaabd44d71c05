"""Faults in opening and acknowledging."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import trio

from faults.honest import Call, Callee, Conn, ConnectionOver
from faults.honest.callee import CANCEL

if TYPE_CHECKING:
    from faults.honest.fixture import Entry
    from iptc_conformance.wire import Classified, Message


class MalformedOpenDropped(Callee):
    """It drops a malformed OPEN."""

    async def on_malformed(self, conn: Conn, got: Classified) -> None:
        if not got.opens:
            await super().on_malformed(conn, got)


class MalformedOpenCloses(Callee):
    """It closes the connection on a malformed OPEN whose cid can be read."""

    async def on_malformed(self, conn: Conn, got: Classified) -> None:
        if got.opens and got.clause == "OPN-01s":
            raise ConnectionOver("violation")
        await super().on_malformed(conn, got)


class RefusalUnsaid(Callee):
    """It does not answer an OPEN that it refuses for its arguments."""

    async def refuse(self, conn: Conn, cid: str, why: str) -> None:
        if why != "TypeError":
            await super().refuse(conn, cid, why)


class SlotsLeak(Callee):
    """It takes 70 calls on a connection, for it never gives the place of one back."""

    def crowded(self, conn: Conn) -> bool:
        return conn.opened > 70


class SlotsLeakOnCancel(Callee):
    """It never gives the place of a cancelled call back, and has eight."""

    def crowded(self, conn: Conn) -> bool:
        return conn.cancels > 8


class CallAfterCancelForgotten(Callee):
    """It forgets the call that is opened next after a cancel."""

    async def open(self, conn: Conn, message: Message) -> None:
        if conn.cancels == 1 and not self.notes.get(conn.number):
            self.notes[conn.number] = True
            return
        await super().open(conn, message)


class AckBehindStarted(Callee):
    """It acknowledges a call in a task of its own, which may be late."""

    async def acknowledge(self, call: Call) -> None:
        call.conn.nursery.start_soon(self._late, call)

    async def _late(self, call: Call) -> None:
        await trio.sleep(0.01)
        await super().acknowledge(call)


class AckTwice(Callee):
    """It acknowledges a context when it is opened, and again when it starts."""

    async def say(self, call: Call, event: str, value: Any) -> None:
        if event == "STARTED":
            await super().say(call, "ACK_CONTEXT", "context")
        await super().say(call, event, value)


class OldFunctypeName(Callee):
    """It names unary functions as an earlier draft did."""

    async def say(self, call: Call, event: str, value: Any) -> None:
        await super().say(call, event, "asyncfunction" if event == "ACK_ASYNCFUNC" else value)


class UnknownFunctionAcknowledged(Callee):
    """It acknowledges a call before it looks the function up."""

    async def refuse(self, conn: Conn, cid: str, why: str) -> None:
        if why == "AttributeError":
            await conn.send({"functype": "asyncfunc", "cid": cid})
        await super().refuse(conn, cid, why)


class NamespaceIgnored(Callee):
    """It looks at the name of a function and not at the namespace."""

    def lookup(self, conn: Conn, ns: str, func: str) -> Entry | None:
        return super().lookup(conn, ns, func) or self.functions.get(func)


class UnknownFunctionEndsProcess(Callee):
    """An unknown function ends the process."""

    def lookup(self, conn: Conn, ns: str, func: str) -> Entry | None:
        if ns not in {"self", "iptc_testee"}:
            raise ModuleNotFoundError(ns)
        return super().lookup(conn, ns, func)


class UnknownArgumentsIgnored(Callee):
    """It ignores arguments that a function does not have."""

    async def run(self, call: Call, entry: Entry, kwargs: dict[str, Any]) -> tuple[str, Any]:
        return await super().run(call, entry, {k: v for k, v in kwargs.items() if k in entry.names})

    def misfit(self, entry: Entry, kwargs: Any) -> bool:
        known = {k: v for k, v in kwargs.items() if k in entry.names}
        return super().misfit(entry, kwargs if entry is CANCEL else known)


class ArgumentsCheckedLate(Callee):
    """It finds wrong arguments of a generator only when it runs."""

    def misfit(self, entry: Entry, kwargs: Any) -> bool:
        return entry.kind != "asyncgen" and super().misfit(entry, kwargs)

    async def run(self, call: Call, entry: Entry, kwargs: dict[str, Any]) -> tuple[str, Any]:
        if super().misfit(entry, kwargs):
            raise ValueError("no such argument")
        return await super().run(call, entry, kwargs)


class UidUnchecked(Callee):
    """It does not check the uid of an OPEN."""

    def wrong_uid(self, conn: Conn, uid: tuple[str, str]) -> bool:
        return False


class UidNameAlone(Callee):
    """It checks the name of a uid and not the uuid."""

    def wrong_uid(self, conn: Conn, uid: tuple[str, str]) -> bool:
        return conn.theirs is not None and uid[0] != conn.theirs[0]


class UidAsASet(Callee):
    """It compares the two parts of a uid in any order."""

    def wrong_uid(self, conn: Conn, uid: tuple[str, str]) -> bool:
        return set(uid) != set(conn.theirs or ())


class WrongUidEndsProcess(Callee):
    """An OPEN with another uid ends the process."""

    def wrong_uid(self, conn: Conn, uid: tuple[str, str]) -> bool:
        if super().wrong_uid(conn, uid):
            raise KeyError(uid)
        return False


class WrongUidCloses(Callee):
    """It closes the connection on an OPEN with another uid."""

    def wrong_uid(self, conn: Conn, uid: tuple[str, str]) -> bool:
        if super().wrong_uid(conn, uid):
            raise ConnectionOver("violation")
        return False


class ResultFromCallerEndsProcess(Callee):
    """A RESULT from a caller ends the process."""

    async def on_message(self, conn: Conn, message: Message) -> None:
        if message.kind in {"RESULT", "STARTED", "ACK"}:
            raise AssertionError(message.kind)
        await super().on_message(conn, message)


class GeneratorsAsContexts(Callee):
    """It acknowledges generators as contexts."""

    async def say(self, call: Call, event: str, value: Any) -> None:
        await super().say(call, event, "context" if event == "ACK_ASYNCGEN" else value)


class OneCallAtATime(Callee):
    """It runs the calls of a connection one after the other."""

    async def run(self, call: Call, entry: Entry, kwargs: dict[str, Any]) -> tuple[str, Any]:
        if entry is CANCEL:
            return await super().run(call, entry, kwargs)
        async with self.notes.setdefault(call.conn.number, trio.Lock()):
            return await super().run(call, entry, kwargs)


class EightWorkers(Callee):
    """It has eight workers, which a process shares."""

    async def run(self, call: Call, entry: Entry, kwargs: dict[str, Any]) -> tuple[str, Any]:
        if entry is CANCEL:
            return await super().run(call, entry, kwargs)
        async with self.notes.setdefault("workers", trio.CapacityLimiter(8)):
            return await super().run(call, entry, kwargs)


class CallsServedInTheReader(Callee):
    """It reads on only when a unary function has returned."""

    async def open(self, conn: Conn, message: Message) -> None:
        await super().open(conn, message)
        call = conn.calls.get(message.cid or "")
        if call is not None and call.kind == "asyncfunc" and call.func != "_cancel_task":
            await call.over.wait()
