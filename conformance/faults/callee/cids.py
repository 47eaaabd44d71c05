"""Faults in telling calls apart."""

from __future__ import annotations

import dataclasses
import unicodedata
from typing import TYPE_CHECKING, Any

from faults.honest import Call, Callee, Conn, ConnectionOver
from iptc_conformance import wire
from iptc_conformance.msgpack_reader import read

if TYPE_CHECKING:
    from iptc_conformance.wire import Classified, Frame, Message


class BinCidsOut(Callee):
    """It writes a cid that is not ASCII as bin."""

    def encode(self, message: Any) -> bytes:
        if isinstance(message, dict) and not str(message.get("cid", "")).isascii():
            message = {**message, "cid": message["cid"].encode()}
        return super().encode(message)


class WrongCidDropped(Callee):
    """It drops a message whose cid is no legal one."""

    def on_wrong_object(self, conn: Conn, got: Classified) -> None:
        if got.clause != "CID-01s":
            super().on_wrong_object(conn, got)


class WrongCidEndsProcess(Callee):
    """A cid that cannot be a key ends the process."""

    def on_wrong_object(self, conn: Conn, got: Classified) -> None:
        if got.clause == "CID-01s":
            raise TypeError("unhashable type: list")
        super().on_wrong_object(conn, got)


class CidLengthInCharacters(Callee):
    """It counts the length of a cid in characters."""

    def classify(self, conn: Conn, frame: Frame) -> Classified:
        got = super().classify(conn, frame)
        if (
            got.clause != "CID-01s"
            or not isinstance(body := read(frame.body or b""), dict)
            or "cmd" not in body
        ):
            return got
        cid = body["cmd"][4]
        if not isinstance(cid, str) or not 0 < len(cid) <= 256:
            return got
        short = wire.classify(wire.encode({"cmd": [*body["cmd"][:4], "c"]}))
        message = None if short.message is None else dataclasses.replace(short.message, cid=cid)
        return dataclasses.replace(short, cid=cid, message=message)


class ShortCidsOnly(Callee):
    """It closes on a cid of more than 64 bytes."""

    def find(self, conn: Conn, cid: str) -> Call | None:
        if len(cid.encode()) > 64:
            raise ConnectionOver("violation")
        return super().find(conn, cid)


class CidsWithoutCase(Callee):
    """Cids that differ in case alone are one to it."""

    def find(self, conn: Conn, cid: str) -> Call | None:
        return next((call for known, call in conn.calls.items() if known.lower() == cid.lower()), None)


class CidsByPrefix(Callee):
    """It knows calls by the first eight characters of their cids."""

    def find(self, conn: Conn, cid: str) -> Call | None:
        return next((call for known, call in conn.calls.items() if known[:8] == cid[:8]), None)


class CidsNormalised(Callee):
    """Cids of one normal form of Unicode are one to it."""

    def find(self, conn: Conn, cid: str) -> Call | None:
        form = unicodedata.normalize("NFC", cid)
        return next(
            (call for known, call in conn.calls.items() if unicodedata.normalize("NFC", known) == form), None
        )


class LiveCidTakenOver(Callee):
    """A live cid that is opened again belongs to the new call, and the old one is lost."""

    async def on_live_cid(self, conn: Conn, cid: str, message: Message | None) -> None:
        if message is not None:
            await self.open(conn, message)


class LiveCidRefused(Callee):
    """It answers an OPEN of a live cid with FAIL."""

    async def on_live_cid(self, conn: Conn, cid: str, message: Message | None) -> None:
        await self.refuse(conn, cid, "ProtocolError")


class LiveCidOfMalformedRefused(Callee):
    """It answers a malformed OPEN of a live cid with FAIL."""

    async def on_live_cid(self, conn: Conn, cid: str, message: Message | None) -> None:
        if message is None:
            await self.refuse(conn, cid, "ProtocolError")
        else:
            await super().on_live_cid(conn, cid, message)


class UnknownCidAnswered(Callee):
    """It answers a message for an unknown cid with an error."""

    async def on_unknown(self, conn: Conn, cid: str) -> None:
        await self.refuse(conn, cid, "KeyError")


class UnknownCidCloses(Callee):
    """It closes the connection on a message for an unknown cid."""

    async def on_unknown(self, conn: Conn, cid: str) -> None:
        raise ConnectionOver("violation")


class UnknownCidEndsProcess(Callee):
    """A message for an unknown cid ends the process."""

    async def on_unknown(self, conn: Conn, cid: str) -> None:
        raise KeyError(cid)


class CallsByUid(Callee):
    """It finds calls by uid and cid, whatever connection a message comes on."""

    def find(self, conn: Conn, cid: str) -> Call | None:
        same = (other for other in self.conns if other.theirs == conn.theirs)
        return next((other.calls[cid] for other in same if cid in other.calls), None)


class CallsByCid(Callee):
    """It keeps the calls of all connections in one table."""

    def find(self, conn: Conn, cid: str) -> Call | None:
        return next((other.calls[cid] for other in self.conns if cid in other.calls), None)


class UsedCidsRefused(Callee):
    """It never serves a cid twice."""

    async def open(self, conn: Conn, message: Message) -> None:
        used = self.notes.setdefault(("used", conn.number), set())
        if message.cid in used:
            await self.refuse(conn, message.cid or "", "DuplicateCid")
            return
        used.add(message.cid)
        await super().open(conn, message)


class LeftoversForTheNextCall(Callee):
    """It keeps the queue of an ended call, and hands its leftovers to the next call of that cid."""

    async def on_unknown(self, conn: Conn, cid: str) -> None:
        self.notes[conn.number, cid] = True

    async def acknowledge(self, call: Call) -> None:
        await super().acknowledge(call)
        if self.notes.pop((call.conn.number, call.cid), None):
            call.inbox.put("leftover", 1)


class CidLeakedByUnary(Callee):
    """It never gives back the cid of a unary call."""

    def forget(self, call: Call) -> None:
        if call.kind == "asyncfunc" and call.func != "_cancel_task":
            call.state = "unary"
        else:
            super().forget(call)
