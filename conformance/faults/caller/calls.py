"""Faults in opening calls and telling them apart."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from faults.honest import Caller, Conn, ConnectionOver, OutCall
from faults.honest.table import ACKS, Cell

if TYPE_CHECKING:
    from iptc_conformance.wire import Classified, Message


class EmptyCid(Caller):
    """The cid of its first call is empty."""

    def cid(self, conn: Conn) -> str:
        return super().cid(conn) if conn.opened > 1 else ""


class NumbersAsCids(Caller):
    """Its cids are integers."""

    def open_message(self, call: OutCall) -> dict[str, Any]:
        call.cid = call.conn.opened  # type: ignore[assignment]
        return super().open_message(call)


class OneCidPerFunction(Caller):
    """It uses one cid for all calls of a function, those that are live among them."""

    async def open(self, conn: Conn, target: tuple[str, str, dict[str, Any]], kind: str) -> OutCall:
        self.notes["kind"] = kind
        return await super().open(conn, target, kind)

    def cid(self, conn: Conn) -> str:
        return str(self.notes["kind"])


class CountsItsCids(Caller):
    """Its cids are a running number."""

    def cid(self, conn: Conn) -> str:
        return str(conn.opened)


class AnswersForeignCids(Caller):
    """It answers a message for an unknown cid with an error."""

    async def on_unknown(self, conn: Conn, cid: str) -> None:
        await conn.send({"error": {"tb_str": "", "type_str": "KeyError"}, "cid": cid})


class UnknownCidCloses(Caller):
    """It closes the connection on a message for an unknown cid."""

    async def on_unknown(self, conn: Conn, cid: str) -> None:
        raise ConnectionOver("violation")


class UnknownCidEndsProcess(Caller):
    """A message for an unknown cid ends the process."""

    async def on_unknown(self, conn: Conn, cid: str) -> None:
        raise KeyError(cid)


class WrongCidDropped(Caller):
    """It drops a message whose cid is no legal one."""

    def on_wrong_object(self, conn: Conn, got: Classified) -> None:
        if got.clause != "CID-01s":
            super().on_wrong_object(conn, got)


class NewestCallAnswered(Caller):
    """It takes every answer for the newest call."""

    def find(self, conn: Conn, cid: str) -> OutCall | None:
        live = [call for call in conn.calls.values() if not call.over.is_set()]
        return super().find(conn, cid) and (live[-1] if live else None)


class OpenOfItsLiveCidServed(Caller):
    """It answers an OPEN of a cid that is live by its own call."""

    async def on_open(self, conn: Conn, message: Message) -> None:
        await conn.send({"error": {"tb_str": "", "type_str": "AttributeError"}, "cid": message.cid})


class OpensUnanswered(Caller):
    """It answers no call of the other side, for it only calls."""

    async def on_open(self, conn: Conn, message: Message) -> None:
        return


class OpensCloseIt(Caller):
    """It closes the connection on a call of the other side."""

    async def on_open(self, conn: Conn, message: Message) -> None:
        raise ConnectionOver("violation")


class MalformedOpenUnanswered(Caller):
    """It does not answer a malformed OPEN."""

    async def on_malformed(self, conn: Conn, got: Classified) -> None:
        if not got.opens:
            await super().on_malformed(conn, got)


class SixElements(Caller):
    """It adds a deadline to an OPEN."""

    def open_message(self, call: OutCall) -> dict[str, Any]:
        return {"cmd": [*super().open_message(call)["cmd"][:4], 10, call.cid]}


class PositionalArguments(Caller):
    """It sends the arguments without their names."""

    def open_message(self, call: OutCall) -> dict[str, Any]:
        return {"cmd": [call.ns, call.func, list(call.kwargs.values()), self.name, call.cid]}


class NoArgumentsAsNil(Caller):
    """It sends nil where there are no arguments."""

    def open_message(self, call: OutCall) -> dict[str, Any]:
        return {"cmd": [call.ns, call.func, call.kwargs or None, self.name, call.cid]}


class CidBesideCmd(Caller):
    """It puts the cid of an OPEN beside it, too."""

    def open_message(self, call: OutCall) -> dict[str, Any]:
        return {**super().open_message(call), "cid": call.cid}


class UidOfItsOwn(Caller):
    """The uid of its OPENs has another uuid than its hello."""

    def open_message(self, call: OutCall) -> dict[str, Any]:
        return {"cmd": [call.ns, call.func, call.kwargs, [self.name[0], "0"], call.cid]}


class UidOfTheOther(Caller):
    """It puts the uid of the other side into a CANCEL."""

    def open_message(self, call: OutCall) -> dict[str, Any]:
        uid = call.conn.theirs if call.ns == "self" else self.name
        return {"cmd": [call.ns, call.func, call.kwargs, uid, call.cid]}


class AcksBack(Caller):
    """It acknowledges the STARTED of a context."""

    async def deliver(self, call: OutCall, event: str, message: Message) -> None:
        await super().deliver(call, event, message)
        if event == "STARTED":
            await call.conn.send({"functype": "context", "cid": call.cid})


class ReturnsResultBack(Caller):
    """It ends a context with a result of its own before the callee does."""

    async def say(self, call: OutCall, event: str, value: Any) -> None:
        await super().say(call, event, value)
        if event == "END":
            await call.conn.send({"return": None, "cid": call.cid})


class SecondAckFails(Caller):
    """A repeated ACK of the same kind fails its call."""

    def cell(self, state: str, sender: str, event: str) -> Cell:
        found = super().cell(state, sender, event)
        return found._replace(reaction="fail-call") if found.clause == "OPN-04s" else found


class SecondAckCloses(Caller):
    """A repeated ACK closes the connection."""

    def cell(self, state: str, sender: str, event: str) -> Cell:
        found = super().cell(state, sender, event)
        return found._replace(reaction="close") if found.clause == "OPN-04s" else found


class UnknownFunctypeIsUnary(Caller):
    """It takes an unknown functype for that of a unary call."""

    async def on_malformed(self, conn: Conn, got: Classified) -> None:
        call = self.find(conn, got.cid or "")
        if got.clause == "OPN-05s" and call is not None:
            call.state = self.cell(call.state, "callee", ACKS[call.kind]).next
            return
        await super().on_malformed(conn, got)


class AnswerWithoutAck(Caller):
    """It takes a result without an ACK."""

    def cell(self, state: str, sender: str, event: str) -> Cell:
        if state == "requested" and sender == "callee" and event == "RESULT":
            return Cell(True, "done")
        return super().cell(state, sender, event)
