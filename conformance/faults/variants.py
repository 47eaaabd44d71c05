"""Honest peers that are odd in one harmless way each: the suite may find nothing in them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import trio

from faults.honest import Call, Callee, Caller, Conn, ConnectionOver, OutCall, Peer
from faults.honest.callee import failure
from faults.shared.values import each
from iptc_conformance.msgpack_values import Timestamp

if TYPE_CHECKING:
    from faults.honest.callee import Outcome
    from faults.honest.inbox import Inbox
    from iptc_conformance.wire import Classified, Message


class KeysReversed(Peer):
    """It writes the cid first."""

    def encode(self, message: Any) -> bytes:
        return super().encode(dict(reversed(message.items())) if isinstance(message, dict) else message)


class InPieces(Peer):
    """It writes the first sixty bytes of a frame in pieces of seven."""

    async def write(self, conn: Conn, data: bytes) -> None:
        for start in range(0, 56, 7):
            if data[start : start + 7]:
                await super().write(conn, data[start : start + 7])
        if data[56:]:
            await super().write(conn, data[56:])


class ReadsLittle(Peer):
    """It looks at what has come three bytes at a time."""

    def cut(self, conn: Conn, cutter: Any, chunk: bytes) -> list[Any]:
        if len(chunk) > 4096:
            return super().cut(conn, cutter, chunk)
        parts = [chunk[at : at + 3] for at in range(0, len(chunk), 3)]
        return [frame for part in parts for frame in super(ReadsLittle, self).cut(conn, cutter, part)]


class LongHello(Peer):
    """Its hello has further elements."""

    def hello(self, conn: Conn) -> list[Any]:
        return [*super().hello(conn), {"more": [1, 2]}, None, 7]


class Slow(Peer):
    """It takes a millisecond for each frame that it writes."""

    async def write(self, conn: Conn, data: bytes) -> None:
        await trio.sleep(0.001)
        await super().write(conn, data)


class SaysFatal(Peer):
    """It sends FATAL before it closes for a violation."""

    async def on_frame(self, conn: Conn, got: Classified) -> None:
        try:
            await super().on_frame(conn, got)
        except ConnectionOver as over:
            if over.how == "violation":
                await conn.send({"error": {"tb_str": "", "type_str": "ProtocolError"}})
            raise


class Microseconds(Peer):
    """It keeps timestamps to the microsecond."""

    def value(self, message: Message) -> Any:
        return each(super().value(message), _coarse)


def _coarse(value: Any) -> Any:
    if isinstance(value, Timestamp):
        return Timestamp(value.seconds, value.nanoseconds // 1000 * 1000)
    return value


class HoldsSixtyFour(Peer):
    """It holds 64 items and no more."""

    def full(self, inbox: Inbox) -> bool:
        return len(inbox.items) >= 64


class ClosesForAll(Peer):
    """It closes the connection where it might fail a call."""

    def fail_call(self, call: Any, *_: Any, **__: Any) -> None:
        raise ConnectionOver("violation")


class EndAlways(Callee):
    """A context sends END before its result, whether it has used its stream or not."""

    async def finish(self, call: Call, outcome: Outcome) -> None:
        if outcome[0] == "RESULT" and call.state in {"open", "caller-stopped"}:
            await self.say(call, "END", True)
        await super().finish(call, outcome)


class OtherErrorTypes(Callee):
    """It names errors as another language does."""

    async def refuse(self, conn: Conn, cid: str, why: str) -> None:
        await super().refuse(conn, cid, {"AttributeError": "E_NOENT", "TypeError": "E_ARGS"}.get(why, why))

    async def finish(self, call: Call, outcome: Outcome) -> None:
        if outcome[0] == "FAIL" and outcome[1]["type_str"] == "ValueError":
            outcome = ("FAIL", failure("std::invalid_argument"))
        await super().finish(call, outcome)


class NilFromCancel(Callee):
    """Its CANCEL returns nil, as those of old."""

    async def cancel(self, conn: Conn, own: Call, target: str) -> Any:
        await super().cancel(conn, own, target)


class ViolationAsCancel(Callee):
    """A call that it fails for a violation ends by the name of a cancel."""

    def fail_call(self, call: Call) -> None:
        super().fail_call(call)
        call.why = "ContextCancelled"


class CountsWithPrefix(Caller):
    """Its cids are a random prefix and a number."""

    def cid(self, conn: Conn) -> str:
        return f"{self.name[1]}-{conn.opened}"


class SecondCancel(Caller):
    """It sends each CANCEL twice."""

    async def cancel(self, call: OutCall) -> None:
        if not (call.cancelled or self.leaving or call.over.is_set() or call.conn.silent):
            await self.open(call.conn, ("self", "_cancel_task", {"cid": call.cid}), "asyncfunc")
        await super().cancel(call)
